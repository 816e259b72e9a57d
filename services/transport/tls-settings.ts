// Owns the TLS rules of the control channel and the gateway link (docs/protocol.md, section 2): 1.3 only, groups in order, ALPN, exporters.
// Must not decide whether a certificate is trusted.
import type { SecureContextOptions, TLSSocket } from 'node:tls';

export const controlProtocol = 'farkeep/1';
export const linkProtocol = 'farkeep-link/1';
/** Of the WebSocket on the gateway link. */
export const linkPath = '/link';

/** In order of preference; the first hides today's traffic from a quantum computer of tomorrow. */
export const keyAgreementGroups = ['X25519MLKEM768', 'X25519', 'P-256'] as const;
export type KeyAgreementGroup = (typeof keyAgreementGroups)[number];

export const tlsRules = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: keyAgreementGroups.join(':'),
} as const satisfies SecureContextOptions;

/** RFC 9266: `tls-exporter` channel binding. */
const channelBindingLabel = 'EXPORTER-Channel-Binding';
/** Key for the MAC in PROXY headers; known to both ends of one gateway link and to nobody else. */
const proxyKeyLabel = 'EXPORTER-Farkeep-Proxy-Header';
const exportedLengthBytes = 32;

/** What people are shown about a connection. */
export interface TlsSummary {
  /** "TLSv1.3" */
  readonly version: string;
  /** IANA name of the suite, for example "TLS_AES_256_GCM_SHA384". */
  readonly cipher: string;
  readonly group: string;
}

export function channelBindingOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(exportedLengthBytes, channelBindingLabel, Buffer.alloc(0));
}

export function proxyKeyOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(exportedLengthBytes, proxyKeyLabel, Buffer.alloc(0));
}

/** @param group when the caller knows it; Node tells only the client which group was negotiated */
export function summarizeTls(socket: TLSSocket, group?: string): TlsSummary {
  const cipher = socket.getCipher();
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: cipher.standardName,
    group: group ?? negotiatedGroup(socket),
  };
}

function negotiatedGroup(socket: TLSSocket): string {
  const info: unknown = socket.getEphemeralKeyInfo();
  const name =
    typeof info === 'object' && info !== null && 'name' in info && typeof info.name === 'string'
      ? info.name
      : 'unknown';
  // OpenSSL's name for the curve; people and standards call it P-256.
  return name === 'prime256v1' ? 'P-256' : name;
}
