// Owns encoding items into manifest blocks, and decoding them. The encoder and the decoder need memory for one block only, for any number
// of entries. A checksum of the records decides where a block ends. So an unchanged part of a tree gives unchanged blocks. Each block
// begins with the path at which the block continues the tree. So one folder can be found without reading all blocks.
import { crc32 } from 'node:zlib';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import {
  RecordReader,
  RecordWriter,
  damagedManifest,
  manifestMagic,
  manifestVersion,
  maxManifestBlockBytes,
  maxRecordBytes,
  readContentItem,
  readEntry,
  readFileEnd,
  recordTypes,
  writeContentItem,
  writeEntry,
  writeFileEnd,
} from './manifest-format.ts';
import type { PointTotals } from './point-root-fields.ts';
import {
  maxContentReferencesPerItem,
  maxPathBytes,
  whyNotName,
  type ContentReference,
  type ManifestItem,
  type TreeEntry,
} from './tree-entry.ts';
import { contextFlags, joinPath, slashByte, splitPath, TreePosition } from './tree-position.ts';

const minCutBytes = 128 * 1024;
const maxCutBytes = 1024 * 1024;
/** After the minimum size, on average one record in 2,048 ends a block. */
const cutMask = 0x7ff;
/**
 * Encodes items. `add` and `finish` return the contents of the blocks that became complete (0.1 to 1 MiB each), in order. The caller stores
 * each content as a block, and keeps the list of identifiers for the root.
 */
