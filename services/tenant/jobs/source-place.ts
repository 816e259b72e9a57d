// Owns finding the mount point of each source of a job. An unmounted disk leaves an empty folder, and a backup of that folder would succeed
// without data. Never throws, and never waits for a file system that does not answer.
import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { valueWithin } from '../../kernel/deadline.ts';

/** A call on a lost network share can block for minutes. */
const limitMs = 3_000;

export interface SourcePlace {
  readonly path: string;
  /** Folder where the source's file system is mounted; null when it is unknown. */
  readonly mountPoint: string | null;
}

export async function placesOf(sourcePaths: readonly string[]): Promise<SourcePlace[]> {
  return Promise.all(
    sourcePaths.map(async (source) => ({
      path: source,
      mountPoint: (await valueWithin(findMountPoint(source), limitMs)) ?? null,
    })),
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
    // The source is missing or unreadable; the data mover reports this.
    return null;
  }
}
