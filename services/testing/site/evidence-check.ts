// Owns checking a session's evidence as an outsider does it with openssl (README.md). Must not use the code that signs.
import { constants, verify, X509Certificate } from 'node:crypto';

export interface SignedStatement {
  readonly statement: string;
  /** base64 */
  readonly signature: string;
  /** PEM */
  readonly certificate: string;
}

const curveHashes: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** Whether the certificate's key has signed exactly this statement. */
export function isEvidenceGenuine({ statement, signature, certificate }: SignedStatement): boolean {
  const { publicKey: key } = new X509Certificate(certificate);
  const bytes = [Buffer.from(statement), Buffer.from(signature, 'base64')] as const;
  if (key.asymmetricKeyType === 'rsa') {
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    return verify('sha256', bytes[0], { key, ...padding }, bytes[1]);
  }
  const hash = curveHashes[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? null;
  return verify(hash, bytes[0], key, bytes[1]);
}
