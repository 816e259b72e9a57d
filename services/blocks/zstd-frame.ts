// Owns the check that a stored block is exactly one zstd frame (docs/repository-format.md, section 2; RFC 8878, section 3.1.1). zstd itself
// also accepts several frames, skippable frames, and any window size. Without this check, the same block could be stored in many forms, and
// a small block could demand a huge window in memory.
const magic = 0xfd2fb528;
/** Largest allowed window of a frame whose header has no content size. */
const maxWindowBytes = 16 * 1024 * 1024;
const dictionaryIdBytes = [0, 1, 2, 4];
const blockTypes = { raw: 0, rle: 1, compressed: 2 } as const;

/**
 * Returns the reason why `stored` is not exactly one frame of `contentLength` bytes, or undefined. Checks headers only; decompression
 * checks the rest.
 */
export function whyNotOneFrame(stored: Buffer, contentLength: number): string | undefined {
  if (stored.length < 6 || stored.readUInt32LE(0) !== magic) return 'it is no zstd frame';
  const descriptor = stored[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) return 'its frame uses a reserved value';
  const dictionaryBytes = dictionaryIdBytes[descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  const windowBytes = isSingleSegment ? 0 : 1;
  let at = 5 + windowBytes + dictionaryBytes + sizeBytes;
  if (at > stored.length) return 'its frame is cut';
  for (let index = 0; index < dictionaryBytes; index += 1)
    if (stored[5 + windowBytes + index] !== 0) return 'its frame needs a dictionary';
  if (sizeBytes > 0) {
    const size = stored.readUIntLE(at - sizeBytes, Math.min(sizeBytes, 6)) + (sizeBytes === 2 ? 256 : 0);
    const isTooLong = sizeBytes === 8 && stored.readUInt16LE(at - 2) !== 0;
    if (isTooLong || size !== contentLength) return 'its frame has another content size';
  } else if (windowOf(stored[5] ?? 0) > maxWindowBytes) return 'its frame needs a larger window than a block has';
  for (let isLast = false; !isLast;) {
    if (at + 3 > stored.length) return 'its frame is cut';
    const header = stored.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type > blockTypes.compressed) return 'its frame uses a reserved value';
    at += 3 + (type === blockTypes.rle ? 1 : header >> 3);
  }
  if ((descriptor & 0x04) !== 0) at += 4;
  if (at > stored.length) return 'its frame is cut';
  return at < stored.length ? 'something follows its frame' : undefined;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
