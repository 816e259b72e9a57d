// Owns the look at a path that a job shall back up: whether it exists, what it is, and whether the service can read it. Never waits for a file
// system that does not answer.
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CheckedSource } from '../../contracts/models/tenant.ts';
import { valueWithin } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

/** A call on a lost network share can block for minutes. */
const limitMs = 5_000;

/** Never rejects. */
export async function checkSource(source: string): Promise<CheckedSource> {
  if (!path.isAbsolute(source)) return { path: source, kind: null, isReadable: false, problem: 'not-absolute' };
  const seen = await valueWithin(look(source), limitMs);
  return seen ?? { path: source, kind: null, isReadable: false, problem: 'no-answer' };
}

/**
 * An unreadable source is no reason to refuse a job: the session reports it.
 * @throws call.invalid, source.missing, source.empty-path for the first path that a job cannot have
 */
export async function refuseUnusable(sourcePaths: readonly string[]): Promise<void> {
  const checked = await Promise.all(sourcePaths.map(checkSource));
  for (const { path: source, problem } of checked) {
    const field = { field: 'sourcePaths' };
    if (problem === 'not-absolute')
      throw new FarkeepError('call.invalid', `"${source}" is not an absolute path`, field);
    if (problem === 'not-folder-or-file')
      throw new FarkeepError('source.empty-path', `${source} is neither a folder nor a file`, field);
    if (problem === 'missing' || problem === 'no-answer')
      throw new FarkeepError('source.missing', `${source} does not exist or cannot be reached`, field);
  }
}

async function look(source: string): Promise<CheckedSource> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) return { path: source, kind: null, isReadable: false, problem: 'missing' };
  const kind = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
  if (kind === 'other') return { path: source, kind, isReadable: false, problem: 'not-folder-or-file' };
  const mode = kind === 'folder' ? constants.R_OK | constants.X_OK : constants.R_OK;
  const isReadable = await access(source, mode).then(
    () => true,
    () => false,
  );
  return { path: source, kind, isReadable, problem: isReadable ? null : 'unreadable' };
}
