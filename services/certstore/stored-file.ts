// Owns the common parts of reading a file of the store: errors for damage and missing rights that name the file and the account.
import { type z } from 'zod';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { isDenied } from '../kernel/system-error.ts';
import type { AccessControl } from './access-control.ts';

/** @throws FarkeepError 'storage.damaged' that names the file */
export function parseJsonFile<T>(schema: z.ZodType<T>, text: string, file: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new FarkeepError('storage.damaged', `${file} is damaged`, { cause: error });
  }
}

/** The error for a failed read: missing rights become an error that names account and file, any other error is returned unchanged. */
export async function unreadable(error: unknown, file: string, access: AccessControl): Promise<unknown> {
  if (!isDenied(error)) return error;
  const account = await access.currentAccount();
  return new FarkeepError('certificate.key-unreadable', `The account "${account}" cannot read ${file}`, {
    hint: `Give the account "${account}" the right to read ${file}.`,
    details: { account, file },
    cause: error,
  });
}
