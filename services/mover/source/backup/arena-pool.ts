// Owns the memory of a backup lane for file contents between disk and network: a few equal arenas. An arena is free again when its last
// block is no longer needed (settled). If no arena is free, the lane must wait. So the memory is bounded, and a slow target slows down
// reading.

export class Arena {
  readonly start: number;
  readonly end: number;
  /** First free byte. */
  used: number;
  /** Number of blocks whose content is still needed. */
  undurableBlocks = 0;
  /** If true, no more content is added. */
  isSealed = false;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
    this.used = start;
  }
}

export class ArenaPool {
  readonly #free: Arena[];
  #waiter: (() => void) | undefined;
  #current: Arena | undefined;

  constructor(arenaBytes: number, count: number) {
    this.#free = Array.from({ length: count }, (_, index) => new Arena(index * arenaBytes, (index + 1) * arenaBytes));
  }

  get current(): Arena | undefined {
    return this.#current;
  }

  /**
   * Seals the current arena, if there is one. Waits until an arena is free, and makes the free arena current. Only one caller may wait at a
   * time.
   */
  async next(): Promise<Arena> {
    this.seal();
    while (this.#free.length === 0) await new Promise<void>((resolve) => (this.#waiter = resolve));
    const arena = this.#free.shift();
    if (arena === undefined) throw new Error('A free arena disappeared');
    arena.used = arena.start;
    arena.isSealed = false;
    this.#current = arena;
    return arena;
  }

  seal(): void {
    const arena = this.#current;
    if (arena === undefined) return;
    this.#current = undefined;
    arena.isSealed = true;
    this.#freeWhenSettled(arena);
  }

  /** Must be called when a block of the arena is no longer needed. */
  settle(arena: Arena): void {
    arena.undurableBlocks -= 1;
    this.#freeWhenSettled(arena);
  }

  #freeWhenSettled(arena: Arena): void {
    if (!arena.isSealed || arena.undurableBlocks > 0) return;
    this.#free.push(arena);
    this.#waiter?.();
    this.#waiter = undefined;
  }
}
