// Owns the evidence of a session: its content, its bytes, its signature. Must not contain a key or a file name.
import { constants, sign, type KeyObject } from 'node:crypto';
import type { SessionDetail } from '../contracts/models/session.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

export type EvidenceAlgorithm = 'RSA-PSS-SHA256' | 'ECDSA-SHA256' | 'ECDSA-SHA384' | 'ECDSA-SHA512' | 'Ed25519';

export interface EvidenceParties {
  readonly provider: string;
  readonly tenant: string;
  readonly storedBytes: number;
}

/** Canonical JSON: the fields in this order, no blanks, UTF-8. The signature covers exactly these bytes. */
export function evidenceStatement(detail: SessionDetail, { provider, tenant, storedBytes }: EvidenceParties): string {
  const { progress } = detail;
  return JSON.stringify({
    farkeepEvidence: 1,
    sessionId: detail.id,
    kind: detail.kind,
    provider,
    tenant,
    repository: detail.repository,
    pointId: detail.pointId,
    state: detail.state,
    createdAt: detail.createdAt,
    endedAt: detail.endedAt,
    attempts: detail.attempt,
    certificateSha256: detail.certificateSha256,
    tls: detail.tls,
    keys: detail.keys.map(({ attempt, keyA, keyB }) => ({ attempt, keyA, keyB })),
    readBytes: progress.readBytes,
    transferredBytes: progress.transferredBytes,
    storedBytes,
    warnings: detail.warningCount,
    hasSecurityWarning: detail.hasSecurityWarning,
    errorCode: detail.error?.code ?? null,
  });
}

const ecAlgorithms: Readonly<Record<string, { name: EvidenceAlgorithm; hash: string }>> = {
  prime256v1: { name: 'ECDSA-SHA256', hash: 'sha256' },
  secp384r1: { name: 'ECDSA-SHA384', hash: 'sha384' },
  secp521r1: { name: 'ECDSA-SHA512', hash: 'sha512' },
};

function algorithmOf(key: KeyObject): { name: EvidenceAlgorithm; hash: string | null } {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSA-PSS-SHA256', hash: 'sha256' };
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519', hash: null };
  const algorithm = ecAlgorithms[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType === 'ec' && algorithm !== undefined) return algorithm;
  throw new FarkeepError('certificate.weak', 'The provider identity has a key that cannot sign evidence');
}

function parameters(key: KeyObject): { key: KeyObject; padding?: number; saltLength?: number } {
  return key.asymmetricKeyType === 'rsa'
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };
}

export function signEvidence(statement: string, key: KeyObject): { signature: string; algorithm: EvidenceAlgorithm } {
  const { name, hash } = algorithmOf(key);
  return { signature: sign(hash, Buffer.from(statement), parameters(key)).toString('base64'), algorithm: name };
}
