// Owns making a new self-signed certificate with its key. Must not decide the subject (license or machine); the caller does.
import { createPublicKey, generateKeyPair, type KeyObject, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, abortError, systemClock } from '../../kernel/clock.ts';
import { Secret } from '../../kernel/secret.ts';
import { buildCertificate, type SubjectName } from './certificate-builder.ts';
import { toPem } from '../certificate/certificate-summary.ts';

const generateKeyPairAsync = promisify(generateKeyPair);

export const rsaKeySizes = [2048, 3072, 4096] as const;
export type RsaKeySize = (typeof rsaKeySizes)[number];

export interface GenerateOptions {
  readonly subject: SubjectName;
  /** RSA modulus length; 3072 by default. */
  readonly keyBits?: RsaKeySize;
  readonly validYears?: number;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface GeneratedCertificate {
  readonly certificatePem: string;
  /** PKCS#8 DER, not encrypted. The caller must store or dispose this key. */
  readonly privateKey: Secret;
}

/** Clocks of two machines differ: a new certificate must be valid at once on both. */
const backdateMs = 5 * 60_000;

/**
 * A self-signed server certificate: RSA, SHA-256, EKU serverAuth, not an authority, 10 years. The key is made in the thread pool, so the
 * event loop is not blocked.
 * @throws AbortError as soon as the signal fires; a key that is finished after this is discarded
 */
export async function generateSelfSigned({
  subject,
  keyBits = 3072,
  validYears = 10,
  dnsNames = [],
  ipAddresses = [],
  signal,
  clock = systemClock,
}: GenerateOptions): Promise<GeneratedCertificate> {
  const privateKey = await abortable(makeRsaKey(keyBits), signal);
  const notBefore = new Date(clock.now() - backdateMs);
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + validYears);
  const der = await buildCertificate(
    {
      subject,
      publicKey: createPublicKey(privateKey),
      notBefore,
      notAfter,
      isAuthority: false,
      usages: ['serverAuth'],
      dnsNames,
      ipAddresses,
    },
    { privateKey },
  );
  if (signal?.aborted === true) throw abortError();
  return { certificatePem: toPem(der), privateKey: exportKey(privateKey) };
}

async function makeRsaKey(modulusLength: number): Promise<KeyObject> {
  const { privateKey } = await generateKeyPairAsync('rsa', { modulusLength, publicExponent: 0x10001 });
  return privateKey;
}

export async function makeEcKey(): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  return generateKeyPairAsync('ec', { namedCurve: 'P-256' });
}

export function exportKey(key: KeyObject): Secret {
  return Secret.take(key.export({ type: 'pkcs8', format: 'der' }));
}

/** A random name for a machine that has neither license nor host name. */
export function anonymousCommonName(): string {
  return `farkeep-${randomInt(0x1000000).toString(16).padStart(6, '0')}`;
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortError());
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
