// Owns certificate files for tests, made by other software: openssl with its legacy provider, keytool, node-forge. For tests only.
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import forge from 'node-forge';
import type { OpenSsl, TestCertificate } from './openssl.ts';

const run = promisify(execFile);

export interface Pkcs12Options {
  readonly password: string;
  readonly chain?: readonly TestCertificate[];
  /** Arguments of `openssl pkcs12 -export`. */
  readonly args?: readonly string[];
  readonly name?: string;
}

/** `openssl pkcs12 -export` */
export async function opensslPkcs12(
  openssl: OpenSsl,
  certificate: TestCertificate,
  options: Pkcs12Options,
): Promise<Buffer> {
  const out = openssl.path(`${randomBytes(6).toString('hex')}.p12`);
  const chain = await openssl.write('chain.pem', (options.chain ?? []).map(({ certPem }) => certPem).join(''));
  const password = await openssl.write('password', `${options.password}\n`);
  await openssl.run(
    'pkcs12',
    '-export',
    ...['-in', certificate.certFile, '-inkey', certificate.keyFile, '-out', out, '-passout', `file:${password}`],
    ...((options.chain ?? []).length > 0 ? ['-certfile', chain] : []),
    ...(options.name === undefined ? [] : ['-name', options.name]),
    ...(options.args ?? []),
  );
  return readFile(out);
}

/** A JDK is large and often missing; the tests that need it are then skipped, and the test report shows this. */
export const hasKeytool = spawnSync('keytool', ['-help'], { timeout: 30_000 }).error === undefined;

/** `keytool -genkeypair` with a new self-signed certificate. @param javaArgs such as "-J-Dkeystore.pkcs12.legacy" */
export async function keytoolPkcs12(
  openssl: OpenSsl,
  {
    password,
    keyAlgorithm,
    javaArgs = [],
  }: { password: string; keyAlgorithm: 'RSA' | 'EC'; javaArgs?: readonly string[] },
): Promise<Buffer> {
  const file = openssl.path(`${randomBytes(6).toString('hex')}.p12`);
  const args = [
    ...javaArgs,
    ...['-genkeypair', '-alias', 'Provider Key', '-storetype', 'PKCS12', '-keystore', file, '-storepass', password],
    ...['-dname', 'CN=keytool, O=Northwind', '-validity', '30', '-ext', 'SAN=dns:gw.a.test'],
    ...(keyAlgorithm === 'RSA' ? ['-keyalg', 'RSA', '-keysize', '2048'] : ['-keyalg', 'EC', '-groupname', 'secp256r1']),
  ];
  await run('keytool', args, { timeout: 60_000, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return readFile(file);
}

/** node-forge, RSA only. A password of null means no password, which differs from an empty one. */
export function forgePkcs12(
  certificate: TestCertificate,
  {
    password,
    algorithm,
    chain = [],
  }: { password: string | null; algorithm: '3des' | 'aes256'; chain?: readonly TestCertificate[] },
): Buffer {
  const certificates = [certificate, ...chain].map(({ certPem }) => forge.pki.certificateFromPem(certPem));
  const asn1 = forge.pkcs12.toPkcs12Asn1(forge.pki.privateKeyFromPem(certificate.keyPem), certificates, password, {
    algorithm,
    friendlyName: 'From forge',
  });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
