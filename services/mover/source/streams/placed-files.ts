// Owns packing small files on their way to a stream worker: one buffer for many, because one object for each costs more than making the
// file.
import type { SmallFile } from '../../../repository/restore/small-file.ts';

/** A file of one block, which is made as soon as the block arrives. */
export interface PlacedFile {
  /** Identifies the file in the answer. */
  readonly index: number;
  /** Position of its block among the requested identifiers. */
  readonly position: number;
  /** Length according to the restore point. */
  readonly lengthBytes: number;
  readonly file: SmallFile;
}

const fixedBytes = 45;
const flags = { hidden: 1, ownerRestored: 2, replacing: 4, bornOwner: 8 } as const;

export function packPlacedFiles(files: readonly PlacedFile[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const { file } of files) length += fixedBytes + file.folder.length + file.name.length;
  const packed = Buffer.from(new ArrayBuffer(length));
  let at = 0;
  for (const { index, position, lengthBytes, file } of files) {
    const { folder, name, metadata, bornOwner } = file;
    at = packed.writeUInt32LE(index, at);
    at = packed.writeUInt32LE(position, at);
    at = packed.writeUInt32LE(lengthBytes, at);
    at = packed.writeUInt32LE(metadata.mode, at);
    at = packed.writeUInt32LE(metadata.owner.uid, at);
    at = packed.writeUInt32LE(metadata.owner.gid, at);
    at = packed.writeBigInt64LE(metadata.mtimeNs, at);
    at = packed.writeUInt32LE(bornOwner?.uid ?? 0, at);
    at = packed.writeUInt32LE(bornOwner?.gid ?? 0, at);
    at = packed.writeUInt8(
      (file.isHidden ? flags.hidden : 0) |
        (file.isOwnerRestored ? flags.ownerRestored : 0) |
        (file.isReplacing ? flags.replacing : 0) |
        (bornOwner === undefined ? 0 : flags.bornOwner),
      at,
    );
    at = packed.writeUInt32LE(folder.length | (name.length << 16), at);
    at += folder.copy(packed, at);
    at += name.copy(packed, at);
  }
  return packed;
}

/** Unpacks the files. The unpacked files share the memory of `packed`. */
export function unpackPlacedFiles(packed: Buffer): PlacedFile[] {
  const files: PlacedFile[] = [];
  for (let at = 0; at < packed.length;) {
    const lengths = packed.readUInt32LE(at + fixedBytes - 4);
    const folderStart = at + fixedBytes;
    const nameStart = folderStart + (lengths & 0xffff);
    const end = nameStart + (lengths >>> 16);
    const bits = packed.readUInt8(at + 40);
    files.push({
      index: packed.readUInt32LE(at),
      position: packed.readUInt32LE(at + 4),
      lengthBytes: packed.readUInt32LE(at + 8),
      file: {
        folder: packed.subarray(folderStart, nameStart),
        name: packed.subarray(nameStart, end),
        isHidden: (bits & flags.hidden) !== 0,
        metadata: {
          mode: packed.readUInt32LE(at + 12),
          owner: { uid: packed.readUInt32LE(at + 16), gid: packed.readUInt32LE(at + 20) },
          mtimeNs: packed.readBigInt64LE(at + 24),
        },
        isOwnerRestored: (bits & flags.ownerRestored) !== 0,
        bornOwner:
          (bits & flags.bornOwner) === 0
            ? undefined
            : { uid: packed.readUInt32LE(at + 32), gid: packed.readUInt32LE(at + 36) },
        isReplacing: (bits & flags.replacing) !== 0,
      },
    });
    at = end;
  }
  return files;
}
