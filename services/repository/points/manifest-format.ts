// Owns the bytes of a manifest (docs/repository-format.md, section 4): the encoding of entries as records. No I/O.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { blockIdBytes, blockBounds } from '../../blocks/block.ts';
import {
  maxContentReferencesPerItem,
  maxPathBytes,
  whyNotName,
  type ContentReference,
  type EntryOwner,
  type ExtendedAttribute,
  type ManifestItem,
  type TreeEntry,
} from './tree-entry.ts';

export const manifestMagic = 0x464b4d46; // "FKMF"
export const manifestVersion = 1;
export const maxManifestBlockBytes = 2 * 1024 * 1024;
/** Limit of unpacked manifest bytes for each stored byte. If a piece would shrink by more, a writer must store it raw. */
export const maxManifestRatio = 64;
export const maxRecordBytes = 512 * 1024;
export const maxExtendedAttributeBytes = 64 * 1024;

export const recordTypes = {
  folder: 1,
  file: 2,
  symlink: 3,
  hardlink: 4,
  special: 5,
  content: 16,
  fileEnd: 17,
  end: 31,
} as const;
export const specials = ['fifo', 'socket', 'character-device', 'block-device'] as const;
export const flags = { changed: 1, unreadable: 2, continued: 4 } as const;

export function damagedManifest(reason: string): FarkeepError {
  return new FarkeepError('storage.damaged', `Manifest: ${reason}`);
}

/** A growing output buffer; writes numbers as LEB128. */
export class RecordWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(roomBytes = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafe(roomBytes);
  }

  get length(): number {
    return this.#length;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** Unsigned, up to 2^53 - 1. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be written`);
    this.#room(8);
    while (value >= 0x80) {
      this.#bytes[this.#length] = (value % 0x80) | 0x80;
      this.#length += 1;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  sized(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.raw(bytes);
  }

  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Returns a copy of the written bytes, and starts an empty output. */
  take(): Buffer {
    const taken = Buffer.from(this.view());
    this.#length = 0;
    return taken;
  }

  reset(): void {
    this.#length = 0;
  }
}

