// Owns where the sources of a job lie at the moment: below which mount point. A disk that is not mounted leaves its empty folder behind, and a
// backup of that is green without holding anything. Never fails and never waits for a file system that does not answer.
import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';

/** A network share that is gone can keep a call for minutes. */
const limitMs = 3_000;

export interface SourcePlace {
  readonly path: string;
  /** The folder at which its file system is mounted; null when that cannot be told. */
  readonly mountPoint: string | null;
}

export async function placesOf(sourcePaths: readonly string[]): Promise<SourcePlace[]> {
  return Promise.all(
    sourcePaths.map(async (source) => {
      const late = Promise.withResolvers<null>();
      const timer = setTimeout(() => late.resolve(null), limitMs);
      try {
        return { path: source, mountPoint: await Promise.race([findMountPoint(source), late.promise]) };
      } finally {
        clearTimeout(timer);
      }
    }),
  );
}

async function findMountPoint(source: string): Promise<string | null> {
  try {
    let folder = await realpath(source);
    let { dev } = await lstat(folder);
    for (;;) {
      const parent = path.dirname(folder);
      if (parent === folder) return folder;
      const above = await lstat(parent);
      if (above.dev !== dev) return folder;
      ({ dev } = above);
      folder = parent;
    }
  } catch {
    // Missing or not readable: the data mover says so.
    return null;
  }
}
