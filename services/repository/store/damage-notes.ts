// Owns the list of damaged blocks that one store has found while reading. The blocks are marked together, a moment later or when the store
// is closed. If the marks cannot be written (a read-only disk), the failure is logged and reading continues.
import { systemClock, type Timer } from '../../kernel/clock.ts';
import { SerialQueue } from '../../kernel/serial-queue.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { BlockPlace } from './catalogue.ts';
import type { DamagedPack } from '../packs/damage-marks.ts';
import { packName } from '../packs/pack-format.ts';

export interface FoundDamage {
  readonly blocks: number;
  /** Names below the tenant folder. */
  readonly packs: readonly string[];
}

const delayMs = 1000;

export class DamageNotes {
  readonly #mark: (packs: readonly DamagedPack[]) => Promise<void>;
  readonly #onMarked: (found: FoundDamage) => void;
  readonly #logger: Logger;
  #packs = new Map<string, { readonly packId: Buffer; readonly ids: Map<string, Buffer> }>();
  readonly #queue = new SerialQueue();
  #timer: Timer | undefined;

  constructor(options: {
    readonly mark: (packs: readonly DamagedPack[]) => Promise<void>;
    readonly onMarked: (found: FoundDamage) => void;
    readonly logger: Logger;
  }) {
    this.#mark = options.mark;
    this.#onMarked = options.onMarked;
    this.#logger = options.logger;
  }

  note({ id, packId, isMarked }: BlockPlace): void {
    if (isMarked) return;
    const key = packId.toString('latin1');
    const pack = this.#packs.get(key) ?? { packId, ids: new Map<string, Buffer>() };
    pack.ids.set(id.toString('latin1'), Buffer.from(id));
    this.#packs.set(key, pack);
    this.#timer ??= systemClock.startTimer(delayMs, () => void this.write(), { isBackground: true });
  }

  /** Marks all noted blocks. Resolves when they are marked or the marking has failed. Never rejects. */
  write(): Promise<void> {
    this.#timer?.stop();
    this.#timer = undefined;
    return this.#queue.run(() => this.#writeNow());
  }

  async #writeNow(): Promise<void> {
    const noted = [...this.#packs.values()].map(({ packId, ids }) => ({
      packId,
      ids: [...ids.values()],
      // The reader compares the block with the checksum that was stored with it. So a difference means that the disk has changed the block.
      untrueIds: [],
    }));
    if (noted.length === 0) return;
    this.#packs = new Map();
    const found: FoundDamage = {
      blocks: noted.reduce((sum, { ids }) => sum + ids.length, 0),
      packs: noted.map(({ packId }) => packName(packId)),
    };
    try {
      await this.#mark(noted);
    } catch (error) {
      this.#logger.error('Damaged blocks could not be marked and still count as present', { ...found, error });
      return;
    }
    this.#logger.error('Damaged blocks were found and marked; the next backup sends them again', { ...found });
    this.#onMarked(found);
  }
}
