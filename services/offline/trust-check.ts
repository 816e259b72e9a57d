// Owns `farkeep trust check`: one handshake with a server and one trust decision, without a service. Must not send data after the handshake
// and must not store anything.
import { errorCatalogue } from '../contracts/errors.ts';
import type { CertificateSummary } from '../contracts/models/certificate.ts';
import { adviceAgainst } from '../contracts/models/trust-texts.ts';
import type { TlsInfo, TrustDecision } from '../contracts/models/trust.ts';
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { canonicalHost } from '../kernel/host-name.ts';
import { systemErrorCode } from '../kernel/system-error.ts';
import { summarize } from '../pki/certificate/certificate-summary.ts';
import { readCrls } from '../pki/trust/crl.ts';
import { lookAtServer, type PresentedCertificates } from '../pki/trust/peer-certificates.ts';
import { splitPemCertificates } from '../pki/certificate/pem.ts';
import { defaultRevocationPolicy, RevocationChecker } from '../pki/trust/revocation.ts';
import { cleanThumbprint, thumbprintOf } from '../pki/certificate/thumbprint.ts';
import { decideTrust, type TrustFinding, type TrustInput } from '../pki/trust/trust.ts';

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

export interface TrustCheckResult extends TrustDecision {
  readonly findings: readonly TrustFinding[];
  /** Next step after a refusal; undefined when the certificate is not refused. */
  readonly advice: string | undefined;
  readonly certificate: CertificateSummary;
  readonly tls: TlsInfo;
}

const controlProtocol = 'farkeep/1';

/** @throws FarkeepError gateway.unreachable, tls.version, tls.failed, call.invalid, trust.thumbprint-malformed, certificate.malformed */
export async function checkTrust(options: TrustCheckOptions): Promise<TrustCheckResult> {
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
    throw new FarkeepError('certificate.malformed', 'The file with the roots holds no certificate in PEM form', {
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
  const presented = await inspect(options, name, extraRoots);
  const revocation = await checker.check(presented, options.signal);
  const input: TrustInput = { ...presented, nameDialed: name, now: clock.now(), pins: [], fingerprint, revocation };
  const result = decideTrust(input);
  return {
    decision: result.decision,
    reasons: result.reasons,
    findings: result.findings,
    advice: result.decision === 'refused' ? adviceFor(input) : undefined,
    certificate: summarize(presented.leafDer),
    tls: presented.tls,
  };
}

/** Returns the next step as a sentence. Suggests a comparison of thumbprints only if a thumbprint would be sufficient for trust. */
function adviceFor(input: TrustInput): string {
  if (input.fingerprint !== undefined) return errorCatalogue['trust.thumbprint-mismatch'].hint;
  const fingerprint = cleanThumbprint(thumbprintOf(input.leafDer));
  const { decision, findings } = decideTrust({ ...input, fingerprint });
  const left = findings.filter(({ isRefusing }) => isRefusing).map(({ reason }) => reason);
  return decision === 'refused'
    ? (adviceAgainst(left) ?? errorCatalogue['trust.refused'].hint)
    : 'Ask your provider for the thumbprint, for example by phone, and compare it. If it is equal, pass it with --fingerprint.';
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

/** Offers the Farkeep protocol first. A server of another kind may refuse this, and is then checked without a protocol name. */
async function inspect(
  { host, port, signal }: TrustCheckOptions,
  serverName: string,
  extraRoots: readonly string[],
): Promise<PresentedCertificates> {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const options = { host: address, port, serverName, extraRoots, ...(signal === undefined ? {} : { signal }) };
  try {
    return await lookAtServer({ ...options, alpnProtocols: [controlProtocol] });
  } catch (error) {
    if (!(error instanceof FarkeepError) || error.code !== 'tls.failed') throw error;
    const { cause } = error;
    const code = systemErrorCode(cause) ?? '';
    if (!code.includes('NO_APPLICATION_PROTOCOL')) throw error;
    return lookAtServer(options);
  }
}
