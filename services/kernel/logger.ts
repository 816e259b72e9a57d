// Owns logging: one interface, with pino in services, and redaction by field name as the last protection. Logs go to stderr; stdout is for
// results. A failed write loses only its line: log-output.ts.
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
  /** Replaces the output in tests. */
  write?: Parameters<typeof createLogOutput>[0];
}): Logger {
  const output: LogOutput = createLogOutput(write, (lines, reason) => {
    const line = { level: pino.levels.values['warn'], time: Date.now(), name, lines, reason };
    return `${JSON.stringify({ ...line, msg: 'Some log lines could not be written and are lost' })}\n`;
  });
  // Log lines contain names of tenants and files, and people read them at a terminal.
  return wrap(pino({ level, name, base: { name } }, { write: (line: string) => output.write(escapeJson(line)) }));
}

export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
};
