// Owns reading the code of an operating system error (`ENOENT`). farkeep-error.ts decides what the code means for people.

/** @returns code such as "ENOENT" or "ERR_TLS_...", undefined when the error has none */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the system reported that no entry has the name. */
export function isMissing(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOENT';
}

/** Whether the system reported that the name already exists. */
export function isTaken(error: unknown): boolean {
  return systemErrorCode(error) === 'EEXIST';
}

/** A part of the path is not a folder. */
export function isNotFolder(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOTDIR';
}

/** Whether the system reported that the account may not do the operation. */
export function isDenied(error: unknown): boolean {
  return isNotPermitted(error) || systemErrorCode(error) === 'EACCES';
}

/** Whether the account lacks a right for the call, whatever the permissions of the file are. */
export function isNotPermitted(error: unknown): boolean {
  return systemErrorCode(error) === 'EPERM';
}

/** Whether the operating system or the file system does not support the call or one of its flags. */
export function isInvalid(error: unknown): boolean {
  return systemErrorCode(error) === 'EINVAL';
}
