// Owns the proof that a certificate and its key can serve: a TLS 1.3 handshake with itself, in memory. OpenSSL checks the chain during the
// handshake.
import { duplexPair } from 'node:stream';
import tls from 'node:tls';
import { withDeadline } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Secret } from '../../kernel/secret.ts';
import { shieldFromPeer } from '../../kernel/tls-peer.ts';
import { trustedRoots } from './peer-certificates.ts';

export interface Trial {
  readonly isChainTrusted: boolean;
}

/**
 * The handshake runs in this process, so only a defect can reach this limit. A busy machine must not cause refusal of a good certificate.
 */
const timeLimitMs = 60_000;

/** @throws FarkeepError 'certificate.malformed' when a TLS 1.3 handshake with this certificate and key fails */
export async function tryServing({
  certificatePem,
  chainPem,
  privateKey,
  extraRoots = [],
}: {
  certificatePem: string;
  chainPem: string;
  privateKey: Secret;
  extraRoots?: readonly string[];
}): Promise<Trial> {
  const [clientEnd, serverEnd] = duplexPair();
  let server: tls.TLSSocket | undefined;
  let client: tls.TLSSocket | undefined;
  try {
    const serverContext = tls.createSecureContext({
      cert: certificatePem + chainPem,
      key: pkcs8Pem(privateKey),
      minVersion: 'TLSv1.3',
    });
    server = new tls.TLSSocket(serverEnd, { isServer: true, secureContext: serverContext });
    server.on('error', () => undefined);
    const connected = tls.connect({
      socket: clientEnd,
      ca: trustedRoots(extraRoots),
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    client = connected;
    shieldFromPeer(connected);
    const secured = new Promise<void>((resolve, reject) => {
      connected.once('secureConnect', resolve);
      connected.once('error', reject);
      connected.once('close', () => reject(new Error('closed')));
    });
    await withDeadline({ limitMs: timeLimitMs, onLate: () => new Error('no answer') }, () => secured);
    return { isChainTrusted: connected.authorized };
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'No TLS 1.3 connection can be made with this certificate and key', {
      cause: error,
    });
  } finally {
    client?.on('error', () => undefined);
    client?.destroy();
    server?.destroy();
  }
}

function pkcs8Pem(privateKey: Secret): string {
  const lines = privateKey.bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
