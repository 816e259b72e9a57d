// Owns converting a certificate with its key into options of a TLS server, and refusing one that cannot serve. Must not store or load
// certificates.
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { systemErrorCode } from '../kernel/system-error.ts';
import { tlsRules } from './tls-settings.ts';

/** Certificate and key of a slot; `chainPem` holds the intermediates that are sent too. */
export interface ServerIdentity {
  readonly certificatePem: string;
  readonly chainPem?: string;
  readonly privateKeyPem: string;
}

/** @throws FarkeepError `certificate.malformed`, `certificate.key-mismatch` */
export function checkIdentity(identity: ServerIdentity): void {
  let isKeyFitting: boolean;
  try {
    createSecureContext(identityContext(identity));
    // OpenSSL notices a wrong private key only if the key has the same type as the certificate's key.
    isKeyFitting = new X509Certificate(identity.certificatePem).checkPrivateKey(
      createPrivateKey(identity.privateKeyPem),
    );
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unreadable';
    throw new FarkeepError(
      code.includes('KEY_VALUES_MISMATCH') ? 'certificate.key-mismatch' : 'certificate.malformed',
      `The certificate cannot be put in service (${code})`,
      { cause: error },
    );
  }
  if (!isKeyFitting)
    throw new FarkeepError('certificate.key-mismatch', 'The private key belongs to another certificate');
}

export function identityContext(identity: ServerIdentity): SecureContextOptions {
  return {
    ...tlsRules,
    cert: `${identity.certificatePem.trim()}\n${identity.chainPem ?? ''}`,
    key: identity.privateKeyPem,
    // No resumption: every connection shows its certificate and negotiates a new key.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
