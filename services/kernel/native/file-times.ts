// Owns setting the modification time of a file, folder or link to the nanosecond. The fallback is node:fs, which passes seconds as a
// double: today's dates are then exact to about 0.2 microseconds.
import { futimesSync, lutimesSync } from 'node:fs';
import { nativeFunctions } from './native-library.ts';

export interface FileTimes {
  /** @throws the system's error */
  setOfDescriptor(descriptor: number, modifiedNs: bigint): void;
  /** Of the link itself. @throws the system's error */
  setOfLink(path: Buffer, modifiedNs: bigint): void;
}

/** UTIME_OMIT of sys/stat.h: the access time stays as it is. */
const omitTime = 0x3fff_fffen;
/** AT_FDCWD and AT_SYMLINK_NOFOLLOW of fcntl.h. */
const currentFolder = -100;
const noFollow = 0x100;
const perSecond = 1_000_000_000n;

/** Two `struct timespec` of 64-bit Linux: access time, modification time. */
function timesOf(modifiedNs: bigint): Buffer {
  const times = Buffer.alloc(32);
  times.writeBigInt64LE(omitTime, 8);
  const fraction = ((modifiedNs % perSecond) + perSecond) % perSecond;
  times.writeBigInt64LE((modifiedNs - fraction) / perSecond, 16);
  times.writeBigInt64LE(fraction, 24);
  return times;
}

/** Seconds for node:fs. A time before 1970 is passed as text, because Node.js replaces a negative number by the current time. */
function secondsOf(modifiedNs: bigint): number | string {
  const seconds = Number(modifiedNs) / 1e9;
  return seconds < 0 ? String(seconds) : seconds;
}

const nodeTimes: FileTimes = {
  setOfDescriptor(descriptor, modifiedNs) {
    futimesSync(descriptor, Date.now() / 1000, secondsOf(modifiedNs));
  },
  setOfLink(path, modifiedNs) {
    lutimesSync(path, Date.now() / 1000, secondsOf(modifiedNs));
  },
};

function nativeTimes(): FileTimes | undefined {
  const functions = nativeFunctions({
    futimens: { arguments: ['int32', 'buffer'], return: 'int32' },
    // (folder, path that ends with a zero byte, times, flags)
    utimensat: { arguments: ['int32', 'buffer', 'buffer', 'int32'], return: 'int32' },
  });
  if (functions === undefined) return undefined;
  const { futimens, utimensat } = functions;
  const zero = Buffer.alloc(1);
  return {
    setOfDescriptor(descriptor, modifiedNs) {
      // The native call failed. The call is repeated through Node.js, which reports the reason.
      if (futimens(descriptor, timesOf(modifiedNs)) !== 0) nodeTimes.setOfDescriptor(descriptor, modifiedNs);
    },
    setOfLink(path, modifiedNs) {
      const ended = Buffer.concat([path, zero]);
      if (utimensat(currentFolder, ended, timesOf(modifiedNs), noFollow) !== 0) nodeTimes.setOfLink(path, modifiedNs);
    },
  };
}

/** Reads FARKEEP_NATIVE at each call. */
export function createFileTimes(): FileTimes {
  return nativeTimes() ?? nodeTimes;
}
