// Owns the system calls that take the descriptor of a folder and a name, and the call that finds data in a sparse file. Node.js only takes
// paths: /proc/self/fd reaches the same files more slowly, and SEEK_DATA is missing.
// The error number is unreliable after such a call. A caller that needs the reason repeats the call through Node.js.
import { nativeFunctions } from './native-library.ts';

/** Metadata of a file, folder, link or special file, with times to the nanosecond. */
export interface FileStat {
  /** Kind and permission bits (st_mode). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly sizeBytes: number;
  /** Allocated, in units of 512 bytes. */
  readonly blocks: number;
  readonly ino: bigint;
  /** Device with the file's file system, packed as by makedev(3). */
  readonly dev: number;
  /** For a device file: the device that it represents. */
  readonly rdev: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** STATX_ATTR_* of statx(2); 0 where they are not known. */
  readonly attributes: number;
}

/** Names are raw bytes, one latin1 character each. Not for use by two threads; each makes its own. */
export interface FolderCalls {
  /** Returns -1 when the file cannot be opened. */
  open(folder: number, name: string, flags: number): number;
  /** Does not follow links. undefined when the call fails. */
  stat(folder: number, name: string): FileStat | undefined;
  statDescriptor(descriptor: number): FileStat | undefined;
  /** The first byte at or after `position` that is data, or that is in a hole; -1 for none, or when the system does not report it. */
  seek(descriptor: number, position: number, what: 'data' | 'hole'): number;
}

const atSymlinkNoFollow = 0x100;
const atEmptyPath = 0x1000;
/** STATX_BASIC_STATS of linux/stat.h. */
const basicStats = 0x7ff;
const seekData = 3;
const seekHole = 4;
const nanosPerSecond = 1_000_000_000n;

export function createFolderCalls(): FolderCalls | undefined {
  const c = nativeFunctions({
    openat: { arguments: ['int32', 'buffer', 'int32'], return: 'int32' },
    // (folder, name, flags, mask, struct statx)
    statx: { arguments: ['int32', 'buffer', 'int32', 'uint32', 'buffer'], return: 'int32' },
    // off_t is 64 bits on every 64-bit Linux.
    lseek: { arguments: ['int32', 'int64', 'int32'], return: 'int64' },
  });
  if (c === undefined || process.arch === 'ia32' || process.arch === 'arm') return undefined;
  let nameRoom = Buffer.alloc(1024);
  const result = Buffer.alloc(256);
  const noName = Buffer.alloc(1);
  const terminated = (name: string): Buffer => {
    if (name.length >= nameRoom.length) nameRoom = Buffer.alloc(name.length * 2);
    nameRoom.write(name, 0, 'latin1');
    nameRoom[name.length] = 0;
    return nameRoom;
  };
  return {
    open: (folder, name, flags) => c.openat(folder, terminated(name), flags),
    stat: (folder, name) =>
      c.statx(folder, terminated(name), atSymlinkNoFollow, basicStats, result) === 0 ? readStatx(result) : undefined,
    statDescriptor: (descriptor) =>
      c.statx(descriptor, noName, atEmptyPath, basicStats, result) === 0 ? readStatx(result) : undefined,
    seek: (descriptor, position, what) =>
      Number(c.lseek(descriptor, BigInt(position), what === 'data' ? seekData : seekHole)),
  };
}

/** struct statx of linux/stat.h; the same on every architecture but for the order of bytes, which is little-endian wherever Node.js runs. */
function readStatx(at: Buffer): FileStat {
  return {
    attributes: at.readUInt32LE(8),
    nlink: at.readUInt32LE(16),
    uid: at.readUInt32LE(20),
    gid: at.readUInt32LE(24),
    mode: at.readUInt16LE(28),
    ino: at.readBigUInt64LE(32),
    sizeBytes: at.readUInt32LE(44) * 0x1_0000_0000 + at.readUInt32LE(40),
    blocks: at.readUInt32LE(52) * 0x1_0000_0000 + at.readUInt32LE(48),
    ctimeNs: at.readBigInt64LE(96) * nanosPerSecond + BigInt(at.readUInt32LE(104)),
    mtimeNs: at.readBigInt64LE(112) * nanosPerSecond + BigInt(at.readUInt32LE(120)),
    rdev: makeDevice(at.readUInt32LE(128), at.readUInt32LE(132)),
    dev: makeDevice(at.readUInt32LE(136), at.readUInt32LE(140)),
  };
}

/** makedev(3), for the numbers that Linux uses: 12 bits and 20. */
function makeDevice(major: number, minor: number): number {
  return (minor & 0xfff00) * 0x1000 + (major & 0xfff) * 0x100 + (minor & 0xff);
}
