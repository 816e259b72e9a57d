import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { whatCannotBeRepresented, type RawCommandLine } from './raw-arguments.ts';

const nothing: RawCommandLine = { commandLine: undefined, environment: undefined, currentFolder: undefined };
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('typed arguments', () => {
  it.each([
    ['an argument', ['out-\ufffd'], { ...nothing, commandLine: bytes('node\0entry\0out-\xe9\0') }],
    ['an argument, where the system does not show the bytes', ['out-\ufffd'], nothing],
    ['FARKEEP_HOME', ['status'], { ...nothing, environment: bytes('A=1\0FARKEEP_HOME=/x\xff\0') }],
    ['the current folder', ['status'], { ...nothing, currentFolder: bytes('/srv/\xe9') }],
  ])('are refused when they are not UTF-8: %s', (_what, args, raw) => {
    expect(whatCannotBeRepresented(args, raw)).toMatchObject({
      code: 'call.invalid',
      message: expect.stringContaining('UTF-8') as string,
    });
  });

  it.each([
    ['an empty command line', [], { ...nothing, commandLine: bytes('\xff\0') }],
    ['where the program lies', ['status'], { ...nothing, commandLine: bytes('/opt/\xff/node\0status\0') }],
    ['other variables', ['status'], { ...nothing, environment: bytes('OTHER=\xff\0FARKEEP_HOME=/x\0') }],
    ['the character itself', ['\ufffd'], { ...nothing, commandLine: Buffer.from('node\0\ufffd\0') }],
  ])('are accepted: %s', (_what, args, raw) => {
    expect(whatCannotBeRepresented(args, raw)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')(
    'that are not UTF-8 are refused by the command, which creates no folder',
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'farkeep-bytes-'));
      try {
        const entry = path.join(import.meta.dirname, 'cli-entry.ts');
        // A shell creates the invalid byte, because Node.js cannot pass it.
        const script = 'exec "$0" "$1" point extract 00 --json --folder "$2" --to "$2/$(printf \'out-\\351\')"';
        const ended = spawnSync('sh', ['-c', script, process.execPath, entry, folder], { encoding: 'utf8' });
        expect(ended.status).toBe(2);
        expect(JSON.parse(ended.stdout)).toMatchObject({ ok: false, error: { code: 'call.invalid' } });
        expect(existsSync(folder) && readdirSync(folder)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );
});
