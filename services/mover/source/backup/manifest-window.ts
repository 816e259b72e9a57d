// Owns the entries between the walk and the manifest. Files become ready in any order, but the manifest is written in tree order. Passes
// each full manifest block on to be sent. Does not limit the number of entries: the walk must wait when too many are open.
import { blockIdOf } from '../../../blocks/block.ts';
import { describeManifest } from '../../../repository/points/manifest-chain.ts';
import type { ManifestBlockReference } from '../../../repository/points/manifest-chain.ts';
import { ManifestEncoder } from '../../../repository/points/manifest.ts';
import type { PointRoot } from '../../../repository/points/point-root-fields.ts';
import { entryItems, plainEntry } from './manifest-entry.ts';
import type { EntryFacts, ReadContent } from './manifest-entry.ts';
import { OwnerNames } from './owner-names.ts';

interface Slot {
  /** undefined for an entry that is left out of the manifest. */
  facts: EntryFacts | undefined;
  content: ReadContent | undefined;
  isReady: boolean;
}

const removedTogether = 1024;

export class ManifestWindow {
  readonly #storeBlock: (id: Buffer, content: Buffer) => void;
  readonly #encoder = new ManifestEncoder();
  readonly #owners = new OwnerNames();
  readonly #blocks: ManifestBlockReference[] = [];
  /** Entries by number, starting with `#first`. Written entries stay until many can be removed together. */
  #slots: Slot[] = [];
  #first = 0;
  #nextWritten = 0;

  constructor(storeBlock: (id: Buffer, content: Buffer) => void) {
    this.#storeBlock = storeBlock;
  }

  /** Number of entries that are not written yet. */
  get size(): number {
    return this.#first + this.#slots.length - this.#nextWritten;
  }

  /** Adds an entry that need not be read. */
  add(facts: EntryFacts): void {
    this.#put({ facts, content: undefined, isReady: true });
  }

  /** Reserves a place for a file. The caller later passes the returned number to `complete`. */
  expect(): number {
    return this.#put({ facts: undefined, content: undefined, isReady: false });
  }

  /** @param facts undefined when the entry is left out of the manifest */
  complete(index: number, facts: EntryFacts | undefined, content?: ReadContent): void {
    const slot = index < this.#nextWritten ? undefined : this.#slots[index - this.#first];
    if (slot === undefined) return;
    slot.facts = facts;
    slot.content = content;
    slot.isReady = true;
  }

  /** Writes all ready entries up to the first entry that is not ready. */
  write(): void {
    for (let slot = this.#nextSlot; slot?.isReady === true; slot = this.#nextSlot) {
      const { facts, content } = slot;
      slot.facts = undefined;
      slot.content = undefined;
      this.#nextWritten += 1;
      if (facts === undefined) continue;
      const base = plainEntry(facts, this.#owners);
      for (const item of entryItems(base, facts, content)) this.#store(this.#encoder.add(item));
    }
    const written = this.#nextWritten - this.#first;
    if (written < removedTogether && written < this.#slots.length) return;
    this.#slots = this.#slots.slice(written);
    this.#first = this.#nextWritten;
  }

  get #nextSlot(): Slot | undefined {
    return this.#slots[this.#nextWritten - this.#first];
  }

  /** Sends the last blocks. Returns the description of the tree for the root. */
  finish(): Pick<PointRoot, 'manifest' | 'totals'> {
    this.#store([this.#encoder.finish()]);
    const { manifest, listBlocks } = describeManifest(this.#blocks, blockIdOf);
    for (const { id, content } of listBlocks) this.#storeBlock(id, content);
    return { manifest, totals: this.#encoder.totals };
  }

  #put(slot: Slot): number {
    return this.#first + this.#slots.push(slot) - 1;
  }

  #store(contents: readonly Buffer[]): void {
    for (const content of contents) {
      const id = blockIdOf(content);
      this.#blocks.push({ id, lengthBytes: content.length });
      this.#storeBlock(id, content);
    }
  }
}
