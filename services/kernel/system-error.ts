// Owns reading the code of an error of the operating system (`ENOENT`). What the code means for people is decided by farkeep-error.ts.

/** @returns code such as "ENOENT" or "ERR_TLS_...", undefined when the error has none */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Nothing has this name. */
export function isMissing(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOENT';
}

/** Something has this name already. */
export function isTaken(error: unknown): boolean {
  return systemErrorCode(error) === 'EEXIST';
}

/** A part of the path is no folder. */
export function isNotFolder(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOTDIR';
}

/** The account may not do this. */
export function isDenied(error: unknown): boolean {
  return isNotPermitted(error) || systemErrorCode(error) === 'EACCES';
}

/** The account lacks a right for this call, whatever the permissions of the file say. */
export function isNotPermitted(error: unknown): boolean {
  return systemErrorCode(error) === 'EPERM';
}

/** The operating system or the file system does not know this call or this flag. */
export function isInvalid(error: unknown): boolean {
  return systemErrorCode(error) === 'EINVAL';
}
