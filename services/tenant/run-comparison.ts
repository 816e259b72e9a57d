// Owns the question whether a backup that went through holds what it should: it is compared with the last good run of the same job over the same
// sources. Much less, an empty source or a disk that is not mounted is a warning with both figures; nobody finds that out later, from a restore.
import type { SessionDetail } from '../contracts/models/session.ts';
import { formatBytes } from '../kernel/format-bytes.ts';
import type { SourcePlace } from './source-place.ts';

/** Less than half of what was there is not the work of a day, as a rule. */
const muchLess = 0.5;
/** Below this, bytes come and go with a single file. */
const minComparedBytes = 64 * 1024;

export interface ComparedRun {
  readonly session: Pick<SessionDetail, 'progress' | 'objects'>;
  readonly places: readonly SourcePlace[];
}

export interface Shrinkage {
  readonly message: string;
  /** The source that is concerned; null for the whole job. */
  readonly path: string | null;
}

/** @returns nothing when `now` holds at least about as much as `before` */
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
    'If that is meant, run the job once with --accept-less; else look at the source before older restore points go'
  );
}

function isMuchLess(now: number, before: number, least: number): boolean {
  return before >= least && now < before * muchLess;
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
