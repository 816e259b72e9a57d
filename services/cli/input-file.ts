// Owns reading the files that options name. Must not wait for a pipe and must not read a whole device or disk image: a wrong path is an
// error.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from './quantities.ts';

/** The largest real revocation lists have some MiB. */
const maxInputBytes = 16 * 1024 * 1024;

/** @throws FarkeepError call.invalid that names file and option */
export function readInputFile(option: string, file: string): Promise<Buffer>;
export function readInputFile(option: string, file: string, encoding: 'utf8'): Promise<string>;
export async function readInputFile(option: string, file: string, encoding?: 'utf8'): Promise<Buffer | string> {
  const absolute = path.resolve(file);
  try {
    const info = await stat(absolute);
    if (!info.isFile()) throw new Error('it is not a file');
    if (info.size > maxInputBytes) throw new Error(`it is larger than ${maxInputBytes / 1024 / 1024} MiB`);
    return await (encoding === undefined ? readFile(absolute) : readFile(absolute, encoding));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`${absolute} cannot be read: ${reason}`, 'Check the path.', option);
  }
}
