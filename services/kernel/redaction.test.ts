// Secrets in unusual places: neither the diagnostics nor a log may contain any part of a secret.
import { describe, expect, it } from 'vitest';
import { redactDocument, redactLines, redactText } from './redaction.ts';

const mark = 'S3CR3TMARK';

describe('a text', () => {
  it.each([
    ['an address', `fetch http://u:${mark}@proxy:3128/`],
    ['an @ in the password of an address', `fetch http://u:p@${mark}@proxy:3128/`],
    ['a slash in the password of an address', `fetch http://u:a/${mark}@proxy:3128/`],
    ['a token instead of a user', `clone https://${mark}@host/x`],
    ['a query', `https://host/?token=${mark}&x=1`],
    ['a header', `Authorization: Bearer ${mark}`],
    ['a header of a proxy', `{"proxy-authorization":"Basic ${mark}"}`],
    ['a bearer alone', `sent Bearer ${mark}${mark}`],
    ['a cookie', `set-cookie: theme=dark; sid=${mark}; HttpOnly`],
    ['JSON within JSON', `{"msg":"{\\"password\\":\\"${mark}\\"}"}`],
    ['a quote in JSON', `{"password":"ab\\"${mark}"}`],
    ['a comma', `password=ab,${mark}`],
    ['a blank in quotes', `password="ab ${mark}"`],
    ['short names', `passwd=${mark} pwd=${mark} apiKey: ${mark} AWS_ACCESS_KEY=${mark}`],
    ['an argument', `farkeep login --password ${mark} --json`],
    ['arguments in JSON', `{"args":["--password","${mark}"]}`],
    ['a key in JSON', `{"msg":"-----BEGIN PRIVATE KEY-----\\n${mark}\\n-----END PRIVATE KEY-----"}`],
    ['the end of a key', `${mark}\n${mark}==\n-----END EC PRIVATE KEY-----\n`],
    ['the beginning of a key', `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${mark}`],
  ])('has no secret of %s after redaction', (_name, text) => {
    expect(redactText(text)).not.toContain(mark);
    expect(redactLines(`first line\n${text}`)).not.toContain(mark);
  });

  it.each([
    'GET https://host:3128/a@b answered 404',
    'https://registry.test/@scope/name',
    'the pin of "northwind" was revoked by admin@host',
    'a basic configuration; 3 blocks were marked',
    '{"level":30,"msg":"session 1f00 is paused","sizeBytes":5}',
  ])('keeps text that is not a secret: %s', (text) => {
    expect(redactText(text)).toBe(text);
    expect(redactLines(text)).toBe(text);
  });

  it('is redacted in a time that grows only linearly with its length', () => {
    const before = process.cpuUsage();
    for (const piece of ['a.', 'a-', 'a:', 'aaaa', 'a://', 'password', 'A+/=', 'cookie:']) {
      redactLines(piece.repeat(200_000 / piece.length));
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000_000).toBeLessThan(5);
  });
});

describe('a document', () => {
  it.each([
    [{ apiKey: mark, encryptionKey: mark, authorization: mark, cookie: mark, passwd: mark }],
    [{ args: ['serve', '--password', mark] }],
    [{ credentials: { user: 'u', value: mark }, tokens: [mark] }],
    [{ note: JSON.stringify({ password: `a"${mark}` }) }],
    [{ proxies: { [`http://u:${mark}@host`]: 1 } }],
    [{ environment: [`FARKEEP_PASSWORD=${mark}`] }],
    // A refused login is logged with the user name, and people type their password into that field by mistake.
    [{ msg: 'Login refused', userName: mark }],
  ])('has no secret after redaction: %j', (document) => {
    expect(JSON.stringify(redactDocument(document))).not.toContain(mark);
  });

  it('keeps numbers, except a number that is the secret', () => {
    const document = { password: 12345678, pin: 1234, tokenLifeMs: 60_000, passwordRounds: 600_000, hasToken: true };
    expect(redactDocument(document)).toEqual({ ...document, password: '[secret]', pin: '[secret]' });
  });
});
