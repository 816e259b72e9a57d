// Owns the client side of SCRAM-SHA-256-PLUS (docs/protocol.md, section 2). Part of the second implementation: written from docs/ alone.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const gs2Header = 'p=tls-exporter,,';
const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data, 'utf8').digest();

/** Converts a typed text to the form that is sent and hashed. */
export function prepareText(text: string): string {
  const prepared = text
    .replaceAll(/[\u{AD}\u{34F}\u{1806}\u{180B}-\u{180D}\u{200B}-\u{200D}\u{2060}\u{FE00}-\u{FE0F}\u{FEFF}]/gu, '')
    .replaceAll(/\p{Zs}/gu, ' ')
    .normalize('NFKC');
  if (prepared === '' || /[\p{Cc}\p{Cs}\p{Co}]/u.test(prepared)) throw new Error('This text cannot be used');
  return prepared;
}

const saltedPassword = (password: string, salt: Buffer, rounds: number): Promise<Buffer> =>
  promisify(pbkdf2)(Buffer.from(prepareText(password), 'utf8'), salt, rounds, 32, 'sha256');

/** What `login.set-password` sends instead of a password. */
export async function makeVerifier(password: string): Promise<Record<string, string | number>> {
  const [salt, iterations] = [randomBytes(16), 600_000];
  const salted = await saltedPassword(password, salt, iterations);
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
  return {
    ...{ salt: salt.toString('base64'), iterations },
    storedKey: storedKey.toString('base64'),
    serverKey: hmac(salted, 'Server Key').toString('base64'),
  };
}

export interface ScramOptions {
  readonly userName: string;
  readonly password: string;
  readonly channelBinding: Buffer;
  /** 16 to 128 printable characters without a comma; random unless a vector gives it. */
  readonly nonce?: string;
  /** Fewest rounds that a server may request; smaller in the vectors. */
  readonly minRounds?: number;
}

export class ScramLogin {
  readonly #options: ScramOptions;
  readonly #nonce: string;
  readonly #firstBare: string;
  #expected: Buffer = Buffer.alloc(0);

  constructor(options: ScramOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(24).toString('base64');
    const name = prepareText(options.userName).replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#firstBare = `n=${name},r=${this.#nonce}`;
  }

  first(): string {
    return gs2Header + this.#firstBare;
  }

  async final(serverFirst: string): Promise<string> {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]*)$/.exec(serverFirst);
    const [, nonce = '', salt = '', roundsText = ''] = match ?? [];
    const rounds = Number(roundsText);
    if (match === null || !nonce.startsWith(this.#nonce) || nonce === this.#nonce) throw new Error('Another nonce');
    const saltBytes = Buffer.from(salt, 'base64');
    if (saltBytes.length < 8 || saltBytes.length > 64) throw new Error(`A salt of ${saltBytes.length} bytes`);
    if (rounds < (this.#options.minRounds ?? 600_000) || rounds > 10_000_000) throw new Error(`${rounds} rounds`);
    const salted = await saltedPassword(this.#options.password, saltBytes, rounds);
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const bound = Buffer.concat([Buffer.from(gs2Header, 'ascii'), this.#options.channelBinding]).toString('base64');
    const withoutProof = `c=${bound},r=${nonce}`;
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    this.#expected = hmac(hmac(salted, 'Server Key'), authMessage);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  verify(serverFinal: string): void {
    const given = Buffer.from(serverFinal.replace(/^v=/, ''), 'base64');
    if (!serverFinal.startsWith('v=') || given.length !== 32 || !timingSafeEqual(given, this.#expected))
      throw new Error('The provider does not know this account');
  }
}
