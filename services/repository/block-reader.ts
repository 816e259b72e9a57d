// Owns reading blocks from packs: one at a time, or many in order with neighbours joined to one read and reads made ahead.
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { StoredBlock } from './block-content.ts';
import type { BlockPlace } from './catalogue.ts';
import { blockHeaderBytes, packName } from './pack-format.ts';
import type { Storage } from './storage.ts';

const maxSpanBytes = 4 * 1024 * 1024;
/** Read and not yet taken, at most; a single larger block is still read. */
const readAheadBytes = 20 * 1024 * 1024;
/** Between neighbours lies only a block header, so a gap of this much is read along rather than starting anew. */
const maxGapBytes = 16 * 1024 + blockHeaderBytes;

interface Span {
  readonly places: readonly BlockPlace[];
  readonly start: number;
  readonly end: number;
}

export class BlockReader {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async read(place: BlockPlace): Promise<StoredBlock> {
    const [block] = await this.#readSpan({
      places: [place],
      start: place.offset,
      end: place.offset + place.storedLength,
    });
    if (block === undefined) throw new FarkeepError('call.internal', 'A block was read and is not there');
    return block;
  }

  /** Yields the blocks in the order of `ids`. */
  async *readMany(
    ids: Iterable<Buffer> | AsyncIterable<Buffer>,
    find: (id: Buffer) => BlockPlace,
  ): AsyncGenerator<StoredBlock, void, undefined> {
    const ahead: { readonly blocks: Promise<StoredBlock[]>; readonly bytes: number }[] = [];
    let aheadBytes = 0;
    try {
      for await (const span of joinNeighbours(ids, find)) {
        const blocks = this.#readSpan(span);
        blocks.catch(() => undefined); // reported when its turn comes
        ahead.push({ blocks, bytes: span.end - span.start });
        aheadBytes += span.end - span.start;
        while (aheadBytes > readAheadBytes) {
          const next = ahead.shift();
          if (next === undefined) break;
          yield* await next.blocks;
          aheadBytes -= next.bytes;
        }
      }
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) yield* await next.blocks;
    } finally {
      await Promise.allSettled(ahead.map((span) => span.blocks));
    }
  }

  async close(): Promise<void> {
    await this.#storage.close();
  }

  async #readSpan(span: Span): Promise<StoredBlock[]> {
    const first = span.places[0];
    if (first === undefined) return [];
    const name = packName(first.packId);
    const bytes = Buffer.allocUnsafeSlow(span.end - span.start);
    let got: number;
    try {
      got = await this.#storage.readRange(name, span.start, bytes);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        throw damaged(name, 'it is missing', first.id);
      throw toFarkeepError(error, 'storage.io');
    }
    return span.places.map((place) => {
      const start = place.offset - span.start;
      if (start + place.storedLength > got) throw damaged(name, 'it is cut', place.id);
      const stored = bytes.subarray(start, start + place.storedLength);
      if (crc32(stored) !== place.crc) throw damaged(name, 'a block has a wrong checksum', place.id);
      return { id: place.id, encoding: place.encoding, contentLength: place.contentLength, stored };
    });
  }
}

function damaged(pack: string, reason: string, id: Buffer): FarkeepError {
  return new FarkeepError('storage.damaged', `${pack}: ${reason} (block ${id.toString('hex').slice(0, 16)})`, {
    details: { pack, block: id.toString('hex') },
  });
}

async function* joinNeighbours(
  ids: Iterable<Buffer> | AsyncIterable<Buffer>,
  find: (id: Buffer) => BlockPlace,
): AsyncGenerator<Span, void, undefined> {
  let places: BlockPlace[] = [];
  let start = 0;
  let end = 0;
  for await (const id of ids) {
    const place = find(id);
    const placeEnd = place.offset + place.storedLength;
    const previous = places.at(-1);
    const isNeighbour =
      previous !== undefined &&
      previous.packId.equals(place.packId) &&
      place.offset >= end &&
      place.offset - end <= maxGapBytes &&
      placeEnd - start <= maxSpanBytes;
    if (previous !== undefined && !isNeighbour) {
      yield { places, start, end };
      places = [];
    }
    if (places.length === 0) start = place.offset;
    places.push(place);
    end = placeEnd;
  }
  if (places.length > 0) yield { places, start, end };
}
