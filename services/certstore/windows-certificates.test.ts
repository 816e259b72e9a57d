import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarize } from '../pki/certificate/certificate-summary.ts';
import { OpenSsl, type TestCertificate } from '../testing/certificates/openssl.ts';
import type { CommandOptions, CommandRunner } from './command-runner.ts';
import { exportScript, listScript } from './windows-certificate-scripts.ts';
import { WindowsCertificates } from './windows-certificates.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let intermediate: TestCertificate;
let server: TestCertificate;
let client: TestCertificate;
let expired: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  root = await openssl.authority('Root');
  intermediate = await openssl.authority('R11', { issuer: root });
  server = await openssl.server(['DNS:a.test'], { issuer: intermediate, subject: '/CN=a.test' });
  client = await openssl.issue({ subject: '/CN=client', extensions: ['extendedKeyUsage=clientAuth'] });
  expired = await openssl.server([], { subject: '/CN=old', notBeforeDays: -9, notAfterDays: -1 });
});
afterAll(() => openssl[Symbol.asyncDispose]());

interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: CommandOptions;
}

function windows(answer: string | ((options: CommandOptions) => Promise<string>)): {
  store: WindowsCertificates;
  calls: Call[];
} {
  const calls: Call[] = [];
  const run: CommandRunner = (program, args, options = {}) => {
    calls.push({ program, args, options });
    return typeof answer === 'string' ? Promise.resolve(answer) : answer(options);
  };
  return { store: new WindowsCertificates(run, 'W:\\root'), calls };
}

const key = (state: string, code: string | null = null): { state: string; code: string | null } => ({ state, code });
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const der = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
const idOf = ({ certPem }: TestCertificate): string => `windows:${summarize(certPem).sha1.replaceAll(':', '')}`;
const entry = (certificate: TestCertificate, name: string, keyState = key('exportable')): object => ({
  der: der(certificate.certPem),
  name: base64(name),
  key: keyState,
});
const listed = (...certificates: object[]): string => JSON.stringify({ certificates });

/** Simulates the answer of Windows: a PFX, protected with the password from standard input. */
async function pfxOf(certificate: TestCertificate, { input = '' }: CommandOptions): Promise<string> {
  const [, password = ''] = input.split('\n');
  const file = openssl.path('windows.pfx');
  const chain = await openssl.write('chain.pem', intermediate.certPem + root.certPem);
  await openssl.run(
    ...['pkcs12', '-export', '-legacy', '-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES'],
    ...['-in', certificate.certFile, '-inkey', certificate.keyFile, '-certfile', chain, '-name', 'le-4711'],
    ...['-passout', `pass:${password}`, '-out', file],
  );
  const pfx = (await readFile(file)).toString('base64');
  return JSON.stringify({ pfx, name: base64('Größe 証明書'), key: key('exportable') });
}

