// Owns the infrastructure authority: the small internal CA for the gateway link and the installer service. Must not issue anything that
// tenants trust.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Secret } from '../../kernel/secret.ts';
import { buildCertificate } from './certificate-builder.ts';
import { readCertificate, toPem } from '../certificate/certificate-summary.ts';
import { exportKey, makeEcKey } from './generate.ts';
import { isStrongKey } from '../certificate/strength.ts';

const dayMs = 86_400_000;
const backdateMs = 5 * 60_000;

export interface KeyAndCertificate {
  readonly certificatePem: string;
  /** PKCS#8 DER, not encrypted. */
  readonly privateKey: Secret;
}

/** A new authority: ECDSA P-256, 20 years, path length 0, so it can never make another authority. */
export async function createInfrastructureAuthority({
  commonName,
  clock = systemClock,
}: {
  commonName: string;
  clock?: Clock;
}): Promise<KeyAndCertificate> {
  const { privateKey, publicKey } = await makeEcKey();
  const der = await buildCertificate(
    {
      subject: { commonName, organizationalUnit: 'Farkeep infrastructure' },
      publicKey,
      ...validity(clock, 20 * 365),
      isAuthority: true,
      usages: [],
    },
    { privateKey },
  );
  return { certificatePem: toPem(der), privateKey: exportKey(privateKey) };
}

/** Issues from an authority made by `createInfrastructureAuthority`. */
export class InfrastructureAuthority {
  readonly certificatePem: string;
  readonly #certificateDer: Buffer;
  readonly #privateKey: KeyObject;
  readonly #clock: Clock;

  constructor({ certificatePem, privateKey }: KeyAndCertificate, clock: Clock = systemClock) {
    this.certificatePem = certificatePem;
    this.#certificateDer = readCertificate(certificatePem).der;
    this.#privateKey = createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' });
    this.#clock = clock;
  }

  /**
   * A client certificate for a public key. The peer made the key pair, so its private key is never sent.
   * @throws FarkeepError 'certificate.malformed' | 'certificate.weak'
   */
  async issueClientCertificate({
    publicKeyPem,
    commonName,
    days = 825,
  }: {
    publicKeyPem: string;
    commonName: string;
    days?: number;
  }): Promise<string> {
    return this.#issue(readPublicKey(publicKeyPem), { commonName, days, usages: ['clientAuth'], names: [] });
  }

  /** The certificate of the infrastructure listener, with a new key. Peers identify it by its fingerprint or by this authority. */
  async issueServerCertificate({
    commonName,
    names,
    days = 3650,
  }: {
    commonName: string;
    /** DNS names and IP addresses. */
    names: readonly string[];
    days?: number;
  }): Promise<KeyAndCertificate> {
    const { privateKey, publicKey } = await makeEcKey();
    return {
      certificatePem: await this.#issue(publicKey, { commonName, days, usages: ['serverAuth'], names }),
      privateKey: exportKey(privateKey),
    };
  }

  async #issue(
    publicKey: KeyObject,
    options: {
      commonName: string;
      days: number;
      usages: ReadonlyArray<'serverAuth' | 'clientAuth'>;
      names: readonly string[];
    },
  ): Promise<string> {
    const der = await buildCertificate(
      {
        subject: { commonName: options.commonName, organizationalUnit: 'Farkeep infrastructure' },
        publicKey,
        ...validity(this.#clock, options.days),
        isAuthority: false,
        usages: options.usages,
        dnsNames: options.names.filter((name) => isIP(name) === 0),
        ipAddresses: options.names.filter((name) => isIP(name) !== 0),
      },
      { privateKey: this.#privateKey, certificateDer: this.#certificateDer },
    );
    return toPem(der);
  }
}

function readPublicKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    if (!pem.includes('BEGIN PUBLIC KEY')) throw new TypeError('not an SPKI public key');
    key = createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'The public key cannot be read', { cause: error });
  }
  if (!isStrongKey(key)) throw new FarkeepError('certificate.weak', 'The public key is too weak');
  return key;
}

function validity(clock: Clock, days: number): { notBefore: Date; notAfter: Date } {
  const now = clock.now();
  return { notBefore: new Date(now - backdateMs), notAfter: new Date(now + days * dayMs) };
}
