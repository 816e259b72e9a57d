// Owns which rates a session shows: the current ones while data moves, the averages of the run after its end, and none while it is paused or
// waits. Pure.
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { hasFigures, movementOf } from './shown-state.ts';

export interface SessionRates {
  readonly readBytesPerSecond: number;
  readonly transferredBytesPerSecond: number;
}

type RatedSession = Pick<SessionDetail, 'state' | 'progress' | 'createdAt' | 'endedAt'>;

/** @returns null when there is no rate */
export function ratesOf(detail: RatedSession): SessionRates | null {
  const { progress, createdAt, endedAt } = detail;
  const movement = movementOf(detail.state);
  if (movement === 'still' || !hasFigures(detail)) return null;
  if (movement === 'moving') return progress;
  const seconds = endedAt === null ? 0 : (Date.parse(endedAt) - Date.parse(createdAt)) / 1000;
  if (seconds <= 0) return null;
  return {
    readBytesPerSecond: progress.readBytes / seconds,
    transferredBytesPerSecond: progress.transferredBytes / seconds,
  };
}