export class ManifestEncoder {
  readonly #output = new RecordWriter();
  readonly #record = new RecordWriter();
  readonly #position = new TreePosition();
  /** Depth and folder of the previous entry; undefined if that folder is the top. */
  #before: { readonly depth: number; readonly parent: Buffer } | undefined;
  #entries = 0;
  #isBlockOpen = false;
  #isFinished = false;
  #totals: PointTotals = {
    sourceBytes: 0,
    contentBytes: 0,
    files: 0,
    folders: 0,
    symlinks: 0,
    hardLinks: 0,
    specials: 0,
    blocks: 0,
    warnings: 0,
  };

  /** Totals of all added items, for the root. */
  get totals(): PointTotals {
    return { ...this.#totals };
  }

  /** Throws call.invalid when the item breaks a rule of the format (order, names, sizes). The encoder cannot be used after an error. */
  add(item: ManifestItem): Buffer[] {
    try {
      if (this.#isFinished) throw damagedManifest('it is finished');
      switch (item.type) {
        case 'entry':
          return this.#addEntry(item.entry);
        case 'content':
          return this.#addContent(item.content);
        case 'file-end':
          return this.#addFileEnd(item);
      }
    } catch (error) {
      if (error instanceof RangeError || (error instanceof FarkeepError && error.code === 'storage.damaged'))
        throw new FarkeepError('call.invalid', error.message, { cause: error });
      throw error;
    }
  }

  #addEntry(entry: TreeEntry): Buffer[] {
    const { depth, name } = this.#placeOf(entry.path);
    this.#count(entry);
    if (entry.kind === 'file' && entry.content.length > maxContentReferencesPerItem) {
      if (entry.isContinued) throw damagedManifest('a continued file begins with too much content');
      return this.#addLongFile(entry, depth, name);
    }
    return this.#addEntryRecord(entry, depth, name);
  }

  #placeOf(path: Buffer): { readonly depth: number; readonly name: Buffer } {
    const before = this.#before;
    // Most entries are in the same folder as the previous entry. Then only the name must be checked.
    if (before !== undefined && isChildPath(path, before.parent)) {
      const name = path.subarray(before.parent.length + 1);
      const reason = whyNotName(name);
      if (reason !== undefined || path.length > maxPathBytes) throw damagedManifest(reason ?? 'a path is too long');
      return { depth: before.depth, name };
    }
    const names = splitPath(path);
    const depth = names.length;
    const parent = this.#position.parentOf(depth);
    if (depth > 0 && !parent.equals(joinPath(names.slice(0, -1))))
      throw damagedManifest('an entry does not follow its folder');
    this.#before = depth > 1 ? { depth, parent } : undefined;
    return { depth, name: names.at(-1) ?? Buffer.alloc(0) };
  }

  #addEntryRecord(entry: TreeEntry, depth: number, name: Buffer): Buffer[] {
    return this.#write(recordTypes[entry.kind], (output) => {
      this.#position.enter(depth, Buffer.from(name), entry);
      this.#entries += 1;
      writeEntry(output, entry, depth, name);
    });
  }

  #addLongFile(entry: Extract<TreeEntry, { kind: 'file' }>, depth: number, name: Buffer): Buffer[] {
    const blocks = this.#addEntryRecord(
      { ...entry, content: entry.content.slice(0, maxContentReferencesPerItem), isContinued: true },
      depth,
      name,
    );
    const rest = entry.content.slice(maxContentReferencesPerItem);
    for (let start = 0; start < rest.length; start += maxContentReferencesPerItem) {
      blocks.push(...this.#addContentRecord(rest.slice(start, start + maxContentReferencesPerItem)));
    }
    const { sizeBytes, isChangedWhileRead, isUnreadable } = entry;
    blocks.push(...this.#addFileEndRecord({ type: 'file-end', sizeBytes, isChangedWhileRead, isUnreadable }));
    return blocks;
  }

  #addContent(content: readonly ContentReference[]): Buffer[] {
    this.#countContent(content);
    const blocks: Buffer[] = [];
    for (let start = 0; start < content.length; start += maxContentReferencesPerItem) {
      blocks.push(...this.#addContentRecord(content.slice(start, start + maxContentReferencesPerItem)));
    }
    return blocks;
  }

  #addContentRecord(content: readonly ContentReference[]): Buffer[] {
    return this.#write(recordTypes.content, (output) => {
      this.#position.content(content);
      writeContentItem(output, content);
    });
  }

  #addFileEnd(end: Extract<ManifestItem, { type: 'file-end' }>): Buffer[] {
    this.#totals.sourceBytes += end.sizeBytes;
    if (end.isChangedWhileRead || end.isUnreadable) this.#totals.warnings += 1;
    return this.#addFileEndRecord(end);
  }

  #addFileEndRecord(end: Extract<ManifestItem, { type: 'file-end' }>): Buffer[] {
    return this.#write(recordTypes.fileEnd, (output) => {
      this.#position.fileEnd(end);
      writeFileEnd(output, end);
    });
  }

  /** Ends the manifest and returns its last block. */
  finish(): Buffer {
    if (this.#isFinished || !this.#position.isStarted || this.#position.isInsideFile)
      throw new FarkeepError('call.invalid', 'The manifest cannot end here');
    this.#isFinished = true;
    this.#openBlock();
    this.#record.reset();
    this.#output.byte(recordTypes.end);
    this.#record.number(this.#entries);
    this.#output.sized(this.#record.take());
    return this.#output.take();
  }

  #openBlock(): void {
    if (this.#isBlockOpen) return;
    this.#isBlockOpen = true;
    const { flags, path } = this.#position.context();
    const head = Buffer.alloc(6);
    head.writeUInt32BE(manifestMagic, 0);
    head.writeUInt8(manifestVersion, 4);
    head.writeUInt8(flags, 5);
    this.#output.raw(head);
    this.#output.sized(path);
  }

  #write(type: number, body: (output: RecordWriter) => void): Buffer[] {
    this.#openBlock();
    this.#record.reset();
    body(this.#record);
    const record = this.#record.view();
    if (record.length > maxRecordBytes) throw damagedManifest(`a record of ${record.length} bytes is too long`);
    this.#output.byte(type);
    this.#output.sized(record);
    const length = this.#output.length;
    const isCut = length >= maxCutBytes || (length >= minCutBytes && (crc32(record) & cutMask) === 0);
    if (!isCut) return [];
    this.#isBlockOpen = false;
    return [this.#output.take()];
  }

  #count(entry: TreeEntry): void {
    const totals = this.#totals;
    switch (entry.kind) {
      case 'file':
        totals.files += 1;
        if (!entry.isContinued) totals.sourceBytes += entry.sizeBytes;
        this.#countContent(entry.content);
        break;
      case 'folder':
        totals.folders += 1;
        break;
      case 'symlink':
        totals.symlinks += 1;
        break;
      case 'hardlink':
        totals.hardLinks += 1;
        break;
      case 'special':
        totals.specials += 1;
        break;
    }
    if (entry.isChangedWhileRead || entry.isUnreadable) totals.warnings += 1;
  }

  #countContent(content: readonly ContentReference[]): void {
    for (const { id, lengthBytes } of content) {
      if (id === null) continue;
      this.#totals.blocks += 1;
      this.#totals.contentBytes += lengthBytes;
    }
  }
}

