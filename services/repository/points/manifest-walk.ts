// Owns the walk through a manifest that lists its blocks and checks its form, for the commit and for verify. It applies the rules of
// ManifestDecoder without building entries. A malicious sender can make a huge manifest, so the walk must be cheap for each byte and walk a
// repeated piece only once (docs/repository-format.md, section 4).
import { blockIdBytes, blockBounds } from '../../blocks/block.ts';
import { openManifestBlock } from './manifest.ts';
import {
  damagedManifest,
  flags,
  maxDepthNumber,
  maxExtendedAttributeBytes,
  maxExtendedAttributes,
  maxOwnerId,
  maxRecordBytes,
  maxSeconds,
  readFileEnd,
  recordTypes,
  specials,
  type RecordReader,
} from './manifest-format.ts';
import { maxContentReferencesPerItem, maxNameBytes, maxPathBytes, whyNotName } from './tree-entry.ts';
import { checkLinkTarget, contextFlags, TreePosition } from './tree-position.ts';

/**
 * Called for each block that the manifest names. The block's identifier begins at `at`. Buffer and position are valid only during the call.
 */
export type OnNamedBlock = (bytes: Buffer, at: number) => void;

/** Limit of remembered pieces of one file: about 10 MiB of memory. A file with more pieces has more than 60 GiB of manifest. */
const maxRemembered = 65_536;
const noName = Buffer.alloc(0);

const kinds = {
  [recordTypes.folder]: 'folder',
  [recordTypes.symlink]: 'symlink',
  [recordTypes.hardlink]: 'hardlink',
  [recordTypes.special]: 'special',
} as const;

export class ManifestWalk {
  readonly #onBlock: OnNamedBlock;
  readonly #position = TreePosition.at({ flags: contextFlags.first, path: noName });
  #isFirst = true;
  #entries = 0;
  #isEnded = false;
  /** Content length of the walked pieces inside the current continued file, by `key`. */
  readonly #inFile = new Map<string, number>();

  constructor(onBlock: OnNamedBlock) {
    this.#onBlock = onBlock;
  }

