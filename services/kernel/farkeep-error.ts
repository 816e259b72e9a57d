// Owns the one error class. Anything that a person or another process sees is made from the catalogue.
import { errorCatalogue, type ErrorCode, type ErrorInfo } from '../contracts/errors.ts';

export interface FarkeepErrorOptions {
  readonly hint?: string;
  readonly field?: string;
  readonly retryable?: boolean;
  readonly details?: NonNullable<ErrorInfo['details']>;
  readonly cause?: unknown;
}

/** An error with a code from the closed catalogue. `message` names the thing and the cause; never a secret. */
export class FarkeepError extends Error {
  override readonly name = 'FarkeepError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly field: string | undefined;
  readonly retryable: boolean;
  readonly details: ErrorInfo['details'];

  constructor(code: ErrorCode, message?: string, options: FarkeepErrorOptions = {}) {
    super(message ?? errorCatalogue[code].title, { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? errorCatalogue[code].hint;
    this.field = options.field;
    this.retryable = options.retryable ?? errorCatalogue[code].retryable;
    this.details = options.details;
  }

  /** The form for other processes: no stack, no cause. */
  toInfo(correlationId?: string): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retryable: this.retryable,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(correlationId === undefined ? {} : { correlationId }),
    };
  }

  static fromInfo(info: ErrorInfo): FarkeepError {
    return new FarkeepError(info.code, info.message, {
      hint: info.hint,
      retryable: info.retryable,
      ...(info.field === undefined ? {} : { field: info.field }),
      ...(info.details === undefined ? {} : { details: info.details }),
    });
  }
}

const systemCodes: Partial<Record<string, ErrorCode>> = {
  ENOSPC: 'storage.disk-full',
  EDQUOT: 'storage.disk-full',
  EROFS: 'storage.read-only',
  EFBIG: 'storage.disk-full',
  EACCES: 'storage.io',
  EPERM: 'storage.io',
  EIO: 'storage.io',
  EMFILE: 'storage.io',
  ENFILE: 'storage.io',
  ESTALE: 'storage.io',
  ENODEV: 'storage.io',
  ENXIO: 'storage.io',
  EADDRINUSE: 'service.port-in-use',
  ECONNRESET: 'connection.lost',
  EPIPE: 'connection.lost',
  ETIMEDOUT: 'connection.lost',
  ECONNREFUSED: 'connection.lost',
  ECONNABORTED: 'connection.lost',
  EHOSTUNREACH: 'connection.lost',
  ENETUNREACH: 'connection.lost',
  ENETDOWN: 'connection.lost',
  ENOTFOUND: 'connection.lost',
  EAI_AGAIN: 'connection.lost',
};

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); extended ones carry them in their low byte. */
const sqliteCodes: Partial<Record<number, ErrorCode>> = {
  5: 'storage.io',
  6: 'storage.io',
  8: 'storage.read-only',
  10: 'storage.io',
  11: 'storage.damaged',
  13: 'storage.disk-full',
  14: 'storage.io',
  26: 'storage.damaged',
};

function codeOfSystemError(error: Error): ErrorCode | undefined {
  if (!('code' in error) || typeof error.code !== 'string') return undefined;
  if (error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error && typeof error.errcode === 'number') {
    return sqliteCodes[error.errcode & 0xff];
  }
  return systemCodes[error.code];
}

/** Whether the operating system reported the error, for a file or a socket. Such an error has a readable reason, whatever its number. */
function isSystemError(error: Error): boolean {
  return 'errno' in error && 'syscall' in error && 'code' in error;
}

/**
 * Turns any thrown value into a FarkeepError. System errors keep their meaning; other values become `fallback`. A system error never
 * becomes `call.internal`, because a missing disk or permission is not a defect of the program.
 */
export function toFarkeepError(thrown: unknown, fallback: ErrorCode = 'call.internal'): FarkeepError {
  if (thrown instanceof FarkeepError) return thrown;
  if (thrown instanceof Error) {
    if (thrown.name === 'AbortError') return new FarkeepError('call.canceled', undefined, { cause: thrown });
    const code = codeOfSystemError(thrown);
    const otherwise = fallback === 'call.internal' && isSystemError(thrown) ? 'storage.io' : fallback;
    return new FarkeepError(code ?? otherwise, describe(thrown), { cause: thrown });
  }
  return new FarkeepError(fallback, String(thrown));
}

/** Adds the path, which Node.js leaves out of some messages. */
function describe(error: Error): string {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : '';
  return path === '' || error.message.includes(path) ? error.message : `${path}: ${error.message}`;
}
