// Owns the bytes of manifests and roots, both ways (docs/repository-format.md, sections 4 and 5), with every rule that a reader checks.
// Part of the second implementation: written from docs/ alone, uses node: modules only.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type EntryKind = 'folder' | 'file' | 'symlink' | 'hardlink' | 'special';
const kinds: Readonly<Record<EntryKind, number>> = { folder: 1, file: 2, symlink: 3, hardlink: 4, special: 5 };

/** A piece of a file: a block, or a hole without an identifier. */
export interface Content {
  readonly id?: Buffer;
  readonly length: number;
}

export interface Entry {
  readonly kind: EntryKind;
  /** Names from the top folder on, each as latin1 text of its bytes; empty for the top folder itself. */
  readonly path: readonly string[];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Symlink: its text. Hard link: the path of the file, from the top folder. Both as latin1 text of the bytes. */
  readonly target: string;
  readonly content: readonly Content[];
  readonly sizeBytes: number;
  readonly isUnreadable: boolean;
  /** Pipe, socket, character device, block device. */
  readonly special?: { readonly kind: number; readonly major: number; readonly minor: number };
}

const maxContentPieces = 1024;
const billion = 1_000_000_000n;

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const sized = (bytes: Buffer): Buffer => Buffer.concat([varint(bytes.length), bytes]);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function contentOf(content: readonly Content[]): Buffer {
  const pieces = content.flatMap(({ id, length }) =>
    id === undefined ? [Buffer.of(0), varint(length)] : [Buffer.of(1), varint(length), id],
  );
  return Buffer.concat([varint(content.length), ...pieces]);
}

/** Builds the pieces of a manifest from entries in their order (see `inOrder`). */
export class ManifestWriter {
  readonly #pieces: Buffer[] = [];
  readonly #pieceBytes: number;
  readonly #recordPieces: number;
  #parts: Buffer[] = [];
  #length = 0;
  #entries = 0;
  #last: { path: readonly string[]; isFolder: boolean } | undefined;

  /** @param pieceBytes size at which a piece ends. Readers accept every value, and every number of contents in a record */
  constructor(pieceBytes = 2 ** 20, recordPieces = maxContentPieces) {
    this.#pieceBytes = pieceBytes;
    this.#recordPieces = recordPieces;
  }