export class RecordReader {
  readonly bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    const value = this.#at < this.#end ? this.bytes[this.#at] : undefined;
    if (value === undefined) throw damagedManifest('it is cut');
    this.#at += 1;
    return value;
  }

  number(max = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > max || !Number.isSafeInteger(value))
          throw damagedManifest(`a number of ${value} is more than ${max}`);
        return value;
      }
      factor *= 0x80;
    }
    throw damagedManifest('a number is too long');
  }

  /** Returns a view of the next bytes, not a copy. */
  raw(length: number): Buffer {
    if (length > this.#end - this.#at) throw damagedManifest('it is cut');
    const bytes = this.bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  sized(max: number): Buffer {
    return this.raw(this.number(max));
  }

  /** Returns a separate reader for the next bytes. */
  part(length: number): RecordReader {
    const start = this.#at;
    this.skip(length);
    return new RecordReader(this.bytes, start, this.#at);
  }

  skip(length: number): void {
    if (length > this.#end - this.#at) throw damagedManifest('it is cut');
    this.#at += length;
  }

  skipSized(max: number): void {
    this.skip(this.number(max));
  }
}

/** Joins adjacent holes. The content stays the same, and fewer holes cost the reader less time. */
function joinHoles(content: readonly ContentReference[]): readonly ContentReference[] {
  if (!content.some(({ id }, index) => id === null && content[index - 1]?.id === null)) return content;
  const joined: ContentReference[] = [];
  for (const reference of content) {
    const last = joined.at(-1);
    if (reference.id === null && last?.id === null)
      joined[joined.length - 1] = { id: null, lengthBytes: last.lengthBytes + reference.lengthBytes };
    else joined.push(reference);
  }
  return joined;
}

function writeContent(output: RecordWriter, given: readonly ContentReference[]): void {
  const content = joinHoles(given);
  if (content.length > maxContentReferencesPerItem)
    throw new RangeError(`${content.length} references do not fit one record`);
  output.number(content.length);
  for (const { id, lengthBytes } of content) {
    output.byte(id === null ? 0 : 1);
    output.number(lengthBytes);
    if (id !== null) output.raw(id);
  }
}

function readContent(input: RecordReader): ContentReference[] {
  const count = input.number(maxContentReferencesPerItem);
  const content: ContentReference[] = [];
  let holeBytes = 0;
  for (let index = 0; index < count; index += 1) {
    const kind = input.byte();
    if (kind > 1) throw damagedManifest('a piece of content is of an unknown kind');
    const lengthBytes = input.number(kind === 0 ? Number.MAX_SAFE_INTEGER : blockBounds.repository.content);
    if (lengthBytes === 0) throw damagedManifest('a piece of content is empty');
    if (kind === 0) {
      holeBytes += lengthBytes;
      continue;
    }
    if (holeBytes > 0) content.push({ id: null, lengthBytes: holeBytes });
    holeBytes = 0;
    content.push({ id: Buffer.from(input.raw(blockIdBytes)), lengthBytes });
  }
  if (holeBytes > 0) content.push({ id: null, lengthBytes: holeBytes });
  return content;
}

/** Encoded owners. Most entries have the same owner object as the previous entry. */
const ownerBytes = new WeakMap<EntryOwner, Buffer>();

function writeOwner(output: RecordWriter, owner: EntryOwner): void {
  let bytes = ownerBytes.get(owner);
  if (bytes === undefined) {
    const own = new RecordWriter(1024);
    own.number(owner.uid);
    own.number(owner.gid);
    own.sized(Buffer.from(owner.userName, 'utf8').subarray(0, 256));
    own.sized(Buffer.from(owner.groupName, 'utf8').subarray(0, 256));
    bytes = own.take();
    ownerBytes.set(owner, bytes);
  }
  output.raw(bytes);
}

export const maxOwnerId = 0xffff_ffff;

function readOwner(input: RecordReader): EntryOwner {
  return {
    uid: input.number(maxOwnerId),
    gid: input.number(maxOwnerId),
    userName: input.sized(256).toString('utf8'),
    groupName: input.sized(256).toString('utf8'),
  };
}

const nanosPerSecond = 1_000_000_000n;
/** Limit of a time in seconds: 34,000 years, more than any file system supports. */
export const maxSeconds = 2 ** 40;
const maxTimeNs = BigInt(maxSeconds) * nanosPerSecond;
export const maxExtendedAttributes = 1024;

function writeTime(output: RecordWriter, timeNs: bigint): void {
  let seconds = timeNs / nanosPerSecond;
  let nanos = timeNs % nanosPerSecond;
  if (nanos < 0n) {
    seconds -= 1n;
    nanos += nanosPerSecond;
  }
  output.byte(seconds < 0n ? 1 : 0);
  output.number(Number(seconds < 0n ? -seconds : seconds));
  output.number(Number(nanos));
}

function readTime(input: RecordReader): bigint {
  const isNegative = input.byte();
  if (isNegative > 1) throw damagedManifest('a time is malformed');
  const seconds = BigInt(input.number(maxSeconds));
  const nanos = BigInt(input.number(999_999_999));
  return (isNegative === 1 ? -seconds : seconds) * nanosPerSecond + nanos;
}

function writeAttributes(output: RecordWriter, attributes: readonly ExtendedAttribute[]): void {
  output.number(attributes.length);
  for (const { name, value } of attributes) {
    output.sized(name);
    output.sized(value);
  }
}

function readAttributes(input: RecordReader): ExtendedAttribute[] {
  const attributes: ExtendedAttribute[] = [];
  for (let left = input.number(maxExtendedAttributes); left > 0; left -= 1) {
    attributes.push({
      name: Buffer.from(input.sized(256)),
      value: Buffer.from(input.sized(maxExtendedAttributeBytes)),
    });
  }
  return attributes;
}

/** Refuses values that `readEntry` would refuse. */
function checkBounds({ mode, owner, mtimeNs, extendedAttributes }: TreeEntry): void {
  if (mode > 0o7777) throw damagedManifest(`the mode ${mode.toString(8)} is more than permission bits`);
  if (owner.uid > maxOwnerId || owner.gid > maxOwnerId) throw damagedManifest('an owner has more than 32 bits');
  if (mtimeNs >= maxTimeNs || mtimeNs <= -maxTimeNs) throw damagedManifest('a time is out of bounds');
  if (extendedAttributes.length > maxExtendedAttributes) throw damagedManifest('an entry has too many attributes');
  for (const { name, value } of extendedAttributes) {
    if (name.length > 256 || value.length > maxExtendedAttributeBytes)
      throw damagedManifest('an attribute is too long');
  }
}

/**
 * Writes the body of an entry's record. Only the last part of the path is written. `depth` (0 for the top folder) identifies the parent.
 */
export function writeEntry(output: RecordWriter, entry: TreeEntry, depth: number, name: Buffer): void {
  checkBounds(entry);
  output.number(depth);
  output.sized(name);
  output.number(entry.mode);
  writeOwner(output, entry.owner);
  writeTime(output, entry.mtimeNs);
  const isContinued = entry.kind === 'file' && entry.isContinued;
  output.byte(
    (entry.isChangedWhileRead ? flags.changed : 0) |
      (entry.isUnreadable ? flags.unreadable : 0) |
      (isContinued ? flags.continued : 0),
  );
  writeAttributes(output, entry.extendedAttributes);
  switch (entry.kind) {
    case 'file':
      output.number(entry.sizeBytes);
      writeContent(output, entry.content);
      break;
    case 'symlink':
    case 'hardlink':
      output.sized(entry.target);
      break;
    case 'special':
      output.byte(specials.indexOf(entry.special));
      output.number(entry.deviceMajor);
      output.number(entry.deviceMinor);
      break;
    case 'folder':
      break;
  }
}

/** A first limit of the depth, before memory is used. The limit of the tree is lower. */
export const maxDepthNumber = 1 << 16;

/** @param parentOf takes the depth of an entry and returns the path of its folder; throws if no entry of that depth may come next */
export function readEntry(
  type: number,
  input: RecordReader,
  parentOf: (depth: number) => Buffer,
): { entry: TreeEntry; depth: number } {
  const depth = input.number(maxDepthNumber);
  const name = input.sized(maxPathBytes);
  let path: Buffer;
  if (depth === 0) {
    if (name.length > 0) throw damagedManifest('the top folder has a name');
    path = Buffer.alloc(0);
  } else {
    const reason = whyNotName(name);
    if (reason !== undefined) throw damagedManifest(reason);
    const parent = parentOf(depth);
    path = parent.length === 0 ? Buffer.from(name) : Buffer.concat([parent, slash, name]);
    if (path.length > maxPathBytes) throw damagedManifest('a path is too long');
  }
  const mode = input.number(0o7777);
  const owner = readOwner(input);
  const mtimeNs = readTime(input);
  const flag = input.byte();
  if (flag > 7) throw damagedManifest('an entry has unknown flags');
  const base = {
    path,
    mode,
    owner,
    mtimeNs,
    isChangedWhileRead: (flag & flags.changed) !== 0,
    isUnreadable: (flag & flags.unreadable) !== 0,
    extendedAttributes: readAttributes(input),
  };
  const isContinued = (flag & flags.continued) !== 0;
  if (isContinued && type !== recordTypes.file) throw damagedManifest('only a file can be continued');
  switch (type) {
    case recordTypes.folder:
      return { depth, entry: { ...base, kind: 'folder' } };
    case recordTypes.file:
      return {
        depth,
        entry: { ...base, kind: 'file', sizeBytes: input.number(), content: readContent(input), isContinued },
      };
    case recordTypes.symlink:
      return { depth, entry: { ...base, kind: 'symlink', target: Buffer.from(input.sized(maxPathBytes)) } };
    case recordTypes.hardlink:
      return { depth, entry: { ...base, kind: 'hardlink', target: Buffer.from(input.sized(maxPathBytes)) } };
    case recordTypes.special: {
      const special = specials[input.byte()];
      if (special === undefined) throw damagedManifest('a special file is of an unknown kind');
      return {
        depth,
        entry: {
          ...base,
          kind: 'special',
          special,
          deviceMajor: input.number(maxOwnerId),
          deviceMinor: input.number(maxOwnerId),
        },
      };
    }
    default:
      throw damagedManifest(`a record has the unknown type ${type}`);
  }
}

const slash = Buffer.from('/');

export function writeContentItem(output: RecordWriter, content: readonly ContentReference[]): void {
  writeContent(output, content);
}

export function readContentItem(input: RecordReader): ManifestItem {
  return { type: 'content', content: readContent(input) };
}

export function writeFileEnd(output: RecordWriter, end: Extract<ManifestItem, { type: 'file-end' }>): void {
  output.number(end.sizeBytes);
  output.byte((end.isChangedWhileRead ? flags.changed : 0) | (end.isUnreadable ? flags.unreadable : 0));
}

export function readFileEnd(input: RecordReader): Extract<ManifestItem, { type: 'file-end' }> {
  const sizeBytes = input.number();
  const flag = input.byte();
  if (flag > 3) throw damagedManifest('the end of a file has unknown flags');
  return {
    type: 'file-end',
    sizeBytes,
    isChangedWhileRead: (flag & flags.changed) !== 0,
    isUnreadable: (flag & flags.unreadable) !== 0,
  };
}
