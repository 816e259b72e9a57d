// Owns the bound on the work that an imported file may ask for, and telling how much of it is done. It counts work and never looks at a
// clock: how busy the machine is must not decide whether a file can be read.
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** NSS, Firefox and GnuTLS write 600,000 rounds, Java 10,000, OpenSSL and Windows 2,000. */
const maxRounds = 10_000_000;
/** A unit is one SHA-1 or SHA-256 of a short text, about 0.1 µs: all derivations of a file together take less than a minute. */
const maxUnits = 400_000_000;
/** How much is done between two looks at the progress. */
export const unitsPerSlice = 100_000;
/** Less work is over before anybody could see progress. */
const unitsWorthTelling = 2_000_000;
const smallestStep = 0.01;

export class WorkBudget {
  readonly #onProgress: ((share: number) => void) | undefined;
  #announced = 0;
  #admitted = 0;
  #done = 0;
  #toldShare = 0;

  /** @param onProgress how much of the work that is known is done, from 0 to 1; never less than before, and not for little work */
  constructor(onProgress?: (share: number) => void) {
    this.#onProgress = onProgress;
  }

  /** Work that is known to come, so that progress has an end. */
  announce(units: number): void {
    this.#announced += units;
  }

  /** Call before a derivation. @throws FarkeepError 'certificate.too-costly' */
  admit(units: number): void {
    this.#admitted += units;
    if (this.#admitted > maxUnits) {
      throw new FarkeepError(
        'certificate.too-costly',
        'The file asks for more key derivations than any usual file does',
      );
    }
  }

  /** Call while a derivation runs, for what of it is done. */
  spend(units: number): void {
    this.#done += units;
    const total = Math.max(this.#announced, this.#admitted);
    const share = this.#done / total;
    if (total < unitsWorthTelling || share < this.#toldShare + smallestStep) return;
    this.#toldShare = share;
    this.#onProgress?.(share);
  }
}

/** The rounds that a file asks for, as a number. @throws FarkeepError 'certificate.too-costly'; undefined unless it is positive */
export function roundsWithin(rounds: bigint): number | undefined {
  if (rounds > BigInt(maxRounds)) {
    throw new FarkeepError(
      'certificate.too-costly',
      `The file asks for ${rounds < 10n ** 18n ? rounds.toLocaleString('en-US') : 'more than 10^18'} rounds of key derivation; at most ${maxRounds.toLocaleString('en-US')} are done`,
      { hint: 'Export it again with fewer rounds; 600,000 are usual today.' },
    );
  }
  return rounds < 1n ? undefined : Number(rounds);
}
