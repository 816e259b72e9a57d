// Owns the bound on work that an imported file may ask for: rounds of key derivation and time.
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** OpenSSL and Windows use 2,000 rounds, Java 10,000 to 100,000; careful people ask for up to 600,000. */
export const maxRoundsPerKey = 600_000;
const maxRoundsPerFile = 4_000_000;

export class WorkBudget {
  readonly #deadline: number;
  #roundsLeft = maxRoundsPerFile;

  /** @param timeMs for the whole file */
  constructor(timeMs: number) {
    this.#deadline = performance.now() + timeMs;
  }

  /** Call before a derivation of `rounds`. @throws FarkeepError 'certificate.too-costly' */
  spendRounds(rounds: number): void {
    this.#roundsLeft -= rounds;
    if (rounds > maxRoundsPerKey || this.#roundsLeft < 0) {
      throw new FarkeepError(
        'certificate.too-costly',
        `The file asks for ${rounds.toLocaleString('en-US')} rounds of key derivation; at most ${maxRoundsPerKey.toLocaleString('en-US')} are done`,
      );
    }
    this.checkTime();
  }

  /** Call now and then in long loops. @throws FarkeepError 'certificate.too-costly' */
  checkTime(): void {
    if (performance.now() > this.#deadline) {
      throw new FarkeepError('certificate.too-costly', 'Reading the file takes too long');
    }
  }
}
