import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerAppRequest, resolveAppPath } from './app-response.ts';

let root: string;
let folder: string;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'farkeep-app-'));
  folder = path.join(root, 'renderer');
  mkdirSync(path.join(folder, 'assets'), { recursive: true });
  mkdirSync(path.join(root, 'renderer-other'));
  writeFileSync(path.join(folder, 'index.html'), '<style nonce="__CSP_NONCE__"></style><i nonce="__CSP_NONCE__"></i>');
  writeFileSync(path.join(folder, 'assets', 'a.js'), 'const nonce = "__CSP_NONCE__";');
  writeFileSync(path.join(folder, 'notes.txt'), 'not served');
  writeFileSync(path.join(root, 'secret.json'), '"secret"');
  writeFileSync(path.join(root, 'renderer-other', 'secret.json'), '"secret"');
  symlinkSync(path.join(root, 'secret.json'), path.join(folder, 'link.json'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('addresses', () => {
  it('lead to files of the renderer', () => {
    expect(resolveAppPath('app://console/assets/a.js?v=1#x', folder)).toBe(path.join(folder, 'assets', 'a.js'));
  });

  it.each([
    'app://console/../secret.json',
    'app://console/%2e%2e/secret.json',
    'app://console/..%2fsecret.json',
    'app://console/..%5csecret.json',
    'app://console/assets/%252e%252e/%252e%252e/secret.json',
    'app://console//etc/passwd.json',
    'app://console/../renderer-other/secret.json',
    'app://console/assets/a.js%00.json',
    'app://console/C:/secret.json',
    'app://console/%',
    'app://console/',
    'app://console/notes.txt',
    'app://other/index.html',
    'app://user@console/index.html',
    'file:///etc/passwd',
    'https://console/index.html',
    'nonsense',
  ])('refuse %s', async (address) => {
    expect((await answerAppRequest('GET', address, folder)).status).toBe(404);
  });

  it('never lead out of the folder', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '/',
      '//',
      '%2f',
      '\\',
      '%5c',
      'a',
      'index.html',
      '%00',
      ':',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const file = resolveAppPath(`app://console/${pieces.join('')}.html`, folder);
        if (file !== undefined) expect(file.startsWith(`${folder}${path.sep}`)).toBe(true);
      }),
    );
  });
});

describe('answers', () => {
  it('carry a strict policy and a new nonce for each load', async () => {
    const [first, second] = await Promise.all([
      answerAppRequest('GET', 'app://console/index.html', folder),
      answerAppRequest('GET', 'app://console/index.html', folder),
    ]);
    const policy = first.headers['Content-Security-Policy'] ?? '';
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(Buffer.from(nonce, 'base64').length).toBe(18);
    expect(first.body).toBe(`<style nonce="${nonce}"></style><i nonce="${nonce}"></i>`);
    expect(second.headers['Content-Security-Policy']).not.toBe(policy);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toBe("'self'");
    expect(first.headers).toMatchObject({
      'X-Content-Type-Options': 'nosniff',
      'Content-Type': 'text/html; charset=utf-8',
    });
  });

  it('put no nonce into scripts: a script could read it and pass it on', async () => {
    const { body } = await answerAppRequest('GET', 'app://console/assets/a.js', folder);
    expect(Buffer.from(body).toString()).toContain('__CSP_NONCE__');
  });

  it('do not follow a link out of the folder', async () => {
    expect((await answerAppRequest('GET', 'app://console/link.json', folder)).status).toBe(404);
  });

  it('allow reading only', async () => {
    expect((await answerAppRequest('POST', 'app://console/index.html', folder)).status).toBe(405);
  });

  it('are 404, with the policy, for a missing file', async () => {
    const answer = await answerAppRequest('GET', 'app://console/missing.js', folder);
    expect(answer.status).toBe(404);
    expect(answer.headers['Content-Security-Policy']).toContain("default-src 'none'");
  });
});
