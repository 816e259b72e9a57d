// Owns certificates for tests. They are made at run time, so that no private key is stored in the repository. Must not be used by the
// product.
import { createPrivateKey } from 'node:crypto';

import type { Secret } from '../../kernel/secret.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import {
  createInfrastructureAuthority,
  InfrastructureAuthority,
  type KeyAndCertificate,
} from '../../pki/create/issue.ts';

export interface FixtureIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

function toIdentity({ certificatePem, privateKey }: { certificatePem: string; privateKey: Secret }): FixtureIdentity {
  const key = createPrivateKey({ key: privateKey.bytes, format: 'der', type: 'pkcs8' });
  return { certificatePem, privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }) };
}

/** RSA 2048 takes a noticeable moment; make the certificate once for a test file. */
export async function makeSelfSigned(
  commonName: string,
  dnsNames: readonly string[] = ['localhost'],
): Promise<FixtureIdentity> {
  return toIdentity(await generateSelfSigned({ subject: { commonName }, keyBits: 2048, dnsNames }));
}

export interface FixtureAuthority {
  readonly certificatePem: string;
  readonly authority: InfrastructureAuthority;
  /** A certificate for servers, signed by this authority. */
  issueServer(commonName: string, names?: readonly string[]): Promise<FixtureIdentity>;
}

export async function makeAuthority(commonName: string): Promise<FixtureAuthority> {
  const material: KeyAndCertificate = await createInfrastructureAuthority({ commonName });
  const authority = new InfrastructureAuthority(material);
  return {
    certificatePem: material.certificatePem,
    authority,
    issueServer: async (name, names = ['localhost', '127.0.0.1']) =>
      toIdentity(await authority.issueServerCertificate({ commonName: name, names })),
  };
}
