// Uses real processes, because a supervised child consists of exit codes, signals, pipes and channels. Time limits run on a manual clock.
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { passedEnvironment } from './environment.ts';
import { SupervisedChild, type ChildOptions } from './supervised-child.ts';

interface Started {
  readonly child: SupervisedChild;
  readonly lines: string[];
  readonly messages: unknown[];
  readonly clock: ManualClock;
}

/** Runs a script as a child with a channel. */
function run(script: string, options: Partial<ChildOptions> = {}): Started {
  const [lines, messages, clock]: [string[], unknown[], ManualClock] = [[], [], new ManualClock()];
  const child = new SupervisedChild({
    program: process.execPath,
    args: ['-e', script],
    environment: passedEnvironment(process.env),
    channel: { serialization: 'json', onMessage: (message) => messages.push(message) },
    log: { onLine: (line) => lines.push(line) },
    timers: clock,
    ...options,
  });
  onTestFinished(() => child.kill());
  return { child, lines, messages, clock };
}

/** Resolves when the script has reached its `process.send('there')`. */
const there = ({ messages }: Started): Promise<void> =>
  vi.waitFor(() => expect(messages).toContain('there'), { timeout: 10_000, interval: 5 });

const staysForever = "process.send('there'); setInterval(() => {}, 1000);";

describe('the end of a child', () => {
  it('is reported as done, exited with a code, ended by a signal, or never started', async () => {
    const ends = await Promise.all([
      run('process.disconnect()').child.exited,
      run('process.exit(3)').child.exited,
      run("process.kill(process.pid, 'SIGKILL')").child.exited,
      run('', { program: '/nowhere/at-all' }).child.exited,
    ]);
    expect(ends).toMatchObject([
      { kind: 'done', code: 0, signal: null, startError: undefined },
      { kind: 'crashed', code: 3, signal: null },
      { kind: 'crashed', code: null, signal: 'SIGKILL', killedFor: undefined },
      { kind: 'not-started', code: null, signal: null, startError: { code: 'ENOENT' } },
    ]);
  });

  it('is reported with the last lines of its log', async () => {
    const { child, lines } = run(
      "for (let i = 1; i <= 7; i++) console.error('line ' + i); throw new TypeError('broken')",
    );
    const { kind, lastLines } = await child.exited;
    expect(kind).toBe('crashed');
    expect(lastLines).toHaveLength(12);
    expect(lastLines.join('\n')).toContain('TypeError: broken');
    expect(lines.slice(0, 7)).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => `line ${i}`));
  });

  it('is reported only after the last message has arrived', async () => {
    const { child, messages } = run(
      "for (let i = 0; i < 200; i++) process.send(i); process.send('last', undefined, undefined, () => process.exit(1))",
    );
    await child.exited;
    expect(messages).toHaveLength(201);
    expect(messages.at(-1)).toBe('last');
  });

  it('leaves no timer after any kind of end', async () => {
    const started = run(staysForever, {
      start: { limitMs: 1_000 },
      heartbeat: { intervalMs: 100, missedForHung: 3 },
    });
    await there(started);
    expect(started.clock.timerCount).toBe(1);
    started.child.markReady();
    expect(started.clock.timerCount).toBe(1);
    started.child.kill();
    await started.child.exited;
    started.child.markReady();
    await started.child.stop(5_000);
    expect(started.clock.timerCount).toBe(0);
  });
});

describe('a child that is asked to stop', () => {
  it('gets the request over its channel, and ends in order', async () => {
    const started = run("process.on('message', ({ code }) => process.exit(code)); process.send('there')");
    await there(started);
    expect(await started.child.stop(5_000, { code: 4 })).toMatchObject({
      kind: 'stopped',
      code: 4,
      killedFor: undefined,
    });
    expect(started.clock.timerCount).toBe(0);
  });

  it('gets SIGTERM without a request or without a channel', async () => {
    const onTerm = "process.on('SIGTERM', () => process.exit(5)); console.log('there'); setInterval(() => {}, 1000);";
    const withChannel = run(onTerm);
    const lines: string[] = [];
    const withoutChannel = new SupervisedChild({
      program: process.execPath,
      args: ['-e', onTerm],
      environment: {},
      log: { onLine: (line) => lines.push(line) },
    });
    await vi.waitFor(() => expect([...lines, ...withChannel.lines]).toEqual(['there', 'there']), { timeout: 10_000 });
    const ends = [withChannel.child.stop(5_000), withoutChannel.stop(5_000, { code: 1 })];
    for (const end of ends) expect(await end).toMatchObject({ kind: 'stopped', code: 5 });
  });

  it('is killed after the limit, and not before, when it ignores SIGTERM', async () => {
    const started = run(`process.on('SIGTERM', () => process.send('heard')); ${staysForever}`);
    await there(started);
    const stopped = started.child.stop(5_000);
    await vi.waitFor(() => expect(started.messages).toContain('heard'));
    await started.clock.advance(4_999);
    started.child.send({}); // it still listens
    expect(started.child.isConnected).toBe(true);
    await started.clock.advance(1);
    expect(await stopped).toMatchObject({ kind: 'stopped', signal: 'SIGKILL', killedFor: 'stop-late' });
  });

  it('gets one request, and the shorter limit counts, when `stop` is called twice', async () => {
    const started = run(`process.on('SIGTERM', () => process.send('heard')); ${staysForever}`);
    await there(started);
    const ends = [started.child.stop(60_000), started.child.stop(1_000)];
    await vi.waitFor(() => expect(started.messages).toContain('heard'));
    await started.clock.advance(1_000);
    for (const end of ends) expect(await end).toMatchObject({ killedFor: 'stop-late' });
    expect(started.messages.filter((message) => message === 'heard')).toHaveLength(1);
    expect(started.clock.timerCount).toBe(0);
  });
});

