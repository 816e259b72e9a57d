// Tests the command line against both sides of a demo with --hold: real services, all commands of an admin, in the usual order. Most
// commands run in this process, which saves the start of a process for each.
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isEvidenceGenuine, type SignedStatement } from '../testing/site/evidence-check.ts';
import { holdDemo, isAlive, makeDemoSource } from '../testing/site/held-demo.ts';
import { runCli, runCliHere, startCli, type CliResult } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

const hex64 = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;
const timeoutMs = 180_000;

describe('farkeep against a held demo', () => {
  it('administers both sides, backs up, restores and verifies', { timeout: 2 * timeoutMs }, async () => {
    const { json, tenant, provider, pids, temporary, end } = await holdDemo('--gateways', '2');
    expect(json).toMatchObject({
      ready: true,
      homes: { gateways: [expect.any(String), expect.any(String)] },
      gatewayAddresses: [expect.stringMatching(/^127\.0\.0\.1:\d+$/), expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
      fingerprint: expect.stringMatching(hex64),
      tenantUser: 'demo',
      providerName: 'demo-provider',
      repository: 'main',
    });
    for (const pid of pids) expect(isAlive(pid)).toBe(true);
    expect((await stat(json.passwordFile)).mode & 0o777).toBe(0o600);

    // Commands that provider and tenant both have.
    const { certificates } = (await provider('certificate', 'pick', '--slot', 'server', '--json')).json() as {
      certificates: { pickId: string; unusableReason: string | null }[];
    };
    const own = certificates.find(
      ({ pickId, unusableReason }) => pickId.startsWith('farkeep:') && unusableReason === null,
    );
    expect(await provider('certificate', 'pick', own?.pickId ?? '', '--json')).toMatchObject({ exitCode: 0 });
    expect(await provider('certificate', 'pick', 'letsencrypt:../../etc/passwd')).toMatchObject({ exitCode: 1 });
    expect((await provider('certificate', 'show', '--json')).json()).toMatchObject({
      sha256: json.fingerprint,
      installed: true,
    });
    expect((await provider('gateway', 'doctor', '--json')).json()).toMatchObject({ ok: true });
    expect((await provider('gateway', 'list', '--json')).json()).toMatchObject({
      gateways: [{ state: 'connected' }, { state: 'connected' }],
    });
    expect((await tenant('provider', 'list', '--json')).json()).toMatchObject({
      providers: [{ name: 'demo-provider', trust: 'pinned' }],
    });
    expect(await tenant('trust', 'journal')).toMatchObject({ exitCode: 0 });

    // Trust check, without any service.
    const [host = '', port = ''] = (json.gatewayAddresses[0] ?? '').split(':');
    const check = (...args: string[]): Promise<CliResult> =>
      runCli(['trust', 'check', '--host', host, '--port', port, '--json', ...args]);
    const refused = await check();
    expect(refused.exitCode).toBe(3);
    expect(refused.json()).toMatchObject({
      decision: 'refused',
      certificate: { sha256: json.fingerprint },
      tls: { version: 'TLSv1.3' },
    });
    const pinned = await check('--fingerprint', json.fingerprint);
    expect(pinned).toMatchObject({ exitCode: 0 });
    expect(pinned.json()).toMatchObject({ decision: 'pinned' });

    // Jobs.
    const source = await makeDemoSource();
    const target = ['--provider', json.providerName, '--repository', json.repository];
    const added = await tenant('job', 'add', 'first', '--source', source, ...target, '--json');
    expect(added.json()).toMatchObject({
      ok: true,
      job: { id: expect.stringMatching(/^[0-9a-f]{32}$/), name: 'first' },
    });
    expect(await tenant('job', 'add', 'first', '--source', source, ...target)).toMatchObject({ exitCode: 1 });
    expect(await tenant('job', 'run', 'second')).toMatchObject({ exitCode: 1 });
    // The printed next command can be pasted into a shell.
    const spaced = await tenant('job', 'add', 'my files', '--source', source, ...target);
    expect(spaced.stdout).toContain("Next: farkeep job run 'my files'\n");
    expect(await tenant('job', 'remove', 'my files')).toMatchObject({ exitCode: 0 });

    const run = await tenant('job', 'run', 'first', '--json');
    expect(run.exitCode).toBe(0);
    const { session } = run.json() as { session: { id: string; point: string } };
    expect(session).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      readBytes: 400_006,
      transferredBytes: expect.any(Number),
      storedBytes: expect.any(Number),
      seconds: expect.any(Number),
      warnings: [],
      point: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const followed = (await tenant('job', 'run', 'first', '--follow', '--json')).jsonLines();
    expect(followed.length).toBeGreaterThan(3);
    expect(followed.at(-1)).toMatchObject({ session: { state: 'succeeded' } });
    expect(followed.slice(0, -1).every((line) => typeof line['event'] === 'string')).toBe(true);

    // The session as provider and tenant show it, and its evidence.
    expect((await provider('session', 'show', session.id.slice(0, 12), '--json')).json()).toMatchObject({
      session: { id: session.id, viewer: 'provider', state: 'succeeded' },
    });
    const evidenceFile = path.join(await makeTemporaryFolder(), 'evidence.json');
    expect(await tenant('session', 'evidence', session.id, '--out', evidenceFile)).toMatchObject({ exitCode: 0 });
    const evidence = JSON.parse(await readFile(evidenceFile, 'utf8')) as SignedStatement;
    expect(isEvidenceGenuine(evidence)).toBe(true);
    expect(evidence.statement).not.toContain('notes.txt');

    // Restore points.
    const { points } = (await tenant('point', 'list', '--json')).json() as {
      points: { id: string; createdAt: string }[];
    };
    expect(points[0]).toMatchObject({
      id: session.point,
      job: 'first',
      sourceBytes: 400_006,
      files: 2,
      encrypted: false,
    });
    expect(points.map(({ createdAt }) => createdAt)).toEqual(points.map(({ createdAt }) => createdAt).sort());
    expect((await tenant('point', 'ls', 'latest', 'reports/2026', '--json')).json()).toMatchObject({
      entries: [{ name: 'may.csv', path: 'reports/2026/may.csv', kind: 'file', sizeBytes: 400_000 }],
    });
    expect((await tenant('point', 'find', 'latest:first', 'NOTES', '--json')).json()).toMatchObject({
      entries: [{ path: 'notes.txt' }],
    });

    const folder = await makeTemporaryFolder();
    const whole = await tenant('restore', session.point, '--to', path.join(folder, 'whole'), '--json');
    expect(whole.json()).toMatchObject({ ok: true, files: 2, bytes: 400_006, seconds: expect.any(Number) });
    expect(await readFile(path.join(folder, 'whole', 'reports', '2026', 'may.csv'))).toEqual(
      await readFile(path.join(source, 'reports', '2026', 'may.csv')),
    );
    await tenant('restore', 'latest', 'notes.txt', '--to', path.join(folder, 'part'));
    expect(await readdir(path.join(folder, 'part'))).toEqual(['notes.txt']);

    // Extracting from the repository folder, without any service.
    const repository = path.join(temporary, (await readdir(temporary))[0] ?? '', 'repository');
    const tenantFolder = path.join(
      repository,
      (await readdir(repository)).find((name) => /^[0-9a-f]{32}$/.test(name)) ?? '',
    );
    const extracted = path.join(folder, 'extracted');
    const extract = await runCli([
      'point',
      'extract',
      session.point,
      '--folder',
      tenantFolder,
      '--to',
      extracted,
      '--json',
    ]);
    expect(extract.json()).toMatchObject({ ok: true, files: 2, bytes: 400_006 });
    expect(await readFile(path.join(extracted, 'notes.txt'), 'utf8')).toBe('notes\n');

    expect((await provider('repository', 'verify', '--json')).json()).toMatchObject({ ok: true, damaged: [] });

    const ended = await end();
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.jsonLines()).toHaveLength(1);
    expect(await readdir(temporary)).toEqual([]);
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
  });

  it(
    "accepts a tenant's invitation, refuses an unknown certificate and a wrong password",
    { timeout: timeoutMs },
    async () => {
      const { json, provider } = await holdDemo();
      const folder = await makeTemporaryFolder();
      const passwordFile = path.join(folder, 'password');
      await writeFile(passwordFile, 'correct horse battery\n');
      const account = await provider(
        'tenant',
        'add',
        'acme',
        '--password-file',
        passwordFile,
        '--quota',
        'main=5GB',
        '--json',
      );
      expect(account.json()).toMatchObject({ ok: true, tenant: { name: 'acme', quotas: [{ limitBytes: 5e9 }] } });
      // A quota option replaces all quotas, and the output names what is lost.
      expect((await provider('tenant', 'set', 'acme', '--quota', 'main=6GB')).stdout).toBe('Account "acme" changed.\n');
      const second = path.join(folder, 'second-repository');
      expect(await provider('repository', 'add', 'second', '--folder', second)).toMatchObject({ exitCode: 0 });
      const replaced = await provider('tenant', 'set', 'acme', '--quota', 'second=1GB');
      expect(replaced.stdout).toContain('It can no longer use "main"');
      const none = await provider('tenant', 'set', 'acme', '--no-quota', '--json');
      expect(JSON.parse(none.stdout)).toMatchObject({ tenant: { quotas: [] } });
      expect(await provider('tenant', 'set', 'acme', '--quota', 'main=5GB')).toMatchObject({ exitCode: 0 });
      const spaced = await provider('tenant', 'add', 'a b', '--password-file', passwordFile, '--quota', 'main=5GB');
      expect(spaced).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('1 to 64 letters, digits') });
      const invitation = path.join(folder, 'acme.invitation');
      const invited = await provider('tenant', 'invite', 'acme', '--out', invitation, '--expires', '20m', '--json');
      expect(invited.exitCode).toBe(0);
      const { expiresAt } = invited.json() as { expiresAt: string };
      expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(20 * 60_000);
      expect((await stat(invitation)).mode & 0o777).toBe(0o600);

      const home = path.join(folder, 'tenant-home');
      const service = startCli(['serve', 'tenant', '--home', home, '--json']);
      onTestFinished(() => void service.child.kill('SIGTERM'));
      expect(JSON.parse(await service.firstLine())).toMatchObject({ kind: 'ready', role: 'tenant' });
      const tenant = (...args: string[]): Promise<CliResult> => runCliHere([...args, '--home', home, '--json']);

      const address = ['--address', json.gatewayAddresses[0] ?? '', '--user', 'acme'];
      const unknown = await tenant('provider', 'add', 'p', ...address, '--password-file', passwordFile);
      expect(unknown.exitCode).toBe(3);
      expect(unknown.json()).toMatchObject({
        error: { code: 'trust.untrusted', details: { sha256: json.fingerprint } },
      });

      const wrong = json.fingerprint.replace(/^../, (pair) => (pair === '00' ? '01' : '00'));
      const mismatch = await tenant(
        'provider',
        'add',
        'p',
        ...address,
        '--password-file',
        passwordFile,
        '--fingerprint',
        wrong,
      );
      expect(mismatch.exitCode).toBe(3);
      expect(mismatch.json()).toMatchObject({ error: { code: 'trust.thumbprint-mismatch' } });

      await writeFile(passwordFile, 'wrong horse battery\n');
      const login = await tenant(
        'provider',
        'add',
        'p',
        ...address,
        '--password-file',
        passwordFile,
        '--fingerprint',
        json.fingerprint,
      );
      expect(login.exitCode).toBe(4);
      expect(login.json()).toMatchObject({ error: { code: 'login.refused' } });
      expect((await tenant('provider', 'list')).json()).toEqual({ providers: [] });
      expect((await tenant('trust', 'list')).json()).toMatchObject({ pins: [] });

      const added = await tenant('provider', 'add', 'northwind', '--invitation', invitation);
      expect(added.json()).toMatchObject({ ok: true, provider: { userName: 'acme' } });
      // The invitation works only once.
      const again = await tenant('provider', 'add', 'again', '--invitation', invitation);
      expect(again.json()).toMatchObject({ ok: false });

      // The provider sets another password: the tenant enters it.
      await writeFile(passwordFile, 'another horse battery\n');
      const reset = await provider('tenant', 'set', 'acme', '--password-file', passwordFile);
      expect(reset).toMatchObject({ exitCode: 0 });
      expect(await tenant('provider', 'rescan', 'northwind')).toMatchObject({ exitCode: 4 });
      const old = path.join(folder, 'old-password');
      await writeFile(old, 'correct horse battery\n');
      const refused = await tenant('provider', 'set', 'northwind', '--password-file', old);
      expect(refused.exitCode).toBe(4);
      expect(refused.json()).toMatchObject({ error: { code: 'login.refused' } });
      const entered = await tenant('provider', 'set', 'northwind', '--password-file', passwordFile);
      expect(entered.json()).toMatchObject({ ok: true, provider: { name: 'northwind', problem: null } });
      expect(await tenant('provider', 'rescan', 'northwind')).toMatchObject({ exitCode: 0 });

      // A new invitation and a new name for the same provider.
      const renewal = path.join(folder, 'renewal.invitation');
      expect(await provider('tenant', 'invite', 'acme', '--out', renewal)).toMatchObject({ exitCode: 0 });
      const both = await tenant('provider', 'set', 'northwind', '--invitation', renewal, '--user', 'acme');
      expect(both.exitCode).toBe(2);
      const renewed = await tenant('provider', 'set', 'northwind', '--invitation', renewal, '--name', 'fabrikam');
      expect(renewed.json()).toMatchObject({ ok: true, provider: { name: 'fabrikam', trust: 'pinned' } });
      expect((await tenant('trust', 'list')).json()).toMatchObject({ pins: [{ identity: 'fabrikam' }] });
      expect(await tenant('provider', 'rescan', 'fabrikam')).toMatchObject({ exitCode: 0 });

      service.child.kill('SIGTERM');
      expect((await service.result).exitCode).toBe(0);
      await vi.waitFor(async () =>
        expect((await tenant('provider', 'list')).json()).toMatchObject({ error: { code: 'service.not-running' } }),
      );
    },
  );

  it('follows a change of the certificate, announced or not', { timeout: timeoutMs }, async () => {
    const { tenant, provider, json } = await holdDemo();
    const generate = async (name: string): Promise<{ sha256: string }> =>
      (await provider('certificate', 'generate', '--friendly-name', name, '--key-bits', '2048', '--json')).json() as {
        sha256: string;
      };
    expect((await provider('license', 'show', '--json')).json()).toMatchObject({ edition: 'community' });

    const planned = await generate('planned');
    const inAYear = new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10);
    const announced = await provider('certificate', 'rollover', 'announce', 'planned', '--at', inAYear, '--json');
    expect(announced.json()).toMatchObject({ ok: true, rollover: { switchAt: `${inAYear}T00:00:00.000Z` } });
    expect(await tenant('provider', 'rescan', 'demo-provider')).toMatchObject({ exitCode: 0 });
    expect((await provider('certificate', 'rollover', 'show', '--json')).json()).toMatchObject({
      rollover: { tenants: { total: 1, informed: 1 } },
    });
    expect((await tenant('trust', 'list', '--json')).json()).toMatchObject({
      prompts: [],
      pins: expect.arrayContaining([expect.objectContaining({ state: 'next' })]),
    });
    expect(await provider('certificate', 'rollover', 'cancel')).toMatchObject({ exitCode: 0 });

    const sudden = await generate('sudden');
    expect(await provider('certificate', 'install', 'sudden')).toMatchObject({ exitCode: 0 });
    // A script cannot answer: the job ends at once, and the error contains the question and how to answer it.
    const target = ['--provider', json.providerName, '--repository', json.repository];
    await tenant('job', 'add', 'first', '--source', await makeDemoSource(), ...target);
    const run = await tenant('job', 'run', 'first', '--json');
    expect(run.exitCode).toBe(3);
    expect(run.json()).toMatchObject({
      ok: false,
      error: {
        code: 'trust.changed',
        hint: expect.stringContaining('farkeep trust accept demo-provider --fingerprint THUMBPRINT'),
        details: { identity: 'demo-provider', sha256: sudden.sha256 },
      },
    });
    const again = await tenant('job', 'run', 'first');
    expect(again).toMatchObject({ exitCode: 3, stdout: '' });
    expect(again.stderr).toContain(sudden.sha256);
    expect((await tenant('session', 'list', '--json')).json()).toMatchObject({
      sessions: expect.arrayContaining([expect.objectContaining({ jobName: 'first', state: 'canceled' })]),
    });
    const refused = await tenant('provider', 'rescan', 'demo-provider', '--json');
    expect(refused.exitCode).toBe(3);
    expect(refused.json()).toMatchObject({ error: { code: 'trust.changed' } });
    expect((await tenant('trust', 'list', '--json')).json()).toMatchObject({
      prompts: [{ kind: 'changed', identity: 'demo-provider', presented: { sha256: sudden.sha256 } }],
    });
    expect(await tenant('trust', 'accept', '--fingerprint', planned.sha256)).toMatchObject({ exitCode: 3 });
    expect(await tenant('trust', 'accept', 'demo-provider', '--fingerprint', sudden.sha256)).toMatchObject({
      exitCode: 0,
    });
    expect(await tenant('provider', 'rescan', 'demo-provider')).toMatchObject({ exitCode: 0 });
    const journal = (await tenant('trust', 'journal', '--json')).json() as {
      isIntact: boolean;
      entries: { action: string }[];
    };
    expect(journal.isIntact).toBe(true);
    // At the first contact after the new acceptance the provider says that nothing is announced any more.
    expect(journal.entries.map(({ action }) => action)).toEqual(['accepted', 'announced', 'accepted', 'withdrawn']);
  });

  it('pauses and resumes a session', { timeout: 2 * timeoutMs }, async () => {
    const { tenant, provider, json } = await holdDemo();
    const source = await makeTemporaryFolder();
    // Large enough that a few commands can run during the backup.
    await writeFile(path.join(source, 'large.bin'), randomBytes(192 * 1024 * 1024));
    await tenant('job', 'add', 'large', '--source', source, '--provider', json.providerName);
    const { session } = (await tenant('job', 'run', 'large', '--detach', '--json')).json() as {
      session: { id: string };
    };
    const paused = await vi.waitFor(
      async () => {
        const result = await tenant('session', 'pause', session.id, '--json');
        expect(result.exitCode).toBe(0);
        return result.json();
      },
      { timeout: timeoutMs, interval: 50 },
    );
    expect(paused).toMatchObject({ ok: true, id: session.id, state: 'paused', resumeUntil: expect.any(String) });
    expect((await provider('session', 'show', session.id)).stdout).toMatch(
      /State: +paused by the tenant until .+, attempt 1/,
    );
    expect(await provider('session', 'resume', session.id, '--json')).toMatchObject({ exitCode: 1 });
    expect((await tenant('job', 'run', 'large')).stderr).toContain('is paused');
    expect((await tenant('session', 'resume', session.id, '--json')).json()).toEqual({ ok: true, id: session.id });
    expect((await tenant('session', 'watch', session.id, '--json')).jsonLines().at(-1)).toMatchObject({
      session: { state: 'succeeded', attempts: 2 },
    });
  });
});
