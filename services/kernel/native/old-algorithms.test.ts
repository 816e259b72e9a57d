import fc from 'fast-check';
import { createDecipheriv, hash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { createIteratedHash } from './iterated-hash.ts';
import { loadLegacyProvider } from './legacy-provider.ts';

afterEach(() => {
  delete process.env['FARKEEP_NATIVE'];
});

const hashes = [
  ...['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'],
  ...['sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'ripemd160', 'sm3', 'blake2b512', 'blake2s256'],
];

describe.each(['on', 'off'])('the iterated hash, native calls %s', (setting) => {
  it('hashes the hash the given number of times, for every algorithm', () => {
    process.env['FARKEEP_NATIVE'] = setting;
    for (const algorithm of hashes) {
      const iteratedHash = createIteratedHash(algorithm);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (input, times) => {
          let expected = hash(algorithm, input, 'buffer');
          for (let time = 1; time < times; time += 1) expected = hash(algorithm, expected, 'buffer');
          expect(iteratedHash(input, times)).toEqual(expected);
        }),
        { numRuns: 20 },
      );
    }
  });

  it('refuses an unknown hash algorithm', () => {
    process.env['FARKEEP_NATIVE'] = setting;
    expect(() => createIteratedHash('md2')).toThrow();
  });
});

describe('the native iterated hash', () => {
  it.runIf(process.platform === 'linux')('costs less than a third of one node:crypto call for each round', () => {
    const cpuMsOf = (setting: string): number => {
      process.env['FARKEEP_NATIVE'] = setting;
      const iteratedHash = createIteratedHash('sha1');
      iteratedHash(Buffer.alloc(20), 5000);
      const before = process.cpuUsage();
      iteratedHash(Buffer.alloc(20), 200_000);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    expect(cpuMsOf('on')).toBeLessThan(cpuMsOf('off') / 3);
  });
});

describe('the legacy provider', () => {
  const blowfish = (): unknown => createDecipheriv('bf-cbc', Buffer.alloc(16), Buffer.alloc(8));

  it.runIf(process.platform === 'linux')(
    'is available while it is loaded, any number of times, and not afterwards',
    () => {
      expect(blowfish).toThrow();
      for (let time = 0; time < 1500; time += 1) {
        using provider = loadLegacyProvider();
        expect(provider).toBeDefined();
        if (time % 500 === 0) blowfish();
      }
      expect(blowfish).toThrow();
      expect(hash('sha256', '').length).toBe(64);
    },
  );

  it('is undefined when native calls are off', () => {
    process.env['FARKEEP_NATIVE'] = 'off';
    expect(loadLegacyProvider()).toBeUndefined();
  });
});
