// Owns the memory in which a backup lane keeps file contents between disk and network: a few equal arenas, each free again when the last
// of its blocks is settled. The bound on the lane's memory and the back-pressure from the target to the disk are here.

export class Arena {
  readonly start: number;
  readonly end: number;
  /** First free byte. */
  used: number;
  /** Blocks that are not settled. */
  undurableBlocks = 0;
  /** Nothing more will be put in. */
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

  /** Seals the current arena, if any, and makes a free one current; waits until there is one. One caller at a time. */
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

  /** A block of the arena is not needed any more. */
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
