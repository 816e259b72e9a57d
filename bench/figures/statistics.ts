// Owns the arithmetic of the benchmark: medians, percentiles, ratios within a round. Pure.

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Nearest rank: the smallest value that is not exceeded by at least `share` (0 to 1) of all values. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** All measured values, by name; one number for each round. */
export class Figures {
  readonly #values = new Map<string, number[]>();

  note(name: string, value: number): void {
    this.#values.set(name, [...this.of(name), value]);
  }

  of(name: string): readonly number[] {
    return this.#values.get(name) ?? [];
  }

  names(): string[] {
    return [...this.#values.keys()].sort();
  }

  median(name: string): number | undefined {
    return median(this.of(name));
  }

  /** The highest of all values whose name contains `part`. */
  highest(part: string): number | undefined {
    const values = this.names()
      .filter((name) => name.includes(part))
      .flatMap((name) => this.of(name));
    return values.length === 0 ? undefined : Math.max(...values);
  }

  /** The median of the ratios of each round. Comparing within a round cancels changes in the machine's speed. */
  ratio(numerator: string, denominator: string): number | undefined {
    const below = this.of(denominator);
    return median(
      this.of(numerator).flatMap((value, round) => {
        const divisor = below[round];
        return divisor === undefined ? [] : [value / divisor];
      }),
    );
  }

  toJson(): Record<string, readonly number[]> {
    return Object.fromEntries(this.names().map((name) => [name, this.of(name)]));
  }
}