describe('list', () => {
  it('shows usable certificates first and says why others cannot be used; authorities are left out', async () => {
    const { store, calls } = windows(
      listed(
        entry(server, 'no key', key('none')),
        entry(server, 'stuck', key('locked')),
        entry(server, 'foreign', key('unreadable', '80090016')),
        entry(client, 'client'),
        entry(expired, ''),
        entry(root, 'root'),
        { der: base64('no certificate'), name: '', key: key('exportable') },
        entry(server, 'Größe 証明書'),
      ),
    );
    const rows = await store.list();
    expect(rows[0]).toMatchObject({
      pickId: idOf(server),
      store: 'Local Computer\\Personal',
      issuedTo: 'a.test',
      issuedBy: 'R11',
      friendlyName: 'Größe 証明書',
      unusableReason: null,
    });
    expect(rows.slice(1).map(({ friendlyName, unusableReason }) => [friendlyName, unusableReason])).toEqual([
      ['no key', 'Windows has no private key for this certificate'],
      [
        'stuck',
        'The private key cannot be exported from the Windows store; import the certificate from its file instead',
      ],
      [
        'foreign',
        expect.stringMatching(/^The account ".+" cannot read the private key of this certificate .*\(0x80090016\)$/),
      ],
      ['client', 'The certificate is not intended for servers'],
      ['old', expect.stringMatching(/^The certificate expired on /)],
    ]);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.program).toBe('W:\\root\\System32\\WindowsPowerShell\\v1.0\\powershell.exe');
    expect(calls[0]?.args).toEqual(['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', listScript]);
    expect(calls[0]?.options.timeoutMs).toBeLessThanOrEqual(20_000);
    expect(calls[0]?.options.maxOutputBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  it('can be empty', async () => {
    expect(await windows(listed()).store.list()).toEqual([]);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', 'Der Befehl wurde nicht gefunden'],
    ['cut off', '{"certificates":[{"der":"AAAA'],
    ['another shape', '{"certificates":{}}'],
    ['an unknown state', '{"certificates":[{"der":"AAAA","name":"","key":{"state":"yes","code":null}}]}'],
    ['text that is no base64', '{"certificates":[{"der":"é","name":"","key":{"state":"none","code":null}}]}'],
    ['an error that is no code', '{"certificates":[{"der":"","name":"","key":{"state":"none","code":"<b>"}}]}'],
  ])('refuses %s', async (_what, answer) => {
    await expect(windows(answer).store.list()).rejects.toMatchObject({
      code: 'certificate.key-unreadable',
      message: 'Local Computer\\Personal cannot be read: unexpected answer',
    });
  });

  it.each(['ENOENT', 'no answer within 20 s', 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'])(
    'says why PowerShell failed: %s',
    async (why) => {
      const { store } = windows(() => Promise.reject(new Error(`powershell.exe failed: ${why}`)));
      await expect(store.list()).rejects.toMatchObject({
        code: 'certificate.key-unreadable',
        message: `Local Computer\\Personal cannot be read: powershell.exe failed: ${why}`,
      });
    },
  );
});

describe('pick', () => {
  it('exports certificate, key and chain with a new password each time, and never passes the password as an argument', async () => {
    const { store, calls } = windows((options) => pfxOf(server, options));
    for (let round = 0; round < 2; round++) {
      using picked = await store.pick(idOf(server));
      expect(picked.summary.sha256).toBe(summarize(server.certPem).sha256);
      expect(picked).toMatchObject({ chainLength: 1, friendlyName: 'Größe 証明書' });
      expect(picked.privateKey.lengthBytes).toBeGreaterThan(0);
    }
    const passwords = calls.map(({ options }) => options.input?.split('\n')[1] ?? '');
    expect(new Set(passwords).size).toBe(2);
    for (const [index, password] of passwords.entries()) {
      expect(password).toMatch(/^[\w-]{43}$/);
      expect(calls[index]?.args).toEqual(['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', exportScript]);
    }
  });

  it('refuses a certificate that is not the chosen one', async () => {
    const { store } = windows((options) => pfxOf(server, options));
    await expect(store.pick(idOf(client))).rejects.toMatchObject({ code: 'certificate.key-unreadable' });
  });

  it('starts no program for a pick id that is not a thumbprint', async () => {
    const { store, calls } = windows('');
    for (const id of ['windows:', 'windows:..', `windows:${'A'.repeat(40)}\nx`, `system:${'A'.repeat(40)}`, 'A']) {
      await expect(store.pick(id)).rejects.toMatchObject({ code: 'call.not-found' });
    }
    expect(calls).toEqual([]);
  });

  it.each<[object, string]>([
    [{ pfx: null, name: '', key: null }, 'call.not-found'],
    [{ pfx: null, name: '', key: key('none') }, 'certificate.no-private-key'],
    [{ pfx: null, name: '', key: key('locked') }, 'certificate.key-unreadable'],
    [{ pfx: null, name: '', key: key('unreadable', '8009000B') }, 'certificate.key-unreadable'],
    [{ pfx: null, name: '', key: key('exportable') }, 'certificate.key-unreadable'],
    [{ pfx: base64('no PFX'), name: '', key: key('exportable') }, 'certificate.malformed'],
    [{}, 'certificate.key-unreadable'],
  ])('%j is %s', async (answer, code) => {
    await expect(windows(JSON.stringify(answer)).store.pick(idOf(server))).rejects.toMatchObject({ code });
  });

  it('can be canceled, and never shows the password', async () => {
    const failing = (): ReturnType<typeof windows> => windows(() => Promise.reject(new Error('ended')));
    await expect(failing().store.pick(idOf(server), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const { store, calls } = failing();
    const error: unknown = await store.pick(idOf(server)).catch((thrown: unknown) => thrown);
    const password = calls[0]?.options.input?.split('\n')[1] ?? '';
    expect(password).not.toBe('');
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(password);
  });
});

it.each([listScript, exportScript])(
  'each script is ASCII without double quotes and fits into one argument',
  (script) => {
    expect(script).toMatch(/^[\n\x20-\x7e]+$/);
    expect(script).not.toContain('"');
    // CreateProcess allows 32,767 characters.
    expect(script.length).toBeLessThan(8000);
  },
);
