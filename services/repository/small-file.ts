// Owns making one small restored file in one go: written under another name, owner, mode and times set, then renamed into its place.
// Takes plain data, so that the thread that has the content can do it; decides nothing about what may be written where.
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { applyToDescriptor, removeQuietly, type EntryMetadata } from './tree-destination.ts';

export interface SmallFile {
  /** Both lead through the open descriptor of their folder (tree-destination.ts), which every thread of this process has. */
  readonly temporaryPath: Buffer;
  readonly path: Buffer;
  readonly metadata: EntryMetadata;
  readonly isOwnerRestored: boolean;
  /** Something stands in its place. It must not be lost for a file that a power cut leaves empty. */
  readonly isReplacing: boolean;
}

/**
 * Puts the file in its place, whole. Returns why owner, mode or times could not be set, if so; the file is there all the same.
 *
 * @throws what the file system says; nothing is left behind then
 */
export function placeSmallFile(file: SmallFile, content: readonly Uint8Array[]): unknown {
  const descriptor = openSync(
    file.temporaryPath,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  let metadataError: unknown;
  try {
    try {
      for (const part of content) {
        for (let done = 0; done < part.length;) done += writeSync(descriptor, part, done, part.length - done);
      }
      try {
        applyToDescriptor(descriptor, file.metadata, file.isOwnerRestored);
      } catch (error) {
        metadataError = error;
      }
      if (file.isReplacing) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(file.temporaryPath, file.path);
  } catch (error) {
    removeQuietly(file.temporaryPath);
    throw error;
  }
  return metadataError;
}
