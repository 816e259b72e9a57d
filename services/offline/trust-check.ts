// Owns `farkeep trust check`: one handshake with a server and one trust decision, without a service. Must not send data after the handshake
// and must not store anything.
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { canonicalHost } from '../kernel/host-name.ts';
import { readCrls } from '../pki/trust/crl.ts';
import { splitPemCertificates } from '../pki/certificate/pem.ts';
import { defaultRevocationPolicy, RevocationChecker } from '../pki/trust/revocation.ts';
import { cleanThumbprint } from '../pki/certificate/thumbprint.ts';
import { checkServer, type ServerCheck } from '../pki/trust/server-check.ts';

export interface TrustCheckOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must cover; default: the host. */
  readonly name?: string;
  /** PEM text of additional trusted authorities. */
  readonly rootsPem?: string;
  /** A thumbprint as a person pastes it. */
  readonly fingerprint?: string;
  /** Revocation lists that the user passed, PEM or DER. */
  readonly crls?: readonly { readonly file: string; readonly bytes: Buffer }[];
  /** Whether to fetch lists from the addresses in the certificates, if the chain is otherwise valid. */
  readonly fetchesCrls?: boolean;
  /** Whether to refuse a certificate with unknown revocation status; otherwise the unknown status is a warning. */
  readonly requiresRevocation?: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** @throws FarkeepError gateway.unreachable, tls.version, tls.failed, call.invalid, trust.thumbprint-malformed, certificate.malformed */
export async function checkTrust(options: TrustCheckOptions): Promise<ServerCheck> {
  const { name = options.host, clock } = options;
  if (canonicalHost(options.host) === undefined) {
    throw new FarkeepError('call.invalid', `"${options.host}" is not a host name or an address`, {
      hint: 'Give the name or address alone with --host, and the port with --port.',
      field: 'host',
    });
  }
  // Before connecting, so that a wrong option is reported at once.
  const fingerprint = options.fingerprint === undefined ? undefined : cleanThumbprint(options.fingerprint);
  const extraRoots = options.rootsPem === undefined ? [] : splitPemCertificates(options.rootsPem);
  if (options.rootsPem !== undefined && extraRoots.length === 0) {
    throw new FarkeepError('certificate.malformed', 'The file with the roots contains no certificate in PEM format', {
      hint: 'Convert it: openssl x509 -inform der -in FILE -out roots.pem',
    });
  }
  const crls = options.crls ?? [];
  for (const { file, bytes } of crls) checkList(file, bytes);
  const checker = new RevocationChecker({
    crlFiles: crls.map(({ bytes }) => bytes),
    policy: {
      ...defaultRevocationPolicy,
      canFetch: options.fetchesCrls ?? false,
      isRequired: options.requiresRevocation ?? false,
    },
    clock,
  });
  const { host, port, signal } = options;
  return checkServer({
    ...{ host: host.replace(/^\[(.*)\]$/, '$1'), port, name, extraRoots, fingerprint, pins: [], clock, signal },
    thumbprintAdvice: 'If it is equal, pass it with --fingerprint.',
    revocation: (presented) => checker.check(presented, signal),
  });
}

/** Checks one list, so that the error names its file. */
function checkList(file: string, bytes: Buffer): void {
  try {
    readCrls(bytes);
  } catch (error) {
    const { code, message, hint } = toFarkeepError(error);
    throw new FarkeepError(code, `${file}: ${message}`, { hint, field: 'crl', cause: error });
  }
}
