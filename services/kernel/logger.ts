// Owns logging: one interface, pino behind it in services, with redaction by name as the last net. Logs go to stderr; stdout is for results.
import pino from 'pino';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface Logger {
  error(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
  /** A logger whose lines all carry `fields`. */
  child(fields: Record<string, unknown>): Logger;
}

const secretName =
  /^(.*password.*|passphrase|pin|secret|token|ticket|tickets|keyA|keyB|privateKey|key|proof|verifier|saltedPassword|storedKey|serverKey)$/i;

/** Replaces everything that could be a secret by its name, and all binary content by its length. */
export function redact(value: unknown, depth = 0): unknown {
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  if (Array.isArray(value)) return depth > 6 ? '[deep]' : value.map((item) => redact(item, depth + 1));
  if (typeof value === 'object' && value !== null) {
    if (depth > 6) return '[deep]';
    if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, secretName.test(name) ? '[secret]' : redact(item, depth + 1)]),
    );
  }
  return value;
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
export function createLogger({ level = 'info', name }: { level?: LogLevel; name: string }): Logger {
  return wrap(pino({ level, name, base: { name } }, pino.destination({ fd: 2, sync: true })));
}

export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
};
