// Owns an in-memory file system that can change before any operation of a walk or a read. It records every state of every file, and reuses
// inode numbers as ext4 does. For tests of backups of changing sources; must not be used by the product.
import { constants } from 'node:fs';
import { FileStat } from '../../mover/source/walk/file-stat.ts';
import type { OpenSource, RawText, SourceDisk, SourceFolder } from '../../mover/source/walk/source-disk.ts';

/** Returns all saved metadata and content of an entry as one text. */
export function stateText(kind: string, mode: number, uid: number, mtimeNs: bigint, content: string): string {
  return `${kind} ${mode.toString(8)} ${uid} ${mtimeNs} ${content}`;
}

export type NodeKind = 'file' | 'folder' | 'symlink' | 'fifo';

const kindBits: Record<NodeKind, number> = {
  file: constants.S_IFREG,
  folder: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  fifo: constants.S_IFIFO,
};

export class Inode {
  readonly kind: NodeKind;
  readonly ino: number;
  mode: number;
  uid = 0;
  nlink = 1;
  /** The content of a file, or the target of a link. */
  content: string;
  mtimeNs = 0n;
  ctimeNs = 0n;
  attributes = 0;
  /** The size that the file system reports, if it differs from the size of the content. */
  claimedBytes: number | undefined;
  readonly entries = new Map<RawText, Inode>();
  /** Every inode that this folder ever contained, by name. */
  readonly everEntries = new Map<RawText, Set<Inode>>();
  /** Names that were missing at some moment, even if the same file later got the name again. */
  readonly everGone = new Set<RawText>();
  readonly history = new Set<string>();

  constructor(kind: NodeKind, ino: number, content: string, mode: number) {
    this.kind = kind;
    this.ino = ino;
    this.content = content;
    this.mode = mode;
  }

  get state(): string {
    return stateText(this.kind, this.mode, this.uid, this.mtimeNs, this.kind === 'folder' ? '' : this.content);
  }
}

