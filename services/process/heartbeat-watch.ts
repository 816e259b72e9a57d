// Owns the detection of a child process that sends no heartbeats. Counts missed heartbeats, not time: if the whole computer sleeps, only
// one heartbeat counts as missed. Must not end a child by itself.
import { systemClock, type Timers } from '../kernel/clock.ts';
import { every, type Schedule } from '../kernel/schedule.ts';

export interface HeartbeatLimits {
  /** The time between two checks. Not shorter than the interval at which a healthy child sends heartbeats. */
  readonly intervalMs: number;
  /** With more missed heartbeats in a row than this, the child counts as hung. */
  readonly missedForHung: number;
  /** With more missed heartbeats in a row than this, `onQuiet` is called, and again for each further missed heartbeat. */
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

/** The silence after which a child counts as hung. */
export function hungAfterMs({ intervalMs, missedForHung }: HeartbeatLimits): number {
  return (missedForHung + 1) * intervalMs;
}
