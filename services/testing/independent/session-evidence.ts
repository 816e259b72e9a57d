// Owns checking the evidence of a session (docs/control-messages.md, "Evidence"). Part of the second implementation: written from docs/ alone.
import { constants, createHash, verify, X509Certificate } from 'node:crypto';

const hashes: Readonly<Record<string, string | null>> = {
  'RSA-PSS-SHA256': 'sha256',
  'ECDSA-SHA256': 'sha256',
  'ECDSA-SHA384': 'sha384',
  'ECDSA-SHA512': 'sha512',
  Ed25519: null,
};

/** @throws when this provider did not sign the statement. @param thumbprint of the accepted certificate, "AB:CD:..." */
export function checkEvidence(
  evidence: Readonly<Record<string, unknown>>,
  thumbprint: string,
): Record<string, unknown> {
  const { statement, signature, algorithm, certificate } = evidence as Record<string, string | undefined>;
  const hash = hashes[algorithm ?? ''];
  if (hash === undefined) throw new Error('An unknown algorithm');
  const { raw, publicKey } = new X509Certificate(certificate ?? '');
  const shown = createHash('sha256').update(raw).digest('hex').toUpperCase();
  if (shown !== thumbprint.replaceAll(':', '')) throw new Error('Another certificate than the one that was accepted');
  const padding = algorithm === 'RSA-PSS-SHA256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const signed = Buffer.from(statement ?? '', 'utf8');
  if (!verify(hash, signed, { key: publicKey, ...padding }, Buffer.from(signature ?? '', 'base64')))
    throw new Error('The statement was not signed by this provider');
  return JSON.parse(statement ?? '') as Record<string, unknown>;
}
