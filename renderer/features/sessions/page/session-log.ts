// Owns the actions of a session as text, to copy and to save. Pure.
import type { SessionAction } from '../../../../services/contracts/models/session.ts';
import { formatDuration, formatInstant } from '../../../platform/format.ts';

export interface LoggedSession {
  readonly sessionId: string;
  readonly jobName: string;
  readonly actions: readonly SessionAction[];
}

/** One line for each action: exact time, level, text, duration. */
export function sessionLog({ sessionId, jobName, actions }: LoggedSession, timeZone?: string): string {
  const lines = actions.map(({ at, level, text, durationMs }) =>
    [
      formatInstant(at, 'exact', timeZone),
      level.toUpperCase().padEnd(8),
      // An action stays on its line, although a name in it may contain a line break.
      text.replaceAll(/\s*[\r\n]+\s*/g, ' '),
      ...(durationMs === null ? [] : [`(${formatDuration(durationMs)})`]),
    ].join('  '),
  );
  return `${[`${jobName}, session ${sessionId}`, '', ...lines].join('\n')}\n`;
}
