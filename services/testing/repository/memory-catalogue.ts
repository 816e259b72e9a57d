// Owns the simplest catalogue in memory that passes catalogue-conformance.ts. For tests of code that uses a catalogue.
import { blockIdBytes, keyOfId } from '../../blocks/block.ts';
import type { DamageMarks } from '../../repository/packs/damage-marks.ts';
import { blockHeaderBytes, indexEntryBytes, type PackBlock } from '../../repository/packs/pack-format.ts';
import type { BlockPlace, Catalogue, CatalogueReplacement, Catalogues } from '../../repository/store/catalogue.ts';

interface KnownPack {
  readonly packId: Buffer;
  readonly sizeBytes: number;
}

/** The place of a block in a pack, and whether the place is marked as damaged. */
interface KnownPlace {
  readonly block: PackBlock;
  readonly packId: Buffer;
  isMarked: boolean;
  isUntrue: boolean;
}

export class MemoryCatalogue implements Catalogue {
  readonly #packs = new Map<string, KnownPack>();
  /** Places by block: at most one unmarked place, and any number of marked places. */
  readonly #places = new Map<string, KnownPlace[]>();
  readonly #reservations = new Map<string, number>();
  readonly #appliedMarks = new Set<string>();

  has(id: Buffer): boolean {
    return this.#placesOf(id).some(({ isMarked }) => !isMarked);
  }

  hasAll(ids: readonly Buffer[]): boolean[] {
    return ids.map((id) => this.has(id));
  }

  missing(ids: Buffer): Buffer[] {
    const found: Buffer[] = [];
    for (let at = 0; at < ids.length; at += blockIdBytes) {
      const id = ids.subarray(at, at + blockIdBytes);
      if (!this.has(id)) found.push(Buffer.from(id));
    }
    return found;
  }

  find(id: Buffer): BlockPlace | undefined {
    const places = this.#placesOf(id);
    const found = places.find(({ isMarked }) => !isMarked) ?? places[0];
    return found === undefined ? undefined : { ...found.block, packId: found.packId, isMarked: found.isMarked };
  }

  blocksInPack(packId: Buffer): Buffer[] {
    return [...this.#places.values()]
      .flat()
      .filter((place) => place.packId.equals(packId) && !place.isUntrue)
      .map(({ block }) => block.id);
  }

  packIds(): Buffer[] {
    return [...this.#packs.values()].map(({ packId }) => packId);
  }

  addPack(
    packId: Buffer,
    sizeBytes: number,
    blocks: readonly PackBlock[],
    { writer, marks }: { readonly writer?: string | undefined; readonly marks?: DamageMarks } = {},
  ): number {
    if (writer !== undefined && this.#reservations.has(writer))
      this.#reservations.set(writer, Math.max(0, this.#reservedBy(writer) - sizeBytes));
    if (this.#packs.has(keyOfId(packId))) return 0;
    this.#packs.set(keyOfId(packId), { packId: Buffer.from(packId), sizeBytes });
    let replaced = 0;
    for (const block of blocks) {
      const isMarked = marks?.has(packId, block.id) === true;
      const places = this.#placesOf(block.id);
      if (!isMarked && this.has(block.id)) continue;
      if (!isMarked && places.length > 0) replaced += 1;
      const isUntrue = isMarked && marks.isUntrue(packId, block.id);
      const own = { ...block, id: Buffer.from(block.id) };
      places.push({ block: own, packId: Buffer.from(packId), isMarked, isUntrue });
      this.#places.set(keyOfId(block.id), places);
    }
    return replaced;
  }

  removePack(packId: Buffer): void {
    this.#packs.delete(keyOfId(packId));
    for (const [key, places] of this.#places) {
      this.#places.set(
        key,
        places.filter((place) => !place.packId.equals(packId)),
      );
    }
  }

  applyMarks(marks: DamageMarks): void {
    if (marks.names.every((name) => this.#appliedMarks.has(name))) return;
    this.#mark(marks);
  }

  setMarks(marks: DamageMarks, better: Iterable<BlockPlace> = []): void {
    for (const [key, places] of this.#places) {
      for (const place of places.filter(({ isMarked, packId, block }) => isMarked && !marks.has(packId, block.id))) {
        if (this.has(place.block.id))
          this.#places.set(
            key,
            this.#placesOf(place.block.id).filter((each) => each !== place),
          );
        else Object.assign(place, { isMarked: false, isUntrue: false });
      }
    }
    this.#appliedMarks.clear();
    this.#mark(marks);
    for (const { packId, isMarked: _isMarked, ...block } of better) {
      if (!this.#packs.has(keyOfId(packId)) || this.has(block.id)) continue;
      const places = this.#placesOf(block.id);
      places.push({ block, packId, isMarked: false, isUntrue: false });
      this.#places.set(keyOfId(block.id), places);
    }
  }

  #mark(marks: DamageMarks): void {
    for (const place of [...this.#places.values()].flat()) {
      if (!marks.has(place.packId, place.block.id)) continue;
      place.isMarked = true;
      place.isUntrue = marks.isUntrue(place.packId, place.block.id);
    }
    for (const name of marks.names) this.#appliedMarks.add(name);
  }

  packBytes(): number {
    let bytes = 0;
    for (const { sizeBytes } of this.#packs.values()) bytes += sizeBytes;
    for (const { block, isMarked, isUntrue } of [...this.#places.values()].flat())
      if (isMarked && !isUntrue) bytes -= block.storedLength + blockHeaderBytes + indexEntryBytes;
    return Math.max(0, bytes);
  }

  reserve(writer: string, neededBytes: number, wantedBytes: number, quotaBytes: number, otherBytes: number): number {
    let free = quotaBytes - otherBytes - this.packBytes();
    for (const bytes of this.#reservations.values()) free -= bytes;
    if (free < neededBytes) return 0;
    const granted = Math.max(neededBytes, Math.min(wantedBytes, Math.floor(free / 4)));
    this.#reservations.set(writer, this.#reservedBy(writer) + granted);
    return granted;
  }

  dropReservation(writer: string): void {
    this.#reservations.delete(writer);
  }

  checkpoint(): void {
    // All data is in memory, so there is nothing to write to disk.
  }

  close(): void {
    // Other users may share this catalogue, so closing does nothing.
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #placesOf(id: Buffer): KnownPlace[] {
    return this.#places.get(keyOfId(id)) ?? [];
  }

  #reservedBy(writer: string): number {
    return this.#reservations.get(writer) ?? 0;
  }
}

export class MemoryCatalogues implements Catalogues {
  #current: MemoryCatalogue | undefined;

  openForReading(): Catalogue | undefined {
    return this.#current;
  }

  openExisting(): Catalogue | undefined {
    return this.#current;
  }

  openForWriting(): Promise<{ readonly catalogue: Catalogue; readonly isNew: boolean }> {
    const isNew = this.#current === undefined;
    this.#current ??= new MemoryCatalogue();
    return Promise.resolve({ catalogue: this.#current, isNew });
  }

  makeTemporary(): Catalogue {
    return new MemoryCatalogue();
  }

  startReplacement(): CatalogueReplacement {
    const catalogue = new MemoryCatalogue();
    return {
      catalogue,
      putInPlace: () => {
        this.#current = catalogue;
      },
    };
  }
}
