// Owns looking at a server and deciding about its certificate, without any consequence: nothing is sent after the handshake, nothing is
// stored, nobody is asked.
import { errorCatalogue } from '../../contracts/errors.ts';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import { adviceAgainst } from '../../contracts/models/trust-texts.ts';
import type { TlsInfo, TrustDecision } from '../../contracts/models/trust.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { systemErrorCode } from '../../kernel/system-error.ts';
import { summarize } from '../certificate/certificate-summary.ts';
import { cleanThumbprint, thumbprintOf, type Thumbprint } from '../certificate/thumbprint.ts';
import { lookAtServer, type PresentedCertificates } from './peer-certificates.ts';
import { decideTrust, type RevocationAnswer, type TrustFinding, type TrustInput, type TrustPin } from './trust.ts';

export interface ServerCheckOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must cover. */
  readonly name: string;
  /** PEM of authorities in addition to those of the system. */
  readonly extraRoots: readonly string[];
  readonly fingerprint: Thumbprint | undefined;
  readonly pins: readonly TrustPin[];
  readonly revocation: (presented: PresentedCertificates) => Promise<RevocationAnswer | undefined>;
  /** How to use a thumbprint that was compared, as a sentence. */
  readonly thumbprintAdvice: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal | undefined;
}

export interface ServerCheck extends TrustDecision {
  readonly findings: readonly TrustFinding[];
  /** Next step after a refusal; undefined when the certificate is not refused. */
  readonly advice: string | undefined;
  readonly certificate: CertificateSummary;
  readonly tls: TlsInfo;
}

const controlProtocol = 'farkeep/1';

/** @throws FarkeepError gateway.unreachable, tls.version, tls.failed */
export async function checkServer(options: ServerCheckOptions): Promise<ServerCheck> {
  const { name, clock, pins, fingerprint } = options;
  const presented = await inspect(options);
  const revocation = await options.revocation(presented);
  const input: TrustInput = { ...presented, nameDialed: name, now: clock.now(), pins, fingerprint, revocation };
  const result = decideTrust(input);
  return {
    decision: result.decision,
    reasons: result.reasons,
    findings: result.findings,
    advice: result.decision === 'refused' ? adviceFor(input, options.thumbprintAdvice) : undefined,
    certificate: summarize(presented.leafDer),
    tls: presented.tls,
  };
}

/** Returns the next step as a sentence. Suggests a comparison of thumbprints only if a thumbprint would be sufficient for trust. */
function adviceFor(input: TrustInput, thumbprintAdvice: string): string {
  if (input.fingerprint !== undefined) return errorCatalogue['trust.thumbprint-mismatch'].hint;
  const fingerprint = cleanThumbprint(thumbprintOf(input.leafDer));
  const { decision, findings } = decideTrust({ ...input, fingerprint });
  const left = findings.filter(({ isRefusing }) => isRefusing).map(({ reason }) => reason);
  return decision === 'refused'
    ? (adviceAgainst(left) ?? errorCatalogue['trust.refused'].hint)
    : `Ask your provider for the thumbprint, for example by phone, and compare it. ${thumbprintAdvice}`;
}

/** Offers the Farkeep protocol first. A server of another kind may refuse this, and is then checked without a protocol name. */
async function inspect({ host, port, name, extraRoots, signal }: ServerCheckOptions): Promise<PresentedCertificates> {
  const options = { host, port, serverName: name, extraRoots, ...(signal === undefined ? {} : { signal }) };
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
