// Owns reading the code of an operating system error (`ENOENT`). farkeep-error.ts decides what the code means for people.

/** @returns code such as "ENOENT" or "ERR_TLS_...", undefined when the error has none */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** No entry has this name. */
export function isMissing(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOENT';
}

/** The name exists already. */
export function isTaken(error: unknown): boolean {
  return systemErrorCode(error) === 'EEXIST';
}

/** A part of the path is not a folder. */
export function isNotFolder(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOTDIR';
}

/** The account may not do this. */
export function isDenied(error: unknown): boolean {
  return isNotPermitted(error) || systemErrorCode(error) === 'EACCES';
}

/** The account lacks a right for this call; the permissions of the file do not matter. */
export function isNotPermitted(error: unknown): boolean {
  return systemErrorCode(error) === 'EPERM';
}

/** The operating system or the file system does not support this call or this flag. */
export function isInvalid(error: unknown): boolean {
  return systemErrorCode(error) === 'EINVAL';
}
