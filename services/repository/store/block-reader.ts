// Owns reading blocks from packs: single blocks, or many blocks in order. Many blocks are read ahead, and neighboring blocks are read
// together.
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { isMissing } from '../../kernel/system-error.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import type { BlockOutcome } from '../../blocks/block-store.ts';
import type { BlockPlace } from './catalogue.ts';
import { blockHeaderBytes, packName } from '../packs/pack-format.ts';
import type { Storage } from '../storage/storage.ts';

const maxSpanBytes = 4 * 1024 * 1024;
/** Limit of bytes that are read ahead. A larger single block is still read. */
const readAheadBytes = 20 * 1024 * 1024;
/**
 * Neighboring blocks are separated only by a block header. A gap up to this size is read too, because this is cheaper than a second read.
 */
const maxGapBytes = 16 * 1024 + blockHeaderBytes;

interface Span {
  /** Neighboring blocks in one pack, or a single failure. */
  readonly places: readonly (BlockPlace | Extract<BlockOutcome, { block: undefined }>)[];
  readonly start: number;
  readonly end: number;
}

export class BlockReader {
  readonly #storage: Storage;
  readonly #onDamaged: (place: BlockPlace) => void;

  /** @param onDamaged called for each place where a block is damaged or missing */
  constructor(storage: Storage, onDamaged: (place: BlockPlace) => void = () => undefined) {
    this.#storage = storage;
    this.#onDamaged = onDamaged;
  }

  /** Throws storage.damaged. */
  async read(place: BlockPlace): Promise<StoredBlock> {
    const [outcome] = await this.#readSpan({
      places: [place],
      start: place.offset,
      end: place.offset + place.storedLength,
    });
    if (outcome === undefined) throw new FarkeepError('call.internal', 'A block was read and is not there');
    if (outcome.block === undefined) throw outcome.error;
    return outcome.block;
  }

  /**
   * Yields one outcome for each identifier, in order. An unreadable block does not end the reading. An `undefined` among the identifiers
   * requests the outcomes of all earlier identifiers without waiting for more identifiers; it yields `undefined`.
   */
  async *readMany(
    ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
    find: (id: Buffer) => BlockPlace | undefined,
  ): AsyncGenerator<BlockOutcome | undefined, void, undefined> {
    const ahead: { readonly outcomes: Promise<BlockOutcome[]>; readonly bytes: number }[] = [];
    let aheadBytes = 0;
    try {
      for await (const span of joinNeighbors(ids, find)) {
        if (span !== undefined) {
          const bytes = span.end - span.start;
          ahead.push({ outcomes: this.#readSpan(span), bytes });
          aheadBytes += bytes;
        }
        while (aheadBytes > readAheadBytes || (span === undefined && ahead.length > 0)) {
          const next = ahead.shift();
          if (next === undefined) break;
          yield* await next.outcomes;
          aheadBytes -= next.bytes;
        }
        if (span === undefined) yield undefined;
      }
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) yield* await next.outcomes;
    } finally {
      await Promise.all(ahead.map((span) => span.outcomes));
    }
  }

  /** Never rejects. */
  async #readSpan(span: Span): Promise<BlockOutcome[]> {
    const first = span.places[0];
    if (first === undefined || 'error' in first)
      return span.places.flatMap((place) => ('error' in place ? [place] : []));
    const name = packName(first.packId);
    let bytes: Buffer;
    let got: number;
    try {
      bytes = Buffer.allocUnsafeSlow(span.end - span.start);
      got = await this.#storage.readRange(name, span.start, bytes);
    } catch (error) {
      const isGone = isMissing(error);
      const known = toFarkeepError(error, 'storage.io');
      return span.places.map((place) => {
        if (isGone && 'packId' in place) return this.#damaged(place, 'it is missing');
        // A pipe or a link in place of the file counts as a missing file.
        if (known.code === 'storage.damaged' && 'packId' in place) return this.#damaged(place, 'it is not a file');
        return { id: place.id, block: undefined, error: known };
      });
    }
    return span.places.map((place) => {
      if ('error' in place) return place;
      const { id, encoding, contentLength, storedLength, crc } = place;
      const start = place.offset - span.start;
      if (start + storedLength > got) return this.#damaged(place, 'it is cut');
      const stored = bytes.subarray(start, start + storedLength);
      if (crc32(stored) !== crc) return this.#damaged(place, 'a block has a wrong checksum');
      return { id, block: { id, encoding, contentLength, stored } };
    });
  }

  #damaged(place: BlockPlace, reason: string): BlockOutcome {
    this.#onDamaged(place);
    const { id } = place;
    const pack = packName(place.packId);
    const error = new FarkeepError('storage.damaged', `${pack}: ${reason} (block ${id.toString('hex').slice(0, 16)})`, {
      details: { pack, block: id.toString('hex') },
    });
    return { id, block: undefined, error };
  }
}

async function* joinNeighbors(
  ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
  find: (id: Buffer) => BlockPlace | undefined,
): AsyncGenerator<Span | undefined, void, undefined> {
  let places: BlockPlace[] = [];
  let start = 0;
  let end = 0;
  for await (const id of ids) {
    const place = id === undefined ? undefined : find(id);
    const previous = places.at(-1);
    if (id === undefined || place === undefined) {
      if (previous !== undefined) yield { places, start, end };
      places = [];
      if (id === undefined) yield undefined;
      else yield { places: [{ id, block: undefined, error: notHere(id) }], start: 0, end: 0 };
      continue;
    }
    const placeEnd = place.offset + place.storedLength;
    const isNeighbor =
      previous !== undefined &&
      previous.packId.equals(place.packId) &&
      place.offset >= end &&
      place.offset - end <= maxGapBytes &&
      placeEnd - start <= maxSpanBytes;
    if (previous !== undefined && !isNeighbor) {
      yield { places, start, end };
      places = [];
    }
    if (places.length === 0) start = place.offset;
    places.push(place);
    end = placeEnd;
  }
  if (places.length > 0) yield { places, start, end };
}

export function notHere(id: Buffer): FarkeepError {
  return new FarkeepError('call.not-found', `Block ${id.toString('hex')} is not in this repository`);
}
