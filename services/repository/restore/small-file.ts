// Owns making one small restored file in one step: content, owner, mode and time, then the final name. The parameters are plain data, so a
// stream worker can make the file. Does not decide where files may be written.
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { applyMetadata, type EntryMetadata, type PresentOwner, type RefusedStep } from './entry-metadata.ts';
import { temporaryName } from './temporary-name.ts';
import { removeQuietly } from './tree-destination.ts';

export interface SmallFile {
  /** Path through the open descriptor of the folder (tree-destination.ts), valid in every thread of this process. */
  readonly folder: Buffer;
  readonly name: Buffer;
  /** If true, the folder is hidden until it is complete, so the file is made under its own name. */
  readonly isHidden: boolean;
  readonly metadata: EntryMetadata;
  readonly isOwnerRestored: boolean;
  /** Owner of new files in this folder; undefined when it has to be looked up. */
  readonly bornOwner: PresentOwner | undefined;
  /**
   * An existing entry is replaced. The new file is synced before the rename. Without this sync, a power cut could leave an empty file in
   * place of the old file.
   */
  readonly isReplacing: boolean;
}

/** Mode of a new file: private until owner and mode are set. */
export const bornMode = 0o600;
const slash = Buffer.from('/');

/**
 * Puts the complete file in its place. @returns the refused steps for owner, mode and time; the file exists despite these
 *
 * @throws the file system's error; no partial file is left behind
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
