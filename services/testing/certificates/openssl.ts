// Owns certificates for tests, made by the openssl command: unusual kinds that Farkeep itself never makes. For tests only.
import { execFile } from 'node:child_process';
import { generateKeyPair, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const generate = promisify(generateKeyPair);

export interface IssueOptions {
  /** OpenSSL's form, "/CN=gw.a.test/O=Northwind"; "/" for an empty subject. */
  readonly subject: string;
  /** Lines of an extension section, "subjectAltName=DNS:gw.a.test". */
  readonly extensions?: readonly string[];
  /** Argument of `openssl genpkey`, "EC:P-256", "RSA:2048", "ED25519". */
  readonly key?: string;
  readonly digest?: 'sha256' | 'sha384' | 'sha1' | 'md5';
  /** Days from now; may be negative. */
  readonly notBeforeDays?: number;
  readonly notAfterDays?: number;
  /** The signer; default: self-signed. */
  readonly issuer?: TestCertificate;
}

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const authorityExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const dayMs = 86_400_000;

/** A temporary folder in which openssl runs. */
export class OpenSsl implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<OpenSsl> {
    return new OpenSsl(await mkdtemp(path.join(os.tmpdir(), 'farkeep-openssl-')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs openssl in the folder. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await run('openssl', args, {
      cwd: this.folder,
      timeout: 60_000,
      env: { ...process.env, RANDFILE: '.rnd' },
    });
    return stdout;
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes a file into the folder. @returns its path */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const file = this.path(`${randomBytes(6).toString('hex')}-${name}`);
    await writeFile(file, content);
    return file;
  }

  async key(kind = 'EC:P-256'): Promise<string> {
    const file = this.path(`${randomBytes(6).toString('hex')}.key`);
    const [algorithm = '', parameter = ''] = kind.split(':');
    // Node makes the usual kinds itself, which saves a process for each certificate.
    if (algorithm === 'EC') {
      const { privateKey } = await generate('ec', { namedCurve: parameter });
      await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    } else if (algorithm === 'RSA') {
      const { privateKey } = await generate('rsa', { modulusLength: Number(parameter) });
      await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    } else {
      await this.run('genpkey', '-algorithm', algorithm, '-out', file);
    }
    return file;
  }

  authority(name: string, options: Partial<IssueOptions> = {}): Promise<TestCertificate> {
    return this.issue({
      subject: `/CN=${name}`,
      ...options,
      extensions: [...authorityExtensions, ...(options.extensions ?? [])],
    });
  }

  /** A server certificate for names, "DNS:gw.a.test" or "IP:127.0.0.1". */
  server(names: readonly string[], options: Partial<IssueOptions> = {}): Promise<TestCertificate> {
    return this.issue({
      subject: '/CN=Server',
      ...options,
      extensions: [
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        'extendedKeyUsage=serverAuth',
        ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
        ...(options.extensions ?? []),
      ],
    });
  }

  async issue(options: IssueOptions): Promise<TestCertificate> {
    const name = randomBytes(6).toString('hex');
    const keyFile = await this.key(options.key);
    const file = (extension: string): string => this.path(`${name}.${extension}`);
    await writeFile(file('index'), '');
    await writeFile(
      file('cnf'),
      [
        '[ca]',
        'default_ca=ca',
        '[ca_policy]',
        'commonName=optional',
        'organizationName=optional',
        'countryName=optional',
        'emailAddress=optional',
        '[ca]',
        `database=${file('index')}`,
        `new_certs_dir=${this.folder}`,
        'rand_serial=yes',
        'policy=ca_policy',
        'unique_subject=no',
        'email_in_dn=yes',
        'preserve=yes',
        'string_mask=utf8only',
        '[req]',
        'distinguished_name=dn',
        'string_mask=utf8only',
        '[dn]',
        '[extensions]',
        ...(options.extensions ?? []),
      ].join('\n'),
    );
    await this.run(
      'req',
      '-new',
      '-utf8',
      '-multivalue-rdn',
      '-config',
      file('cnf'),
      '-key',
      keyFile,
      '-subj',
      options.subject,
      '-out',
      file('csr'),
    );
    const stamp = (days: number): string =>
      `${new Date(Date.now() + days * dayMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
    await this.run(
      'ca',
      '-batch',
      '-utf8',
      '-notext',
      ...['-config', file('cnf'), '-extensions', 'extensions', '-in', file('csr'), '-out', file('pem')],
      ...['-md', options.digest ?? 'sha256'],
      ...['-startdate', stamp(options.notBeforeDays ?? -1), '-enddate', stamp(options.notAfterDays ?? 30)],
      ...(options.issuer === undefined
        ? ['-selfsign', '-keyfile', keyFile]
        : ['-cert', options.issuer.certFile, '-keyfile', options.issuer.keyFile]),
    );
    return {
      certFile: file('pem'),
      keyFile,
      certPem: await readFile(file('pem'), 'utf8'),
      keyPem: await readFile(keyFile, 'utf8'),
    };
  }

  /** A CRL of an authority, PEM. */
  async crl(authority: TestCertificate, revoked: readonly TestCertificate[], { days = 7 } = {}): Promise<string> {
    const name = randomBytes(6).toString('hex');
    const file = (extension: string): string => this.path(`${name}.${extension}`);
    await writeFile(file('index'), '');
    await writeFile(file('number'), '01\n');
    await writeFile(
      file('cnf'),
      [
        '[ca]',
        'default_ca=ca',
        `database=${file('index')}`,
        `crlnumber=${file('number')}`,
        'unique_subject=no',
        '',
      ].join('\n'),
    );
    const signer = [
      '-config',
      file('cnf'),
      '-cert',
      authority.certFile,
      '-keyfile',
      authority.keyFile,
      '-md',
      'sha256',
    ];
    for (const certificate of revoked) await this.run('ca', ...signer, '-revoke', certificate.certFile);
    await this.run('ca', ...signer, '-gencrl', '-crlsec', String(days * 86_400), '-out', file('crl'));
    return readFile(file('crl'), 'utf8');
  }
}
