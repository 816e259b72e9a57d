import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { diagnosticsStepNames } from '../contracts/rpc/console.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { runCli, startCli } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import type { AskService } from './diagnostics-step.ts';
import { diagnosticsSteps } from './diagnostics-steps.ts';
import { writeDiagnostics } from './write-diagnostics.ts';

const notRunning: AskService = (role) =>
  Promise.reject(new FarkeepError('service.not-running', `The ${role} service does not run`));

async function read(file: string): Promise<{ names: string[]; all: string; text: (name: string) => string }> {
  const entries = Object.entries(unzipSync(await readFile(file)));
  const decoded = new Map(entries.map(([name, bytes]) => [name, Buffer.from(bytes).toString('utf8')]));
  return {
    names: [...decoded.keys()],
    all: [...decoded].flat().join('\n'),
    text: (name) => decoded.get(name) ?? '',
  };
}

describe('diagnostics', () => {
  it('are numbered steps, one after the other, and a failed step does not affect the others', async () => {
    const home = await makeTemporaryFolder();
    const file = path.join(home, 'out.zip');
    const reportedSteps: string[] = [];
    const steps = diagnosticsSteps({ home, logFolder: path.join(home, 'logs'), versions: {}, ask: notRunning });
    const broken = { name: 'services' as const, collect: () => Promise.reject(new Error('secret=abc it broke')) };
    const result = await writeDiagnostics({
      steps: steps.map((step) => (step.name === 'services' ? broken : step)),
      file,
      signal: new AbortController().signal,
      onStep: (step) => reportedSteps.push(step),
    });
    expect(reportedSteps).toEqual([...diagnosticsStepNames]);
    expect(result).toEqual({ sizeBytes: (await stat(file)).size, failedSteps: ['services'] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const archive = await read(file);
    expect(archive.names).toEqual([
      '01-versions.json',
      '02-configuration.json',
      '03-services-failed.txt',
      '04-sessions.json',
      '05-trust-journal.json',
      '06-logs/none.txt',
    ]);
    expect(archive.text('03-services-failed.txt')).toBe('call.internal: secret=[secret] it broke\n');
    expect(JSON.parse(archive.text('05-trust-journal.json'))).toMatchObject({
      tenant: { error: { code: 'service.not-running' } },
    });
  });

  it('leave no file when they are canceled', async () => {
    const home = await makeTemporaryFolder();
    const file = path.join(home, 'out.zip');
    const steps = diagnosticsSteps({ home, logFolder: home, versions: {}, ask: notRunning });
    await expect(writeDiagnostics({ steps, file, signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(stat(file)).rejects.toThrow();
  });

  it('contain the ends of logs in whole lines', async () => {
    const home = await makeTemporaryFolder();
    const lines = Array.from({ length: 40_000 }, (_, index) => `{"line":${index},"msg":"${'x'.repeat(60)}"}`);
    await writeFile(path.join(home, 'tenant.log'), `${lines.join('\n')}\n`);
    const file = path.join(home, 'out.zip');
    const steps = diagnosticsSteps({ home, logFolder: home, versions: {}, ask: notRunning });
    await writeDiagnostics({ steps, file, signal: new AbortController().signal });
    const kept = (await read(file)).text('06-logs/tenant.log').trimEnd().split('\n');
    expect(kept.length).toBeGreaterThan(1000);
    expect(kept.length).toBeLessThan(lines.length);
    expect(kept).toEqual(lines.slice(-kept.length));
  });

  it('contain no secret of an instance that is full of secrets', { timeout: 60_000 }, async () => {
    const home = await makeTemporaryFolder();
    const marks = {
      password: `pw-${randomBytes(12).toString('hex')}`,
      token: `tk-${randomBytes(12).toString('hex')}`,
      key: randomBytes(32).toString('base64'),
      address: `ad-${randomBytes(12).toString('hex')}`,
      job: `job-${randomBytes(12).toString('hex')}`,
    };
    const pem = `-----BEGIN PRIVATE KEY-----\n${marks.key}\n-----END PRIVATE KEY-----`;
    await writeFile(path.join(home, 'gateway.json'), JSON.stringify({ name: 'gw1', enrollmentToken: marks.token }));
    await mkdir(path.join(home, 'provider'));
    await writeFile(
      path.join(home, 'provider', 'config.json'),
      JSON.stringify({
        name: 'north',
        proxy: `http://u:${marks.address}@proxy:3128`,
        nested: { adminPassword: marks.password, note: pem },
      }),
    );
    await writeFile(path.join(home, 'tenant.json'), `{ "password": "${marks.password}", not JSON`);
    await mkdir(path.join(home, 'console', 'logs'), { recursive: true });
    await writeFile(
      path.join(home, 'console', 'logs', 'provider.log'),
      [
        `{"level":30,"password":"${marks.password}","msg":"x"}`,
        `provider: token=${marks.token}`,
        `loaded ${pem}`,
        `fetching https://u:${marks.address}@host/`,
        '{"level":30,"msg":"a harmless line"}',
        '',
      ].join('\n'),
    );
    const service = startCli(['serve', 'tenant', '--home', home, '--json', '--config', await emptyConfig(home)]);
    await service.firstLine();
    const file = path.join(home, 'out.zip');
    const result = await runCli(['diagnostics', '--home', home, '--out', file, '--json']);
    service.child.kill('SIGTERM');
    await service.result;
    expect(result.json()).toMatchObject({ ok: true, file, failedSteps: [] });
    const secretsKey = await readFile(path.join(home, 'tenant', 'secrets.key'));
    const { all, text } = await read(file);
    for (const [name, mark] of Object.entries(marks)) expect(all.includes(mark), name).toBe(false);
    for (const encoding of ['hex', 'base64', 'utf8'] as const) expect(all).not.toContain(secretsKey.toString(encoding));
    expect(text('06-logs/provider.log')).toContain('a harmless line');
    expect(JSON.parse(text('02-configuration.json'))).toMatchObject({
      'gateway.json': { name: 'gw1', enrollmentToken: '[secret]' },
      'tenant.json': { error: 'It is not JSON' },
    });
    expect(JSON.parse(text('03-services.json'))).toMatchObject({
      services: { tenant: { role: 'tenant', health: 'running' }, provider: { error: { code: 'service.not-running' } } },
    });
    expect(JSON.parse(text('05-trust-journal.json'))).toEqual({
      tenant: { isIntact: true, brokenAt: null, head: expect.any(String), entries: 0 },
    });
  });
});

async function emptyConfig(home: string): Promise<string> {
  const file = path.join(home, 'empty.json');
  await writeFile(file, '{}');
  return file;
}
