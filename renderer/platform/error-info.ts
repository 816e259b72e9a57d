// Owns the conversion of any thrown value into the shape that error views show. Adds no text except the catalogue's.
import { z } from 'zod';
import { CallError } from '../../services/contracts/client.ts';
import { errorCatalogue } from '../../services/contracts/errors.ts';
import type { ErrorCode, ErrorInfo } from '../../services/contracts/errors.ts';

/** The short sentence shown as an error's title. */
export function errorTitle(code: ErrorCode): string {
  return errorCatalogue[code].title;
}

export function makeErrorInfo(code: ErrorCode, message: string, field?: string): ErrorInfo {
  const { hint, retryable } = errorCatalogue[code];
  return { code, message, hint, retryable, ...(field === undefined ? {} : { field }) };
}

/** Never throws. If an answer does not fit the contract, console and service have different versions. */
export function toErrorInfo(error: unknown): ErrorInfo {
  if (error instanceof CallError) return error.info;
  if (error instanceof z.ZodError) {
    const place = error.issues[0]?.path.join('.') ?? '';
    return makeErrorInfo(
      'call.unknown',
      `The service answered in an unexpected form${place === '' ? '' : ` (${place})`}.`,
    );
  }
  return makeErrorInfo('call.internal', error instanceof Error ? error.message : String(error));
}

export function isCanceled(error: unknown): boolean {
  return error instanceof CallError && error.info.code === 'call.canceled';
}
