// Owns the TLS rules of the control channel and the gateway link (docs/protocol.md, section 2): 1.3 only, groups in order, ALPN, exporters.
// Must not decide whether a certificate is trusted.
import type { SecureContextOptions, TLSSocket } from 'node:tls';

export const controlProtocol = 'farkeep/1';
export const linkProtocol = 'farkeep-link/1';
/** Path of the WebSocket on the gateway link. */
export const linkPath = '/link';

/** In order of preference. The first protects recorded traffic against future quantum computers. */
export const keyAgreementGroups = ['X25519MLKEM768', 'X25519', 'P-256'] as const;
export type KeyAgreementGroup = (typeof keyAgreementGroups)[number];

export const tlsRules = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: keyAgreementGroups.join(':'),
} as const satisfies SecureContextOptions;

/** RFC 9266: `tls-exporter` channel binding. */
const channelBindingLabel = 'EXPORTER-Channel-Binding';
/** Label of the key for the MAC in PROXY headers; only the two ends of a gateway link know this key. */
const proxyKeyLabel = 'EXPORTER-Farkeep-Proxy-Header';
const exportedLengthBytes = 32;

/** Facts about a connection that people see. */
export interface TlsSummary {
  /** "TLSv1.3" */
  readonly version: string;
  /** IANA name of the cipher suite, for example "TLS_AES_256_GCM_SHA384". */
  readonly cipher: string;
  readonly group: string;
}

export function channelBindingOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(exportedLengthBytes, channelBindingLabel, Buffer.alloc(0));
}

export function proxyKeyOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(exportedLengthBytes, proxyKeyLabel, Buffer.alloc(0));
}

/** @param group given when the caller knows it; Node shows the negotiated group only to the client */
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
  // OpenSSL's name for the curve that standards call P-256.
  return name === 'prime256v1' ? 'P-256' : name;
}
