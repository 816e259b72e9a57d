// Owns logging: one interface, pino behind it in services, with redaction by name as the last net. Logs go to stderr; stdout is for results.
// A line that cannot be written is lost, and nothing else: log-output.ts.
import pino from 'pino';
import { createLogOutput, standardError, type LogOutput } from './log-output.ts';
import { redact } from './redaction.ts';
import { escapeJson } from './shown-text.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Logger {
  error(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
  /** A logger whose lines all carry `fields`. */
  child(fields: Record<string, unknown>): Logger;
}

function wrap(target: pino.Logger): Logger {
  const line =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      target[level](redact(fields) as object, message);
    };
  return {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    child: (fields) => wrap(target.child(redact(fields) as object)),
  };
}

/** JSON lines on stderr. */
export function createLogger({
  level = 'info',
  name,
  write = standardError,
}: {
  level?: LogLevel;
  name: string;
  /** Another way out, in tests. */
  write?: Parameters<typeof createLogOutput>[0];
}): Logger {
  const output: LogOutput = createLogOutput(write, (lines, reason) => {
    const line = { level: pino.levels.values['warn'], time: Date.now(), name, lines, reason };
    return `${JSON.stringify({ ...line, msg: 'Log lines could not be written and are lost' })}\n`;
  });
  // Names of tenants and files are in it, and people read it at a terminal.
  return wrap(pino({ level, name, base: { name } }, { write: (line: string) => output.write(escapeJson(line)) }));
}

export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
};