describe('an unhealthy child', () => {
  it('is killed when it does not become ready in time', async () => {
    const started = run(staysForever, { start: { limitMs: 30_000 } });
    await there(started);
    await started.clock.advance(30_000);
    expect(await started.child.exited).toMatchObject({ kind: 'crashed', killedFor: 'start-late' });
  });

  it('keeps running after the start limit when it became ready in time', async () => {
    const started = run(staysForever, { start: { limitMs: 30_000 } });
    started.child.markReady();
    await there(started);
    await started.clock.advance(60_000);
    expect(started.child.isConnected).toBe(true);
  });

  it('is killed when its start is aborted', async () => {
    const controller = new AbortController();
    const started = run(staysForever, { start: { limitMs: 30_000, signal: controller.signal } });
    await there(started);
    controller.abort();
    expect(await started.child.exited).toMatchObject({ killedFor: 'start-aborted' });
  });

  it('is reported as quiet, then killed, when it sends no heartbeats; one heartbeat restarts the count', async () => {
    const quiet: number[] = [];
    const heartbeat = { intervalMs: 100, missedForQuiet: 1, missedForHung: 3, onQuiet: (ms: number) => quiet.push(ms) };
    const started = run(staysForever, { heartbeat });
    await there(started);
    await started.clock.advance(300);
    expect(quiet).toEqual([200, 300]);
    started.child.heard();
    await started.clock.advance(300);
    expect(quiet).toEqual([200, 300, 200, 300]);
    await started.clock.advance(100);
    expect(await started.child.exited).toMatchObject({ kind: 'crashed', killedFor: 'silent' });
  });
});

describe('the environment and the log of a child', () => {
  it('has only the environment variables of the allow-list', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2')
      .stubEnv('LC_TIME', 'de_DE.UTF-8')
      .stubEnv('NODE_OPTIONS', '--no-warnings');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { child, lines } = run('console.log(JSON.stringify(process.env)); process.exit()');
    await child.exited;
    const environment = JSON.parse(lines[0] ?? '') as Record<string, string>;
    expect(environment).toMatchObject({ PATH: process.env['PATH'], LC_TIME: 'de_DE.UTF-8' });
    expect(Object.keys(environment)).not.toContain('AWS_SECRET_ACCESS_KEY');
    expect(Object.keys(environment)).not.toContain('NODE_OPTIONS');
  });

  it('has log lines of bounded length, even when it writes endless lines', async () => {
    const { child, lines } = run(
      "process.stderr.write('x'.repeat(300_000)); process.stderr.write('\\nend\\n'); process.disconnect()",
    );
    const { lastLines } = await child.exited;
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^x+ \[cut\]$/);
    expect(lines[0]!.length).toBeLessThan(66_000);
    expect(lines[1]).toBe('end');
    expect(lastLines.join('').length).toBeLessThan(12_001);
  });

  it('writes directly to a file that only this account can read, when the child must outlive the parent', async () => {
    const file = path.join(await makeTemporaryFolder(), 'log', 'child.log');
    const { child } = run("console.error('y'.repeat(9_000)); console.error('why'); process.exit(1)", { log: { file } });
    expect((await child.exited).lastLines.at(-1)).toBe('why');
    expect((await readFile(file, 'utf8')).length).toBe(9_005);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await stat(path.dirname(file))).mode & 0o077).toBe(0);
    // Without a readable log, the message contains no log lines.
    await writeFile(file, '');
    expect((await run('process.exit(1)', { log: { file } }).child.exited).lastLines).toEqual([]);
  });
});
