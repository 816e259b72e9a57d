// Pipes, sockets, devices and hard links in a backup and a restore between two real data mover processes.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMakeDevices, finished, newPointId, warnings, MoverFolder } from '../testing/site/mover-folder.ts';
import type { MoverSessionResult } from '../testing/site/mover-session.ts';

let at: MoverFolder;

beforeEach(() => {
  at = new MoverFolder();
});

afterEach(() => {
  at.remove();
});

describe('backup and restore of special files and hard links', () => {
  it('mention pipes and sockets in one line for each kind, and warn about devices', async () => {
    const remarks = ({ sourceEvents }: MoverSessionResult): string[] =>
      sourceEvents.flatMap((event) => (event.type === 'remark' ? [event.text] : []));
    writeFileSync(at.inSource('kept'), 'kept');
    for (const name of ['\x1b[2J', 'a', 'b', 'c', 'd']) execFileSync('mkfifo', [at.inSource(`pipe ${name}`)]);
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(at.inSource('agent.sock'), resolve));
    const pointId = newPointId();
    const result = await at.backup(pointId);
    expect(finished(result).warningCount).toBe(0);
    const pipes = ['\\x1b[2J', 'a', 'b'].map((name) => at.inSource(`pipe ${name}`)).join(', ');
    expect(remarks(result).sort()).toEqual([
      `1 socket is kept by name only: ${at.inSource('agent.sock')}`,
      `5 pipes are kept by name only: ${pipes} and 2 more`,
    ]);
    const restored = await at.restore(pointId);
    expect(finished(restored)).toMatchObject({ warningCount: 0, totals: { restored: { files: 1, failed: 0 } } });
    expect(finished(restored).failure).toBeUndefined();
    expect(remarks(restored).sort()).toEqual([
      '1 socket not made anew: agent.sock',
      '5 pipes not made anew: pipe \\x1b[2J, pipe a, pipe b and 2 more',
    ]);
  });

  it('warn about a pipe that was requested by its name', async () => {
    mkdirSync(at.inSource('folder'));
    execFileSync('mkfifo', [at.inSource('folder/pipe')]);
    writeFileSync(at.inSource('folder/file'), 'file');
    const pointId = newPointId();
    finished(await at.backup(pointId));
    const named = await at.restore(pointId, { paths: ['folder/pipe'] });
    expect(warnings(named.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'folder/pipe' }]);
    expect(finished(named).warningCount).toBe(1);
    expect(finished(await at.restore(pointId, { paths: ['folder'] })).warningCount).toBe(0);
  });

  it.runIf(process.getuid?.() === 0 && canMakeDevices())('warn once for all devices of one kind', async () => {
    writeFileSync(at.inSource('kept'), 'kept');
    for (const minor of ['3', '5']) execFileSync('mknod', [at.inSource(`device ${minor}`), 'c', '1', minor]);
    const pointId = newPointId();
    const result = await at.backup(pointId);
    expect(finished(result).warningCount).toBe(1);
    expect(warnings(result.sourceEvents)).toEqual([{ code: 'source.device', path: at.inSource('device 3') }]);
    const restored = await at.restore(pointId);
    expect(warnings(restored.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'device 3' }]);
    expect(finished(restored).totals.restored).toMatchObject({ files: 1, failed: 2 });
  });

  it('restore a hard link as a file when its first name was not requested, and further names as links to it', async () => {
    const content = randomBytes(3_000_000);
    mkdirSync(at.inSource('a'));
    mkdirSync(at.inSource('b'));
    writeFileSync(at.inSource('a/first'), content);
    linkSync(at.inSource('a/first'), at.inSource('b/one'));
    linkSync(at.inSource('a/first'), at.inSource('b/two'));
    utimesSync(at.inSource('a/first'), 1_500_000_000, 1_500_000_000);
    const pointId = newPointId();
    finished(await at.backup(pointId));
    const out = at.out;
    const one = finished(await at.restore(pointId, { paths: ['b/two'] }));
    expect(one).toMatchObject({ warningCount: 0, totals: { restored: { files: 1, bytes: 3_000_000, failed: 0 } } });
    expect(readFileSync(path.join(out, 'b/two')).equals(content)).toBe(true);
    expect(statSync(path.join(out, 'b/two')).mtimeMs).toBe(1_500_000_000_000);
    expect(existsSync(path.join(out, 'a'))).toBe(false);
    rmSync(out, { recursive: true });
    expect(finished(await at.restore(pointId, { paths: ['b'] })).totals.restored).toMatchObject({ files: 2 });
    expect(statSync(path.join(out, 'b/one')).ino).toBe(statSync(path.join(out, 'b/two')).ino);
    expect(readFileSync(path.join(out, 'b/one')).equals(content)).toBe(true);
    rmSync(out, { recursive: true });
    finished(await at.restore(pointId, { paths: ['a', 'b/two'] }));
    expect(statSync(path.join(out, 'a/first')).ino).toBe(statSync(path.join(out, 'b/two')).ino);
  });
});
