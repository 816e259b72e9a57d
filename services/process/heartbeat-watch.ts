// Owns noticing that a child process gives no sign of life. Counts missed heartbeats, not time: when the whole machine slept, the first
// look afterwards counts as one. Must not end anything by itself.
import { systemClock, type Timers } from '../kernel/clock.ts';
import { every, type Schedule } from '../kernel/schedule.ts';

export interface HeartbeatLimits {
  /** How often a child that is well gives a sign of life, or more rarely than it does. */
  readonly intervalMs: number;
  /** More missed in a row than this: the child will not come back by itself. */
  readonly missedForHung: number;
  /** More missed in a row than this: `onQuiet` is called, at every further one again. */
  readonly missedForQuiet?: number;
  readonly onQuiet?: (silentMs: number) => void;
}

export class HeartbeatWatch {
  readonly #looks: Schedule;
  #missed = 0;

  constructor(limits: HeartbeatLimits, onHung: () => void, timers: Timers = systemClock) {
    const { intervalMs, missedForHung, missedForQuiet = Infinity, onQuiet } = limits;
    const look = (): void => {
      this.#missed += 1;
      if (this.#missed > missedForHung) onHung();
      else if (this.#missed > missedForQuiet) onQuiet?.(this.#missed * intervalMs);
    };
    this.#looks = every(intervalMs, look, { timers });
  }

  heard(): void {
    this.#missed = 0;
  }

  /** Safe to call twice. */
  stop(): void {
    this.#looks.stop();
  }
}

/** How long a child was silent when it counts as hung. */
export function hungAfterMs({ intervalMs, missedForHung }: HeartbeatLimits): number {
  return (missedForHung + 1) * intervalMs;
}