/** Whether the path is that of a direct child of the folder. */
function isChildPath(path: Buffer, folder: Buffer): boolean {
  return (
    path[folder.length] === slashByte &&
    path.compare(folder, 0, folder.length, 0, folder.length) === 0 &&
    path.indexOf(slashByte, folder.length + 1) === -1
  );
}

/** Returns the path at which a block continues: the path of the entry before the block. */
export function readManifestContext(content: Buffer): { readonly path: Buffer; readonly isFirst: boolean } {
  const { context } = openManifestBlock(content);
  return { path: Buffer.from(context.path), isFirst: (context.flags & contextFlags.first) !== 0 };
}

export function openManifestBlock(content: Buffer): { context: { flags: number; path: Buffer }; input: RecordReader } {
  if (content.length > maxManifestBlockBytes) throw damagedManifest(`a block has ${content.length} bytes`);
  if (content.length < 7 || content.readUInt32BE(0) !== manifestMagic)
    throw damagedManifest('a block is not part of a manifest');
  if (content.readUInt8(4) !== manifestVersion)
    throw damagedManifest(`format version ${content.readUInt8(4)} is not supported by this version`);
  const input = new RecordReader(content, 6);
  return { context: { flags: content.readUInt8(5), path: input.sized(maxPathBytes) }, input };
}

/**
 * Decodes blocks one after the other. Checks all lengths, names, order and sizes: each yielded path is below the top folder and occurs
 * once. Throws storage.damaged.
 */
export class ManifestDecoder {
  #position: TreePosition | undefined;
  #entries = 0;
  #isEnded = false;
  readonly #isWhole: boolean;

  /** @param from "start" decodes a whole manifest; "anywhere" begins with any block, for looking up one folder */
  constructor(from: 'start' | 'anywhere' = 'start') {
    this.#isWhole = from === 'start';
  }

  *decode(content: Buffer): Generator<ManifestItem, void, undefined> {
    const { context, input } = openManifestBlock(content);
    if (this.#isEnded) throw damagedManifest('something follows its end');
    if (this.#position === undefined) {
      this.#position = TreePosition.at(context);
      if (this.#isWhole && (context.flags !== contextFlags.first || context.path.length > 0))
        throw damagedManifest('its first block is missing');
    } else {
      const own = this.#position.context();
      if (own.flags !== context.flags || !own.path.equals(context.path))
        throw damagedManifest('a block does not continue the one before it');
    }
    const position = this.#position;
    let records = 0;
    for (; !input.isAtEnd; records += 1) {
      const type = input.byte();
      const body = input.sized(maxRecordBytes);
      if (this.#isEnded) throw damagedManifest('something follows its end');
      const record = new RecordReader(body);
      switch (type) {
        case recordTypes.content: {
          const item = readContentItem(record);
          if (item.type === 'content') position.content(item.content);
          yield item;
          break;
        }
        case recordTypes.fileEnd: {
          const item = readFileEnd(record);
          // A decoder that began in the middle of a file does not know the length of the earlier content.
          if (this.#isWhole) position.fileEnd(item);
          else position.isInsideFile = false;
          yield item;
          break;
        }
        case recordTypes.end: {
          const entries = record.number();
          if (position.isInsideFile || (this.#isWhole && entries !== this.#entries))
            throw damagedManifest('it ends too early');
          this.#isEnded = true;
          break;
        }
        default: {
          const { entry, depth } = readEntry(type, record, (wanted) => position.parentOf(wanted));
          const slash = entry.path.lastIndexOf(slashByte);
          position.enter(depth, entry.path.subarray(slash + 1), entry);
          this.#entries += 1;
          yield { type: 'entry', entry };
        }
      }
      if (!record.isAtEnd) throw damagedManifest('a record has too many bytes');
    }
    if (records === 0) throw damagedManifest('a block has no record');
  }

  /** Throws storage.damaged when the end of the manifest is missing. */
  finish(): void {
    if (!this.#isEnded) throw damagedManifest('it has no end');
  }
}

/** Decodes a whole manifest from the contents of its blocks, in order. */
export async function* readManifest(
  blocks: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<ManifestItem, void, undefined> {
  const decoder = new ManifestDecoder();
  for await (const content of blocks) yield* decoder.decode(content);
  decoder.finish();
}
