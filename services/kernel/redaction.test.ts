// Secrets in odd places: what leaves the machine in the diagnostics, or stands in a log, must not hold a piece of one.
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
  ])('holds no secret of %s', (_name, text) => {
    expect(redactText(text)).not.toContain(mark);
    expect(redactLines(`first line\n${text}`)).not.toContain(mark);
  });

  it.each([
    'GET https://host:3128/a@b answered 404',
    'https://registry.test/@scope/name',
    'the pin of "northwind" was revoked by admin@host',
    'a basic configuration; 3 blocks were marked',
    '{"level":30,"msg":"session 1f00 is paused","sizeBytes":5}',
  ])('keeps what is none: %s', (text) => {
    expect(redactText(text)).toBe(text);
    expect(redactLines(text)).toBe(text);
  });

  it('is looked through in a time that grows with its length only', () => {
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
    // A refused login logs it, and people type their password there.
    [{ msg: 'Login refused', userName: mark }],
  ])('holds no secret: %j', (document) => {
    expect(JSON.stringify(redactDocument(document))).not.toContain(mark);
  });

  it('keeps numbers, unless they are the secret', () => {
    const document = { password: 12345678, pin: 1234, tokenLifeMs: 60_000, passwordRounds: 600_000, hasToken: true };
    expect(redactDocument(document)).toEqual({ ...document, password: '[secret]', pin: '[secret]' });
  });
});
