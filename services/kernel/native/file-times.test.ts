import { closeSync, lstatSync, mkdtempSync, openSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileTimes } from './file-times.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-times-'));
});
afterEach(() => {
  delete process.env['FARKEEP_NATIVE'];
  rmSync(folder, { recursive: true });
});

const times = [
  0n,
  1_600_000_000_123_456_789n,
  1_000_000_001n,
  -1n,
  -500_000_000n,
  -2_000_000_000n,
  4_294_967_296_500_000_000n,
];

describe.each(['on', 'off'])('file times, native calls %s', (setting) => {
  /** Only the native calls are exact; node:fs passes the time as a double with 53 bits. */
  const tolerance = setting === 'on' && process.platform === 'linux' ? 0n : 1000n;

  it.each(times)('sets %d on a file, a folder and a link', (wanted) => {
    process.env['FARKEEP_NATIVE'] = setting;
    const fileTimes = createFileTimes();
    const off = (foundNs: bigint): bigint => (foundNs > wanted ? foundNs - wanted : wanted - foundNs);
    const file = path.join(folder, 'file');
    for (const [name, flags] of [
      [file, 'w'],
      [folder, 'r'],
    ] as const) {
      const descriptor = openSync(name, flags);
      fileTimes.setOfDescriptor(descriptor, wanted);
      closeSync(descriptor);
      if (name === folder) expect(off(statSync(name, { bigint: true }).mtimeNs)).toBeLessThanOrEqual(tolerance);
    }
    expect(off(statSync(file, { bigint: true }).mtimeNs)).toBeLessThanOrEqual(tolerance);
    const link = path.join(folder, 'link');
    symlinkSync('file', link);
    const fileTime = statSync(file, { bigint: true }).mtimeNs;
    fileTimes.setOfLink(Buffer.from(link), wanted);
    expect(off(lstatSync(link, { bigint: true }).mtimeNs)).toBeLessThanOrEqual(tolerance);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(fileTime);
  });

  it('gives the reason of a failure', () => {
    process.env['FARKEEP_NATIVE'] = setting;
    const fileTimes = createFileTimes();
    expect(() => fileTimes.setOfLink(Buffer.from(path.join(folder, 'gone')), 0n)).toThrow('ENOENT');
    const descriptor = openSync(folder, 'r');
    closeSync(descriptor);
    expect(() => fileTimes.setOfDescriptor(descriptor, 0n)).toThrow('EBADF');
  });
});