export type Change = (disk: ChangingDisk) => void;

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export class ChangingDisk implements SourceDisk {
  readonly source: Inode;
  readonly outside: Inode;
  readonly #open = new Map<number, Inode>();
  readonly #freeNumbers: number[] = [];
  #nextNumber = 10;
  #nextDescriptor = 3;
  #nowNs = 1_000_000_000_000_000_000n;
  #operations = 0;
  #changes: { readonly at: number; readonly change: Change }[] = [];
  /** Largest number of bytes that one read returns. */
  readonly #pieceBytes: number;
  maxOpen = 0;

  constructor(pieceBytes = 5) {
    this.#pieceBytes = pieceBytes;
    this.source = this.make('folder', '', 0o755);
    this.outside = this.make('folder', '', 0o755);
  }

  /** Schedules changes. Each change happens before the operation with its number, counted from this call. */
  schedule(changes: readonly { readonly at: number; readonly change: Change }[]): void {
    this.#operations = 0;
    this.#changes = [...changes].sort((left, right) => left.at - right.at);
  }

  get openCount(): number {
    return this.#open.size;
  }

  // Methods that change the disk.

  tick(): bigint {
    this.#nowNs += 1_000_000_007n;
    return this.#nowNs;
  }

  make(kind: NodeKind, content: string, mode: number): Inode {
    const inode = new Inode(kind, this.#freeNumbers.pop() ?? this.#nextNumber++, content, mode);
    inode.mtimeNs = this.tick();
    this.touched(inode);
    return inode;
  }

  /** Must be called after each change of an inode; updates its ctime and history. */
  touched(inode: Inode): void {
    inode.ctimeNs = this.tick();
    inode.history.add(inode.state);
  }

  put(folder: Inode, name: RawText, inode: Inode): void {
    const before = folder.entries.get(name);
    if (before === inode) return;
    folder.entries.set(name, inode);
    const ever = folder.everEntries.get(name) ?? new Set();
    folder.everEntries.set(name, ever.add(inode));
    folder.mtimeNs = this.tick();
    this.touched(folder);
    if (before !== undefined) this.#unlinked(before);
  }

  remove(folder: Inode, name: RawText): Inode | undefined {
    const inode = folder.entries.get(name);
    if (inode === undefined) return undefined;
    folder.entries.delete(name);
    folder.everGone.add(name);
    folder.mtimeNs = this.tick();
    this.touched(folder);
    return inode;
  }

  unlink(folder: Inode, name: RawText): void {
    const inode = this.remove(folder, name);
    if (inode !== undefined) this.#unlinked(inode);
  }

  #unlinked(inode: Inode): void {
    inode.nlink -= 1;
    this.touched(inode);
    if (inode.nlink === 0 && ![...this.#open.values()].includes(inode)) this.#freeNumbers.push(inode.ino);
  }

  // Methods that a backup calls (SourceDisk).

  openSource(): OpenSource {
    return { folder: this.#folder(this.source, 'source'), name: undefined };
  }

  openFolder(parent: SourceFolder, name: RawText): SourceFolder {
    const inode = this.#lookUp(parent, name);
    if (inode.kind === 'symlink') throw failure('ELOOP');
    if (inode.kind !== 'folder') throw failure('ENOTDIR');
    return this.#folder(inode, `${parent.path}/${name}`);
  }

  closeFolder(folder: SourceFolder): void {
    this.closeFile(folder.descriptor);
  }

  statFolder(folder: SourceFolder): FileStat {
    return this.statFile(folder.descriptor);
  }

  list(folder: SourceFolder): RawText[] {
    this.#before();
    return [...this.#of(folder.descriptor).entries.keys()];
  }

  stat(folder: SourceFolder, name: RawText): FileStat {
    return statOf(this.#lookUp(folder, name));
  }

  readLink(folder: SourceFolder, name: RawText): RawText {
    const inode = this.#lookUp(folder, name);
    if (inode.kind !== 'symlink') throw failure('EINVAL');
    return inode.content;
  }

  openFile(folder: SourceFolder, name: RawText): number {
    const inode = this.#lookUp(folder, name);
    if (inode.kind === 'symlink') throw failure('ELOOP');
    return this.#descriptor(inode);
  }

  statFile(descriptor: number): FileStat {
    this.#before();
    return statOf(this.#of(descriptor));
  }

  read(descriptor: number, memory: Buffer, offset: number, length: number, position: number): number {
    this.#before();
    const { content } = this.#of(descriptor);
    const piece = content.slice(position, position + Math.min(length, this.#pieceBytes));
    return memory.write(piece, offset, 'latin1');
  }

  nextData(): 'unknown' {
    return 'unknown';
  }

  settleFile(): void {
    // All data is written at once.
  }

  openDirect(): undefined {
    return undefined;
  }

  closeFile(descriptor: number): void {
    const inode = this.#of(descriptor);
    this.#open.delete(descriptor);
    const isOpen = [...this.#open.values()].includes(inode);
    if (inode.nlink === 0 && !isOpen && !this.#freeNumbers.includes(inode.ino)) this.#freeNumbers.push(inode.ino);
  }

  #before(): void {
    this.#operations += 1;
    while ((this.#changes[0]?.at ?? Infinity) <= this.#operations) this.#changes.shift()?.change(this);
  }

  #lookUp(folder: SourceFolder, name: RawText): Inode {
    this.#before();
    const inode = this.#of(folder.descriptor).entries.get(name);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  }

  #of(descriptor: number): Inode {
    const inode = this.#open.get(descriptor);
    if (inode === undefined) throw failure('EBADF');
    return inode;
  }

  #folder(inode: Inode, path: RawText): SourceFolder {
    return { descriptor: this.#descriptor(inode), path };
  }

  #descriptor(inode: Inode): number {
    this.#nextDescriptor += 1;
    this.#open.set(this.#nextDescriptor, inode);
    this.maxOpen = Math.max(this.maxOpen, this.#open.size);
    return this.#nextDescriptor;
  }
}

function statOf(inode: Inode): FileStat {
  return FileStat.of({
    mode: kindBits[inode.kind] | inode.mode,
    uid: inode.uid,
    gid: 0,
    nlink: inode.nlink,
    sizeBytes: inode.claimedBytes ?? (inode.kind === 'folder' ? 4096 : inode.content.length),
    blocks: 8,
    ino: BigInt(inode.ino),
    dev: 1,
    rdev: 0,
    mtimeNs: inode.mtimeNs,
    ctimeNs: inode.ctimeNs,
    attributes: inode.attributes,
  });
}
