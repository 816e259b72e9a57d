// Smoke test: the real command line, real processes, one real backup and restore.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive, makeDemoSource } from '../testing/site/held-demo.ts';
import { runCli, startCli } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

const hex64 = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;
const timeoutMs = 180_000;

describe('farkeep demo', () => {
  it('prints every step, ends with "verified", and leaves nothing behind', { timeout: timeoutMs }, async () => {
    const temporary = await makeTemporaryFolder();
    const result = await runCli(['demo', '--json'], { env: { TMPDIR: temporary } });
    expect(result.stderr).toBe('');
    expect(result.exitCode).toBe(0);
    const json = result.json() as {
      certificate: { sha256: string };
      sessions: { kind: string; state: string; keys: { keyA: string; keyB: string }[]; tls: { version: string } }[];
    };
    expect(json).toMatchObject({
      ok: true,
      verified: true,
      sourceFiles: 21,
      sourceBytes: expect.any(Number),
      transferredBytes: expect.any(Number),
      storedBytes: expect.any(Number),
      backupSeconds: expect.any(Number),
      restoreSeconds: expect.any(Number),
      certificate: { sha256: expect.stringMatching(hex64) },
    });
    expect(json.sessions.map(({ kind, state }) => [kind, state])).toEqual([
      ['backup', 'succeeded'],
      ['restore', 'succeeded'],
    ]);
    // Every session has new keys.
    const keys = json.sessions.flatMap((session) => session.keys.flatMap(({ keyA, keyB }) => [keyA, keyB]));
    expect(new Set(keys).size).toBe(4);
    for (const { tls } of json.sessions) expect(tls.version).toBe('TLSv1.3');
    expect(await readdir(temporary)).toEqual([]);
  });

  it("backs up the user's own folder and keeps everything on request", { timeout: timeoutMs }, async () => {
    const source = await makeDemoSource();
    const keep = path.join(await makeTemporaryFolder(), 'kept');
    const result = await runCli(['demo', '--source', source, '--keep', keep]);
    expect(result.stderr).toBe('');
    expect(result.stdout.trimEnd().split('\n').at(-1)).toBe('verified');
    expect(result.stdout).toMatch(/Key A [0-9a-f]{16}, Key B [0-9a-f]{16}, the same on both sides/);
    expect(await readFile(path.join(keep, 'restored', 'notes.txt'), 'utf8')).toBe('notes\n');
    // A kept folder is not running, so a service can start in it at once. A new demo must not use this folder.
    expect((await runCli(['status', '--home', path.join(keep, 'provider'), '--json'])).json()).toMatchObject({
      services: [{ role: 'provider', state: 'stopped' }, {}, {}],
    });
    expect(await runCli(['demo', '--keep', keep])).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('cleans up after Ctrl-C during the backup', { timeout: timeoutMs }, async () => {
    const temporary = await makeTemporaryFolder();
    const cli = startCli(['demo'], { env: { TMPDIR: temporary } });
    const pids = [...(await cli.firstLine()).matchAll(/\b(\d+)\b(?=,|$)/g)].map(([, pid]) => Number(pid));
    expect(pids.length).toBeGreaterThanOrEqual(3);
    cli.child.kill('SIGINT');
    expect((await cli.result).exitCode).toBe(130);
    expect(await readdir(temporary)).toEqual([]);
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
  });

  it('refuses a source that does not exist', async () => {
    const result = await runCli(['demo', '--source', '/nowhere/at/all', '--json']);
    expect(result.exitCode).toBe(1);
    expect(result.json()).toMatchObject({ ok: false, error: { code: 'source.missing' } });
  });
});