  /**
   * Returns true if the piece was already walked and may be repeated at the current position. The content of the repeated piece is then
   * counted again. Only a piece that holds nothing but content of one file can be repeated. A repeated piece with an entry would break the
   * order of entries, so each new entry clears the remembered pieces.
   *
   * @param key the piece's identifier
   */
  repeat(key: string): boolean {
    if (!this.#position.isInsideFile) return false;
    const contentBytes = this.#inFile.get(key);
    if (contentBytes === undefined) return false;
    this.#position.addContent(contentBytes);
    return true;
  }

  /** @param key the piece's identifier @throws storage.damaged */
  piece(content: Buffer, key: string): void {
    const { context, input } = openManifestBlock(content);
    const position = this.#position;
    const own = position.context();
    if (own.flags !== context.flags || !own.path.equals(context.path))
      throw damagedManifest(
        this.#isFirst ? 'its first block is missing' : 'a block does not continue the one before it',
      );
    this.#isFirst = false;
    const [entriesBefore, bytesBefore] = [this.#entries, position.fileBytes];
    const beganInside = position.isInsideFile;
    let records = 0;
    for (; !input.isAtEnd; records += 1) {
      const type = input.byte();
      const record = input.part(input.number(maxRecordBytes));
      if (this.#isEnded) throw damagedManifest('something follows its end');
      this.#record(type, record);
      if (!record.isAtEnd) throw damagedManifest('a record has too many bytes');
    }
    if (records === 0) throw damagedManifest('a block has no record');
    position.keepNames();
    const isContentOnly = beganInside && position.isInsideFile && this.#entries === entriesBefore;
    if (!position.isInsideFile || this.#entries !== entriesBefore) this.#inFile.clear();
    else if (isContentOnly && this.#inFile.size < maxRemembered)
      this.#inFile.set(key, position.fileBytes - bytesBefore);
  }

  /** @throws storage.damaged when the manifest is truncated */
  finish(): void {
    if (!this.#isEnded) throw damagedManifest('it has no end');
  }

  #record(type: number, record: RecordReader): void {
    const position = this.#position;
    switch (type) {
      case recordTypes.content:
        position.addContent(this.#content(record));
        return;
      case recordTypes.fileEnd:
        position.fileEnd(readFileEnd(record));
        return;
      case recordTypes.end:
        if (record.number() !== this.#entries || position.isInsideFile) throw damagedManifest('it ends too early');
        this.#isEnded = true;
        return;
      default:
        this.#entry(type, record);
        this.#entries += 1;
    }
  }

  #entry(type: number, record: RecordReader): void {
    const position = this.#position;
    const depth = record.number(maxDepthNumber);
    const name = record.sized(maxPathBytes);
    if (depth === 0) {
      if (name.length > 0) throw damagedManifest('the top folder has a name');
    } else {
      const reason = whyNotName(name);
      if (reason !== undefined) throw damagedManifest(reason);
      position.checkDepth(depth);
      // The path can only be too long at this depth, so shallower paths are not measured.
      if (depth * (maxNameBytes + 1) > maxPathBytes && position.parentOf(depth).length + 1 + name.length > maxPathBytes)
        throw damagedManifest('a path is too long');
    }
    record.number(0o7777);
    record.number(maxOwnerId);
    record.number(maxOwnerId);
    record.skipSized(256);
    record.skipSized(256);
    if (record.byte() > 1) throw damagedManifest('a time is malformed');
    record.number(maxSeconds);
    record.number(999_999_999);
    const flag = record.byte();
    if (flag > 7) throw damagedManifest('an entry has unknown flags');
    for (let left = record.number(maxExtendedAttributes); left > 0; left -= 1) {
      record.skipSized(256);
      record.skipSized(maxExtendedAttributeBytes);
    }
    const isContinued = (flag & flags.continued) !== 0;
    if (type === recordTypes.file) {
      const isUnreadable = (flag & flags.unreadable) !== 0;
      const sizeBytes = record.number();
      const contentBytes = this.#content(record);
      position.place(depth, name, { kind: 'file', sizeBytes, isContinued, isUnreadable }, contentBytes);
      return;
    }
    if (isContinued) throw damagedManifest('only a file can be continued');
    const kind = (kinds as Readonly<Record<number, (typeof kinds)[keyof typeof kinds]>>)[type];
    if (kind === undefined) throw damagedManifest(`a record has the unknown type ${type}`);
    const target = kind === 'symlink' || kind === 'hardlink' ? record.sized(maxPathBytes) : noName;
    if (kind === 'special') {
      if (record.byte() >= specials.length) throw damagedManifest('a special file is of an unknown kind');
      record.number(maxOwnerId);
      record.number(maxOwnerId);
    }
    position.place(depth, name, { kind }, 0);
    if (kind === 'hardlink') checkLinkTarget(target, position.path);
  }

  /** Reports the blocks of a content record. @returns the content's length in bytes */
  #content(record: RecordReader): number {
    let sum = 0;
    for (let left = record.number(maxContentReferencesPerItem); left > 0; left -= 1) {
      const kind = record.byte();
      if (kind > 1) throw damagedManifest('a piece of content is of an unknown kind');
      const lengthBytes = record.number(kind === 0 ? Number.MAX_SAFE_INTEGER : blockBounds.repository.content);
      if (lengthBytes === 0) throw damagedManifest('a piece of content is empty');
      sum += lengthBytes;
      if (kind === 0) continue;
      const at = record.position;
      record.skip(blockIdBytes);
      this.#onBlock(record.bytes, at);
    }
    if (!Number.isSafeInteger(sum)) throw damagedManifest('a file is larger than the format allows');
    return sum;
  }
}
