import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../services/kernel/logger.ts';
import { openInstanceKey, realKeychain, type SafeStorage } from './instance-key.ts';

/** Encrypts as Chromium does: the result is a mark and then data that only this keychain can decrypt. */
class FakeKeychain implements SafeStorage {
  readonly #secret: string;
  readonly #mark: string;
  isOpen = true;
  getSelectedStorageBackend?: () => string;

  constructor({ secret = 'one', mark = 'v11', backend }: { secret?: string; mark?: string; backend?: string } = {}) {
    this.#secret = secret;
    this.#mark = mark;
    if (backend !== undefined) this.getSelectedStorageBackend = () => backend;
  }

  isEncryptionAvailable(): boolean {
    return this.isOpen;
  }

  encryptString(text: string): Buffer {
    return Buffer.from(this.#mark + Buffer.from(`${this.#secret} ${text}`).toString('hex'));
  }

  decryptString(encrypted: Buffer): string {
    const text = Buffer.from(encrypted.toString().slice(this.#mark.length), 'hex').toString();
    if (!text.startsWith(`${this.#secret} `)) throw new Error('Error while decrypting');
    return text.slice(this.#secret.length + 1);
  }
}

describe('the detected keychain', () => {
  it.each([
    ['linux', { backend: 'gnome_libsecret' }, 'the Secret Service of this desktop'],
    ['linux', { backend: 'kwallet6' }, 'KWallet'],
    ['linux', { backend: 'basic_text' }, undefined],
    ['linux', { backend: 'unknown' }, undefined],
    // If a backend is reported, it has priority over the mark.
    ['linux', { backend: 'basic_text', mark: 'v11' }, undefined],
    // Electron 25 does not report its backend. The mark shows whether the key is from a keychain or is the built-in password.
    ['linux', { mark: 'v11' }, 'the keyring of this desktop'],
    ['linux', { mark: 'v10' }, undefined],
    ['darwin', {}, 'the macOS Keychain'],
    ['win32', {}, 'Windows Data Protection (DPAPI)'],
    ['freebsd', {}, undefined],
  ] as const)('%s %j: %s', (platform, options, name) => {
    expect(realKeychain(new FakeKeychain(options), platform)).toBe(name);
  });

  it('is undefined if nothing can be encrypted', () => {
    const closed = new FakeKeychain();
    closed.isOpen = false;
    for (const platform of ['linux', 'darwin', 'win32'] as const)
      expect(realKeychain(closed, platform)).toBeUndefined();
  });
});

describe('the key of an instance', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'farkeep-instance-key-'));
    file = path.join(folder, 'console', 'instance-key.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (storage: SafeStorage) => openInstanceKey(file, { storage, platform: 'linux', logger: silentLogger });

  it('is made once, is stored encrypted with mode 0600, and is the same the next time', () => {
    const first = open(new FakeKeychain());
    expect(first?.key.lengthBytes).toBe(32);
    const text = readFileSync(file, 'utf8');
    const key = first?.key.bytes ?? Buffer.alloc(0);
    for (const encoding of ['hex', 'base64'] as const) expect(text).not.toContain(key.toString(encoding));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = open(new FakeKeychain());
    expect(second?.keychain).toBe('the keyring of this desktop');
    expect(second !== undefined && first?.key.equals(second.key)).toBe(true);
  });

  it('is not made without a real keychain', () => {
    expect(open(new FakeKeychain({ mark: 'v10' }))).toBeUndefined();
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  it('is never replaced if the keychain does not decrypt it', () => {
    open(new FakeKeychain());
    const before = readFileSync(file, 'utf8');
    expect(open(new FakeKeychain({ secret: 'another' }))).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(file, 'damaged');
    expect(open(new FakeKeychain())).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('damaged');
  });
});
