// Owns the system calls that take the descriptor of a folder and a name, and the call that finds data in a sparse file. Node.js takes only
// paths: /proc/self/fd reaches the same files, but more slowly, and SEEK_DATA is missing. The error number is unreliable after such a call.
// A caller that needs the reason repeats the call through Node.js.
import { FileStat } from '../file-metadata.ts';
import { nativeFunctions } from './native-library.ts';

/** Names are raw bytes, one latin1 character each. Must not be shared between threads; each thread creates its own. */
export interface FolderCalls {
  /** Returns -1 when the file cannot be opened. */
  open(folder: number, name: string, flags: number): number;
  /** Does not follow links. undefined when the call fails. */
  stat(folder: number, name: string): FileStat | undefined;
  statDescriptor(descriptor: number): FileStat | undefined;
  /**
   * The position of the first data byte (or of the first byte in a hole) at or after `position`; -1 for none, or when the system does not
   * report holes.
   */
  seek(descriptor: number, position: number, what: 'data' | 'hole'): number;
}

const atSymlinkNoFollow = 0x100;
const atEmptyPath = 0x1000;
/** STATX_BASIC_STATS of linux/stat.h. */
const basicStats = 0x7ff;
const seekData = 3;
const seekHole = 4;

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

/**
 * struct statx of linux/stat.h. It is the same on every architecture except for the byte order, which is little-endian on all platforms of
 * Node.js.
 */
function readStatx(at: Buffer): FileStat {
  return new FileStat(
    at.readUInt16LE(28),
    at.readUInt32LE(20),
    at.readUInt32LE(24),
    at.readUInt32LE(16),
    at.readUInt32LE(44) * 0x1_0000_0000 + at.readUInt32LE(40),
    at.readUInt32LE(52) * 0x1_0000_0000 + at.readUInt32LE(48),
    makeDevice(at.readUInt32LE(136), at.readUInt32LE(140)),
    makeDevice(at.readUInt32LE(128), at.readUInt32LE(132)),
    at.readUInt32LE(8),
    at.readUInt32LE(36),
    at.readUInt32LE(32),
    at.readInt32LE(116) * 0x1_0000_0000 + at.readUInt32LE(112),
    at.readUInt32LE(120),
    at.readInt32LE(100) * 0x1_0000_0000 + at.readUInt32LE(96),
    at.readUInt32LE(104),
  );
}

/** makedev(3) for the device numbers of Linux: 12 bits major, 20 bits minor. */
function makeDevice(major: number, minor: number): number {
  return (minor & 0xfff00) * 0x1000 + (major & 0xfff) * 0x100 + (minor & 0xff);
}
