// Owns what one store finds damaged while it reads blocks: collected, and marked together a moment later or at the end.
// Where nothing can be written (a read-only disk) it says so in the log and the reading goes on.
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

  /** Resolves when everything noted before is marked, or cannot be. Never rejects. */
  write(): Promise<void> {
    this.#timer?.stop();
    this.#timer = undefined;
    return this.#queue.run(() => this.#writeNow());
  }

  async #writeNow(): Promise<void> {
    const noted = [...this.#packs.values()].map(({ packId, ids }) => ({
      packId,
      ids: [...ids.values()],
      // Reading compares with the checksum of what was taken in: what differs has changed on the disk.
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
    this.#logger.error('Damaged blocks were met and are marked; the next backup sends them again', { ...found });
    this.#onMarked(found);
  }
}
