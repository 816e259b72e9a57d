// Owns the limit on the work that an imported file may cause, and the progress of this work. Must not read a clock: the load of the machine
// must not decide whether a file can be read.
import { FarkeepError } from '../../kernel/farkeep-error.ts';

/** NSS, Firefox and GnuTLS write 600,000 rounds, Java 10,000, OpenSSL and Windows 2,000. */
const maxRounds = 10_000_000;
/**
 * One unit is one SHA-1 or SHA-256 of a short text, about 0.1 µs. The limit is less than a minute of work for all derivations of a file.
 */
const maxUnits = 400_000_000;
/** Units between two progress checks. */
export const unitsPerSlice = 100_000;
/** A file with less work is read so fast that progress would not be visible. */
const unitsWorthTelling = 2_000_000;
const smallestStep = 0.01;

export class WorkBudget {
  readonly #onProgress: ((share: number) => void) | undefined;
  #announced = 0;
  #admitted = 0;
  #done = 0;
  #toldShare = 0;

  /** @param onProgress called with the finished share of the announced work, from 0 to 1, never decreasing; not called for little work */
  constructor(onProgress?: (share: number) => void) {
    this.#onProgress = onProgress;
  }

  /** Adds expected work, so that the total for the progress is known. */
  announce(units: number): void {
    this.#announced += units;
  }

  /** Call before a derivation. @throws FarkeepError 'certificate.too-costly' */
  admit(units: number): void {
    this.#admitted += units;
    if (this.#admitted > maxUnits) {
      throw new FarkeepError('certificate.too-costly', 'The file needs more key derivations than this program allows');
    }
  }

  /** Call while a derivation runs, with the units done since the last call. */
  spend(units: number): void {
    this.#done += units;
    const total = Math.max(this.#announced, this.#admitted);
    const share = this.#done / total;
    if (total < unitsWorthTelling || share < this.#toldShare + smallestStep) return;
    this.#toldShare = share;
    this.#onProgress?.(share);
  }
}

/** Converts the number of rounds in a file. @returns undefined unless positive. @throws FarkeepError 'certificate.too-costly' */
export function roundsWithin(rounds: bigint): number | undefined {
  if (rounds > BigInt(maxRounds)) {
    throw new FarkeepError(
      'certificate.too-costly',
      `The file asks for ${rounds < 10n ** 18n ? rounds.toLocaleString('en-US') : 'more than 10^18'} rounds of key derivation; at most ${maxRounds.toLocaleString('en-US')} are allowed`,
      { hint: 'Export it again with fewer rounds; 600,000 are usual today.' },
    );
  }
  return rounds < 1n ? undefined : Number(rounds);
}
