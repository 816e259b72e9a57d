// Owns comparing a finished backup with the last good run of the same job and sources. Much less data, an empty source or an unmounted disk
// causes a warning. The warning has the figures of both runs, so that the loss is not found only at a restore.
import type { SessionDetail } from '../../contracts/models/session.ts';
import { formatBytes } from '../../kernel/format-bytes.ts';
import type { SourcePlace } from './source-place.ts';

/** Normal work rarely removes more than half of the data. */
const muchLess = 0.5;
/** Below this size, a single file can change the result. */
const minComparedBytes = 64 * 1024;

export interface ComparedRun {
  readonly session: Pick<SessionDetail, 'progress' | 'objects'>;
  readonly places: readonly SourcePlace[];
}

export interface Shrinkage {
  readonly message: string;
  /** Path of the affected source; null for the whole job. */
  readonly path: string | null;
}

/** @returns an empty list when `now` is not much smaller than `before` */
export function findShrinkage(now: ComparedRun, before: ComparedRun): Shrinkage[] {
  const found: Shrinkage[] = [];
  for (const place of before.places) {
    const mountPoint = now.places.find(({ path }) => path === place.path)?.mountPoint;
    if (place.mountPoint === null || mountPoint === place.mountPoint || isWithin(mountPoint ?? '', place.mountPoint))
      continue;
    found.push({
      path: place.path,
      message:
        `It was on the file system mounted at ${place.mountPoint} in the last good run, and ` +
        `${mountPoint == null ? 'cannot be reached' : `is on that of ${mountPoint}`} now. Mount it and run the job again`,
    });
  }
  for (const { name, processedBytes } of before.session.objects) {
    const bytes = now.session.objects.find((object) => object.name === name)?.processedBytes;
    if (bytes === undefined || found.some(({ path }) => path === name)) continue;
    if (isMuchLess(bytes, processedBytes, bytes === 0 ? 1 : minComparedBytes)) {
      found.push({ path: name, message: describe(formatBytes(bytes), formatBytes(processedBytes)) });
    }
  }
  const { processedFiles, processedBytes } = now.session.progress;
  const base = before.session.progress;
  const hasLessFiles = isMuchLess(processedFiles, base.processedFiles, 1);
  if (found.length === 0 && (hasLessFiles || isMuchLess(processedBytes, base.processedBytes, minComparedBytes))) {
    found.push({
      path: null,
      message: describe(
        `${processedFiles} files, ${formatBytes(processedBytes)}`,
        `${base.processedFiles} files, ${formatBytes(base.processedBytes)}`,
      ),
    });
  }
  return found;
}

function describe(now: string, before: string): string {
  return (
    `Much less than in the last good run: ${now}, before ${before}. ` +
    'If that is right, accept it in one run (console: the option "Accept less data" beside "Run", command line: --accept-less); ' +
    'else check the source before older restore points are deleted'
  );
}

function isMuchLess(now: number, before: number, least: number): boolean {
  return before >= least && now < before * muchLess;
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
