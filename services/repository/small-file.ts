// Owns making one small restored file in one go: content, owner, mode and time, then its name. Takes plain data, so that the thread that
// has the content can do it; decides nothing about what may be written where.
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { applyMetadata, type EntryMetadata, type PresentOwner, type RefusedStep } from './entry-metadata.ts';
import { temporaryName } from './temporary-name.ts';
import { removeQuietly } from './tree-destination.ts';

export interface SmallFile {
  /** Leads through the open descriptor of the folder (tree-destination.ts), which every thread of this process has. */
  readonly folder: Buffer;
  readonly name: Buffer;
  /** Nobody sees the folder before it is whole: the file is made under its own name. */
  readonly isHidden: boolean;
  readonly metadata: EntryMetadata;
  readonly isOwnerRestored: boolean;
  /** Who owns a new file in that folder; undefined when that has to be looked up. */
  readonly bornOwner: PresentOwner | undefined;
  /** Something stands in its place. It must not be lost for a file that a power cut leaves empty. */
  readonly isReplacing: boolean;
}

/** What a file is made with: until owner and mode are set it is its maker's alone. */
export const bornMode = 0o600;
const slash = Buffer.from('/');

/**
 * Puts the file in its place, whole. Returns what of owner, mode and time was refused; the file is there all the same.
 *
 * @throws what the file system says; nothing is left behind then
 */
export function placeSmallFile(file: SmallFile, content: readonly Uint8Array[]): readonly RefusedStep[] {
  const path = Buffer.concat([file.folder, slash, file.name]);
  const made = file.isHidden ? path : Buffer.concat([file.folder, slash, temporaryName()]);
  const descriptor = openSync(
    made,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    bornMode,
  );
  let refused: readonly RefusedStep[];
  try {
    try {
      for (const part of content) {
        for (let done = 0; done < part.length;) done += writeSync(descriptor, part, done, part.length - done);
      }
      const { bornOwner } = file;
      const present = bornOwner === undefined ? undefined : { ...bornOwner, mode: bornMode, mtimeNs: undefined };
      refused = applyMetadata(descriptor, file.metadata, file.isOwnerRestored, present);
      if (file.isReplacing) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (!file.isHidden) renameSync(made, path);
  } catch (error) {
    removeQuietly(made);
    throw error;
  }
  return refused;
}
