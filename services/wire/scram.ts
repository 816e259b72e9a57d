// Owns SCRAM-SHA-256-PLUS bound to the TLS channel by tls-exporter (RFC 5802, 7677, 9266; docs/protocol.md, section 2), both sides,
// sans-IO. Must not use sockets: the caller exports the channel binding and transmits the four messages. Must not keep a password after the
// login.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Secret } from '../kernel/secret.ts';
import { maxSaltBytes, minSaltBytes } from './scram-bounds.ts';

export const scramIterations = 600_000;
/** A server that asks for more rounds is not answered, because the work would take too long. */
const maxIterations = 10_000_000;
const hashBytes = 32;
const saltBytes = 16;
const maxMessageLength = 2048;
const gs2Header = 'p=tls-exporter,,';

const pbkdf2Async = promisify(pbkdf2);

/** What a provider stores instead of a password. */
export interface ScramVerifier {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Takes about a quarter of a second in the thread pool. */
export async function makeScramVerifier(
  password: string,
  { salt = randomBytes(saltBytes), iterations = scramIterations }: { salt?: Buffer; iterations?: number } = {},
): Promise<ScramVerifier> {
  const keys = await deriveScramKeys(password, salt, iterations);
  keys.clientKey.fill(0);
  return { salt, iterations, storedKey: keys.storedKey, serverKey: keys.serverKey };
}

interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** RFC 5802, section 3. */
export async function deriveScramKeys(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const salted = await pbkdf2Async(prepare(password, 'password'), salt, iterations, hashBytes, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const serverKey = hmac(salted, 'Server Key');
  salted.fill(0);
  return { clientKey, storedKey: sha256(clientKey), serverKey };
}

/** ClientProof and ServerSignature over `authMessage` (RFC 5802, section 3). */
export function signScram(keys: ScramKeys, authMessage: string): { clientProof: Buffer; serverSignature: Buffer } {
  return {
    clientProof: xor(keys.clientKey, hmac(keys.storedKey, authMessage)),
    serverSignature: hmac(keys.serverKey, authMessage),
  };
}

export interface ScramClientOptions {
  readonly userName: string;
  readonly password: string;
  /** 32 bytes from the TLS exporter of this connection. */
  readonly channelBinding: Buffer;
  /** A server that asks for fewer rounds is not answered: a false server could then guess the password with little work. */
  readonly minIterations?: number;
  /** For tests only. */
  readonly nonce?: string;
}

/** The tenant's side. Call `first()`, then `answer()`, then `verify()`. */
export class ScramClient {
  readonly #options: ScramClientOptions;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | undefined;

  constructor(options: ScramClientOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(18).toString('base64');
    this.#firstBare = `n=${escapeName(prepare(options.userName, 'user name'))},r=${this.#nonce}`;
  }

  /** client-first-message */
  first(): string {
    return gs2Header + this.#firstBare;
  }

  /** Takes server-first-message, returns client-final-message. Costs the PBKDF2 rounds that the server asks for. */
  async answer(serverFirst: string): Promise<string> {
    const fields = parseFields(serverFirst, ['r', 's', 'i']);
    const [nonce, salt, iterations] = [fields.r, decodeBase64(fields.s), parseIterations(fields.i)];
    if (!nonce.startsWith(this.#nonce) || nonce.length <= this.#nonce.length)
      throw malformed("the nonce does not start with the client's nonce");
    if (salt.length < minSaltBytes || salt.length > maxSaltBytes)
      throw malformed(`the salt has ${salt.length} bytes, outside of ${minSaltBytes} to ${maxSaltBytes}`);
    const minIterations = this.#options.minIterations ?? scramIterations;
    if (iterations < minIterations || iterations > maxIterations) {
      throw new FarkeepError(
        'protocol.malformed',
        `The login asks for ${iterations} rounds, outside of ${minIterations} to ${maxIterations}`,
      );
    }
    const bound = Buffer.concat([Buffer.from(gs2Header, 'ascii'), this.#options.channelBinding]).toString('base64');
    const finalWithoutProof = `c=${bound},r=${nonce}`;
    const keys = await deriveScramKeys(this.#options.password, salt, iterations);
    const { clientProof, serverSignature } = signScram(keys, `${this.#firstBare},${serverFirst},${finalWithoutProof}`);
    keys.clientKey.fill(0);
    this.#serverSignature = serverSignature;
    return `${finalWithoutProof},p=${clientProof.toString('base64')}`;
  }

  /**
   * Takes server-final-message. When it passes, the server knows the verifier and is the other end of this TLS channel.
   * @throws login.refused, security.channel-binding, security.key-proof (the server does not know the verifier)
   */
  verify(serverFinal: string): void {
    if (serverFinal.startsWith('e=')) throw errorFromServer(serverFinal.slice(2));
    const { v } = parseFields(serverFinal, ['v']);
    const expected = this.#serverSignature;
    const given = decodeBase64(v);
    if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new FarkeepError('security.key-proof', 'The server could not prove that it has this account', {
        hint: 'Do not try again. Compare the thumbprint with your provider.',
      });
    }
  }
}

export interface ScramServerOptions {
  readonly channelBinding: Buffer;
  /** Returns undefined for an unknown user. The login then continues with invented values and fails at the end, after the same time. */
  readonly findVerifier: (userName: string) => ScramVerifier | undefined | Promise<ScramVerifier | undefined>;
  /** Secret of the provider; gives every unknown name a salt that stays the same. */
  readonly unknownUserSecret: Secret;
  /** Rounds for new verifiers, and for the invented values of unknown users. */
  readonly iterations?: number;
  /** For tests only. */
  readonly nonce?: string;
}

export type ScramOutcome =
  /** `message` must be sent to the client in any case. */
  | { readonly isAccepted: true; readonly userName: string; readonly message: string }
  | { readonly isAccepted: false; readonly userName: string; readonly message: string; readonly error: FarkeepError };

/** The provider's side. Call `first()`, then `final()`. One object serves one login. */
export class ScramServer {
  readonly #options: ScramServerOptions;
  #state: { userName: string; verifier: ScramVerifier; isKnown: boolean; nonce: string; authStart: string } | undefined;

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  /**
   * Takes client-first-message, returns server-first-message.
   * @throws protocol.malformed, security.channel-binding (the client did not request the binding)
   */
  async first(clientFirst: string): Promise<string> {
    if (/^[ny],/.test(clientFirst)) {
      throw new FarkeepError(
        'security.channel-binding',
        'The client did not bind its login to the TLS channel, which is required',
      );
    }
    if (!clientFirst.startsWith(gs2Header)) throw malformed('the channel binding is not tls-exporter');
    const firstBare = clientFirst.slice(gs2Header.length);
    const fields = parseFields(firstBare, ['n', 'r']);
    if (!/^[\x21-\x2b\x2d-\x7e]{16,128}$/.test(fields.r)) throw malformed('the nonce is not valid');
    const userName = prepare(unescapeName(fields.n), 'user name');
    const found = await this.#options.findVerifier(userName);
    const verifier = found ?? this.#inventVerifier(userName);
    const nonce = fields.r + (this.#options.nonce ?? randomBytes(18).toString('base64'));
    const serverFirst = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
    const authStart = `${firstBare},${serverFirst}`;
    this.#state = { userName, verifier, isKnown: found !== undefined, nonce, authStart };
    return serverFirst;
  }

  /** Takes client-final-message. An attacker cannot distinguish an unknown user from a wrong password. */
  final(clientFinal: string): ScramOutcome {
    const state = this.#state;
    if (state === undefined) throw malformed('the last step came first');
    this.#state = undefined;
    const fields = parseFields(clientFinal, ['c', 'r', 'p']);
    if (fields.r !== state.nonce) throw malformed('the nonce is not the one of this login');
    const { userName, verifier } = state;
    const refuse = (error: FarkeepError): ScramOutcome => ({
      isAccepted: false,
      userName,
      message: `e=${error.code === 'security.channel-binding' ? 'channel-bindings-dont-match' : 'invalid-proof'}`,
      error,
    });

    const finalWithoutProof = clientFinal.slice(0, clientFinal.lastIndexOf(',p='));
    const authMessage = `${state.authStart},${finalWithoutProof}`;
    const proof = decodeBase64(fields.p);
    const signature = hmac(verifier.storedKey, authMessage);
    const isProven =
      proof.length === hashBytes && timingSafeEqual(sha256(xor(proof, signature)), verifier.storedKey) && state.isKnown;
    const expected = Buffer.concat([Buffer.from(gs2Header, 'ascii'), this.#options.channelBinding]);
    const bound = decodeBase64(fields.c);
    // A correct client on an intact channel never gets here, whatever password was typed. So an attacker ends TLS between client and
    // server.
    if (bound.length !== expected.length || !timingSafeEqual(bound, expected)) {
      return refuse(
        new FarkeepError(
          'security.channel-binding',
          `The login of "${userName}" came from another TLS channel than this one`,
        ),
      );
    }
    if (!isProven) return refuse(new FarkeepError('login.refused'));
    return { isAccepted: true, userName, message: `v=${hmac(verifier.serverKey, authMessage).toString('base64')}` };
  }

  #inventVerifier(userName: string): ScramVerifier {
    const derive = (what: string): Buffer =>
      hmac(this.#options.unknownUserSecret.bytes, `farkeep/1 unknown user ${what}\0${userName}`);
    return {
      salt: derive('salt').subarray(0, saltBytes),
      iterations: this.#options.iterations ?? scramIterations,
      storedKey: derive('stored key'),
      serverKey: derive('server key'),
    };
  }
}

function errorFromServer(code: string): FarkeepError {
  if (code === 'channel-bindings-dont-match') return new FarkeepError('security.channel-binding');
  return new FarkeepError('login.refused');
}

/** `a=...,b=...` with exactly these attributes in this order (RFC 5802, section 7; extensions are not supported). */
function parseFields<Name extends string>(message: string, names: readonly Name[]): Record<Name, string> {
  if (message.length > maxMessageLength) throw malformed('it is too long');
  const parts = message.split(',');
  if (parts.length !== names.length) throw malformed('it does not have the expected fields');
  const fields: Partial<Record<Name, string>> = {};
  names.forEach((name, index) => {
    const part = parts[index] ?? '';
    if (!part.startsWith(`${name}=`)) throw malformed(`the field "${name}" is missing`);
    fields[name] = part.slice(2);
  });
  return fields as Record<Name, string>;
}

function parseIterations(text: string): number {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) throw malformed('the number of rounds is not valid');
  return Number(text);
}

function decodeBase64(text: string): Buffer {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw malformed('a field is not base64');
  return Buffer.from(text, 'base64');
}

/**
 * Gives text from different keyboards the same form: compatibility normalization, no-break spaces as spaces, no control characters. This is
 * SASLprep (RFC 4013) without its tables of unassigned code points.
 */
function prepare(text: string, what: string): string {
  const prepared = text
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu, '')
    .replace(/[\p{Zs}]/gu, ' ')
    .normalize('NFKC');
  if (prepared === '' || /[\p{Cc}\p{Cs}\p{Co}]/u.test(prepared)) {
    throw new FarkeepError('call.invalid', `The ${what} is empty or contains characters that are not allowed`);
  }
  return prepared;
}

function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function unescapeName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw malformed('the user name is not escaped');
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest();
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

function malformed(what: string): FarkeepError {
  return new FarkeepError('protocol.malformed', `A login message is malformed: ${what}`);
}
