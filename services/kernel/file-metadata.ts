// Owns the metadata of one file as the system reports it, with times to the nanosecond. Uses numbers only: a backup holds thousands of
// these objects, and each bigint would need an object of its own.

const nanosPerSecond = 1_000_000_000n;

/** A FileStat whose inode number and times are single values. */
export type FileValues = Omit<
  { readonly [Field in keyof FileStat]: FileStat[Field] },
  'inoHigh' | 'inoLow' | 'mtimeSeconds' | 'mtimeNanos' | 'ctimeSeconds' | 'ctimeNanos'
>;

/** Metadata of a file, folder, link or special file. */
export class FileStat {
  /** Kind and permission bits (st_mode). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly sizeBytes: number;
  /** Allocated size, in units of 512 bytes. */
  readonly blocks: number;
  /** Device that holds the file system of the file, packed as by makedev(3). */
  readonly dev: number;
  /** The device that a device file represents. */
  readonly rdev: number;
  /** STATX_ATTR_* of statx(2); 0 where the system does not report them. */
  readonly attributes: number;
  /** The two halves of the inode number, 32 bits each. */
  readonly inoHigh: number;
  readonly inoLow: number;
  /** Whole seconds since 1970, negative before 1970; the nanoseconds are added to the seconds. */
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanos: number;

  constructor(
    mode: number,
    uid: number,
    gid: number,
    nlink: number,
    sizeBytes: number,
    blocks: number,
    dev: number,
    rdev: number,
    attributes: number,
    inoHigh: number,
    inoLow: number,
    mtimeSeconds: number,
    mtimeNanos: number,
    ctimeSeconds: number,
    ctimeNanos: number,
  ) {
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.nlink = nlink;
    this.sizeBytes = sizeBytes;
    this.blocks = blocks;
    this.dev = dev;
    this.rdev = rdev;
    this.attributes = attributes;
    this.inoHigh = inoHigh;
    this.inoLow = inoLow;
    this.mtimeSeconds = mtimeSeconds;
    this.mtimeNanos = mtimeNanos;
    this.ctimeSeconds = ctimeSeconds;
    this.ctimeNanos = ctimeNanos;
  }

  static of(values: FileValues): FileStat {
    const { mode, uid, gid, nlink, sizeBytes, blocks, dev, rdev, attributes, ino, mtimeNs, ctimeNs } = values;
    return new FileStat(
      mode,
      uid,
      gid,
      nlink,
      sizeBytes,
      blocks,
      dev,
      rdev,
      attributes,
      Number(BigInt.asUintN(32, ino >> 32n)),
      Number(BigInt.asUintN(32, ino)),
      ...secondsAndNanos(mtimeNs),
      ...secondsAndNanos(ctimeNs),
    );
  }

  get ino(): bigint {
    return (BigInt(this.inoHigh) << 32n) | BigInt(this.inoLow);
  }

  get mtimeNs(): bigint {
    return BigInt(this.mtimeSeconds) * nanosPerSecond + BigInt(this.mtimeNanos);
  }

  get ctimeNs(): bigint {
    return BigInt(this.ctimeSeconds) * nanosPerSecond + BigInt(this.ctimeNanos);
  }
}

function secondsAndNanos(timeNs: bigint): [number, number] {
  const nanos = ((timeNs % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  return [Number((timeNs - nanos) / nanosPerSecond), Number(nanos)];
}