  add(entry: Entry): void {
    const isContinued = entry.kind === 'file' && entry.content.length > this.#recordPieces;
    const { path, mode, uid, gid, mtimeNs, target, special, content, sizeBytes } = entry;
    let seconds = mtimeNs / billion;
    if (mtimeNs % billion < 0n) seconds -= 1n;
    const body = [
      varint(path.length),
      sized(latin1(path.at(-1) ?? '')),
      ...[varint(mode), varint(uid), varint(gid), sized(Buffer.alloc(0)), sized(Buffer.alloc(0))],
      Buffer.of(seconds < 0n ? 1 : 0),
      varint(seconds < 0n ? -seconds : seconds),
      varint(mtimeNs - seconds * billion),
      Buffer.of((entry.isUnreadable ? 2 : 0) | (isContinued ? 4 : 0)),
      varint(0),
    ];
    if (entry.kind === 'file') body.push(varint(sizeBytes), contentOf(content.slice(0, this.#recordPieces)));
    if (entry.kind === 'symlink' || entry.kind === 'hardlink') body.push(sized(latin1(target)));
    if (special !== undefined) body.push(Buffer.of(special.kind), varint(special.major), varint(special.minor));
    this.#entries += 1;
    this.#record(kinds[entry.kind], Buffer.concat(body), { path, isFolder: entry.kind === 'folder' });
    if (!isContinued) return;
    for (let at = this.#recordPieces; at < content.length; at += this.#recordPieces)
      this.#record(16, contentOf(content.slice(at, at + this.#recordPieces)));
    this.#record(17, Buffer.concat([varint(sizeBytes), Buffer.of(0)]));
  }

  /** The pieces, each to be stored as a block. */
  finish(): Buffer[] {
    this.#record(31, varint(this.#entries));
    this.#endPiece();
    return this.#pieces;
  }

  #record(type: number, body: Buffer, last = this.#last): void {
    if (this.#parts.length === 0) this.#parts.push(this.#context(type === 16 || type === 17));
    this.#parts.push(Buffer.of(type), sized(body));
    this.#length += body.length;
    this.#last = last;
    if (this.#length >= this.#pieceBytes || (this.#length >= 2 ** 17 && (crc32(body) & 0x7ff) === 0)) this.#endPiece();
  }

  #context(isInsideFile: boolean): Buffer {
    const flags = (this.#last === undefined ? 1 : 0) | (this.#last?.isFolder === true ? 2 : 0) | (isInsideFile ? 4 : 0);
    const path = latin1((this.#last?.path ?? []).join('/'));
    return Buffer.concat([Buffer.from('FKMF'), Buffer.of(1, flags), sized(path)]);
  }

  #endPiece(): void {
    if (this.#parts.length > 0) this.#pieces.push(Buffer.concat(this.#parts));
    this.#parts = [];
    this.#length = 0;
  }
}

/** The order of a manifest: a folder before its content, siblings by the bytes of their names. */
export function inOrder(left: Entry, right: Entry): number {
  for (const [index, name] of left.path.entries()) {
    const other = right.path[index];
    if (other === undefined) return 1;
    if (name !== other) return Buffer.compare(latin1(name), latin1(other));
  }
  return left.path.length - right.path.length;
}

/** Reads a whole manifest, piece by piece. @throws when a rule is broken */
export function readManifest(pieces: readonly Buffer[]): Entry[] {
  const entries: Entry[] = [];
  let open: { entry: Entry; content: Content[] } | undefined;
  let isEnded = false;
  for (const piece of pieces) {
    const cursor = new Cursor(piece);
    const last = entries.at(-1);
    const flags = (last === undefined ? 1 : 0) | (last?.kind === 'folder' ? 2 : 0) | (open === undefined ? 0 : 4);
    must(piece.length <= 2 ** 21 && cursor.take(5).equals(Buffer.from('FKMF\x01')), 'the beginning of a piece');
    must(cursor.byte() === flags, 'the flags of a piece');
    must(cursor.bytes(2 ** 16).toString('latin1') === (last?.path ?? []).join('/'), 'the path of a piece');
    must(!cursor.isAtEnd, 'a piece without a record');
    while (!cursor.isAtEnd) {
      must(!isEnded, 'data after the end');
      const type = cursor.byte();
      const body = new Cursor(cursor.bytes(512 * 1024));
      if (type === 31) {
        must(open === undefined && body.varint() === entries.length, 'the number of entries');
        isEnded = true;
      } else if (type === 16) {
        must(open !== undefined, 'content without a file');
        open?.content.push(...body.content());
      } else if (type === 17) {
        must(open !== undefined, 'the end of a file without a file');
        const sizeBytes = body.varint();
        const isUnreadable = (body.byte() & 2) !== 0;
        const { entry, content } = open ?? { entry: undefined, content: [] };
        if (entry !== undefined)
          entries[entries.length - 1] = checkedSize({ ...entry, sizeBytes, content, isUnreadable });
        open = undefined;
      } else {
        must(open === undefined, 'a file without its end');
        const { entry, isContinued } = body.entry(type, entries.at(-1));
        if (entry.kind === 'hardlink') {
          const target = { ...entry, path: entry.target.split('/') };
          must(target.path.every(isName) && inOrder(target, entry) < 0, 'a hard link');
        }
        const before = entries.at(-1);
        must((before === undefined) === (entry.path.length === 0), 'the top folder');
        must(before === undefined || inOrder(before, entry) < 0, 'the order');
        entries.push(isContinued ? entry : checkedSize(entry));
        if (isContinued) open = { entry, content: [...entry.content] };
      }
      must(body.isAtEnd, 'bytes over in a record');
    }
  }
  must(isEnded, 'the end');
  return entries;
}

const isName = (name: string): boolean => name.length <= 1024 && !/^\.{0,2}$|[/\0]/.test(name);

function checkedSize(entry: Entry): Entry {
  const sum = entry.content.reduce((total, { length }) => total + length, 0);
  must(entry.kind !== 'file' || entry.isUnreadable || sum === entry.sizeBytes, 'the size of a file');
  return entry;
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`The manifest is damaged: ${what}`);
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    must(this.#at + length <= this.#bytes.length, 'it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  varint(max = Number.MAX_SAFE_INTEGER): number {
    let value = 0n;
    for (let index = 0n; index < 8n; index += 1n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << (7n * index);
      if (byte < 128) {
        must(value <= BigInt(max), 'a number');
        return Number(value);
      }
    }
    must(false, 'a number');
    return 0;
  }

  bytes(max: number): Buffer {
    return this.take(this.varint(max));
  }

  content(): Content[] {
    return Array.from({ length: this.varint(maxContentPieces) }, () => {
      const kind = this.byte();
      const length = this.varint();
      must(kind < 2 && length > 0, 'a piece of content');
      return kind === 1 ? { length, id: this.take(32) } : { length };
    });
  }

  entry(type: number, before: Entry | undefined): { entry: Entry; isContinued: boolean } {
    const kind = (Object.keys(kinds) as EntryKind[]).find((name) => kinds[name] === type);
    if (kind === undefined) throw new Error(`The manifest is damaged: a record of type ${type}`);
    const depth = this.varint(2048);
    const name = this.bytes(1024).toString('latin1');
    if (depth > 0) must(isName(name), 'a name');
    else must(name === '' && kind === 'folder', 'the top folder');
    const parent = before?.path ?? [];
    must(depth <= parent.length + (before?.kind === 'folder' ? 1 : 0), 'the depth');
    const path = depth === 0 ? [] : [...parent.slice(0, depth - 1), name];
    must(path.join('/').length <= 65_536, 'the length of a path');
    const mode = this.varint(0o7777);
    const [uid, gid] = [this.varint(2 ** 32 - 1), this.varint(2 ** 32 - 1)];
    this.bytes(256);
    this.bytes(256);
    const sign = this.byte();
    must(sign < 2, 'a sign');
    const seconds = BigInt(this.varint(2 ** 40));
    const mtimeNs = (sign === 1 ? -seconds : seconds) * billion + BigInt(this.varint(999_999_999));
    const flags = this.byte();
    must(flags < 8 && (flags < 4 || kind === 'file'), 'the flags of an entry');
    for (let count = this.varint(1024); count > 0; count -= 1) {
      this.bytes(256);
      this.bytes(65_536);
    }
    const sizeBytes = kind === 'file' ? this.varint() : 0;
    const content = kind === 'file' ? this.content() : [];
    const target = kind === 'symlink' || kind === 'hardlink' ? this.bytes(65_536).toString('latin1') : '';
    const isUnreadable = (flags & 2) !== 0;
    const entry = { kind, path, mode, uid, gid, mtimeNs, target, content, sizeBytes, isUnreadable };
    const isContinued = (flags & 4) !== 0;
    if (kind !== 'special') return { entry, isContinued };
    const special = { kind: this.varint(3), major: this.varint(), minor: this.varint() };
    return { entry: { ...entry, special }, isContinued };
  }
}

export interface RootBlock {
  readonly id: string;
  readonly lengthBytes: number;
}

export type RootFields = Readonly<Record<string, unknown>> & {
  readonly manifest: { readonly level: number; readonly blocks: readonly RootBlock[] };
};

export function encodeRoot(fields: RootFields): Buffer {
  const json = Buffer.from(JSON.stringify(fields), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const head = Buffer.concat([Buffer.from('FKPR'), Buffer.of(1, 0, 0, 0), length, json]);
  return Buffer.concat([head, createHash('sha256').update(head).digest()]);
}

export function decodeRoot(bytes: Buffer, pointId: string): RootFields {
  must(
    bytes.length <= 2 ** 20 && bytes.subarray(0, 8).equals(Buffer.from('FKPR\x01\0\0\0')),
    'the beginning of a root',
  );
  const end = 12 + bytes.readUInt32BE(8);
  must(bytes.length === end + 32, 'the length of a root');
  must(createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end)), 'the hash of a root');
  const fields = JSON.parse(bytes.toString('utf8', 12, end)) as RootFields;
  must(fields['pointId'] === pointId, 'the point of a root');
  must(fields['encryption'] === 'none' && fields['blockIdentifier'] === 'sha256', 'a way of storing that is not known');
  return fields;
}

/** The blocks of the pieces, for either level. @param contentOf the content of a block, checked */
export async function manifestBlocks(
  { manifest }: RootFields,
  contentOf: (blocks: readonly RootBlock[]) => Promise<Buffer[]>,
): Promise<readonly RootBlock[]> {
  if (manifest.level === 0) return manifest.blocks;
  must(manifest.level === 1, 'the level of a manifest');
  const lists = await contentOf(manifest.blocks);
  return lists.flatMap((list) => {
    must(list.length % 36 === 0, 'a list of pieces');
    return Array.from({ length: list.length / 36 }, (_, index) => ({
      id: list.toString('hex', index * 36, index * 36 + 32),
      lengthBytes: list.readUInt32BE(index * 36 + 32),
    }));
  });
}
