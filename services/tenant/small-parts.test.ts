// Tests of small parts of the tenant service: displayed paths, the secret vault, reports to a provider, transfers without progress.
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { noProgress } from '../contracts/models/session.ts';
import { notable } from '../contracts/notable-events.ts';
import { systemClock } from '../kernel/clock.ts';
import { showPath } from '../mover/source/walk/path-text.ts';
import { LiveSession } from '../session/live-session.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { parseTenantNotification } from '../wire/control-calls.ts';
import type { TenantNotification } from '../wire/control-messages.ts';
import { SecretVault } from './state/secret-vault.ts';
import { SessionReporter } from './sessions/session-reporter.ts';
import { parseShownPath } from './sessions/shown-path.ts';
import { applySourceEvent } from './sessions/source-events.ts';
import { StallWatch } from './sessions/stall-watch.ts';

const newSession = {
  id: 'a'.repeat(32),
  kind: 'backup',
  jobName: 'documents',
  otherSide: 'northwind',
  repository: 'main',
  viewer: 'tenant',
  streams: 1,
  areObjectNamesHidden: false,
} as const;

describe('parseShownPath', () => {
  it('converts a displayed path back to its bytes', () => {
    for (const bytes of ['plain/name', 'ümlaut', 'bad\xff\xfebyte', 'tab\tinside', 'mixed\xc3']) {
      const raw = Buffer.from(bytes, 'latin1');
      expect(parseShownPath(showPath(raw)).equals(raw)).toBe(true);
    }
  });

  it('does not change text that never stands for a byte', () => {
    expect(parseShownPath('a\\x41b').toString()).toBe('a\\x41b');
  });
});

describe('SecretVault', () => {
  it('encrypts with a key that only this account can read, for one purpose', async () => {
    const home = await makeTemporaryFolder();
    using vault = await SecretVault.open(home);
    const sealed = vault.seal('the password', 'provider 1');
    expect(sealed.includes('the password')).toBe(false);
    expect(vault.seal('the password', 'provider 1').equals(sealed)).toBe(false);
    expect(vault.open(sealed, 'provider 1')).toBe('the password');
    const damaged = expect.objectContaining({ code: 'storage.damaged' }) as Error;
    expect(() => vault.open(sealed, 'provider 2')).toThrow(damaged);
    const changed = Buffer.from(sealed);
    changed[15] = (changed[15] ?? 0) ^ 1;
    expect(() => vault.open(changed, 'provider 1')).toThrow(damaged);
    expect(() => vault.open(Buffer.alloc(3), 'provider 1')).toThrow(damaged);
    const file = path.join(home, 'secrets.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    using again = await SecretVault.open(home);
    expect(again.open(sealed, 'provider 1')).toBe('the password');
  });

  it('refuses a truncated key file', async () => {
    const home = await makeTemporaryFolder();
    const file = path.join(home, 'secrets.key');
    await writeFile(file, 'short');
    await expect(SecretVault.open(home)).rejects.toMatchObject({ code: 'storage.damaged' });
    // An existing key file is not replaced: every secret encrypted with its key would be lost.
    expect(await readFile(file, 'utf8')).toBe('short');
  });
});

describe('SessionReporter', () => {
  function make(areNamesHidden: boolean): { live: LiveSession; reporter: SessionReporter; sent: unknown[] } {
    const reporter = new SessionReporter({ areNamesHidden });
    return { reporter, live: LiveSession.create(newSession, systemClock, [reporter]), sent: [] };
  }

  it('first sends what was collected before the connection, then only changes, in messages that fit the schema', () => {
    const { live, reporter, sent } = make(false);
    live.beginStep('gateway-connect', 'gw');
    live.endStep('gateway-connect', 'gw');
    const peer = {
      request: () => Promise.resolve(),
      notify: (name: string, payload: unknown) => sent.push(parseTenantNotification(name, payload)?.payload),
    };
    reporter.attach(peer, live.id, 1);
    live.putObject({ name: 'x'.repeat(5000), state: 'running', sizeBytes: null, processedBytes: 0 });
    live.act('info', notable('session.error', { message: 'y'.repeat(5000) }));
    live.setProgress({ readBytes: 5 });
    reporter.flush();
    reporter.flush();
    reporter.detach();
    const reports = sent as TenantNotification<'session.report'>[];
    expect(reports).toHaveLength(2);
    expect(reports[0]?.steps).toMatchObject([{ step: 'gateway-connect', outcome: 'done' }]);
    expect(reports[1]).toMatchObject({ progress: { readBytes: 5 }, steps: [] });
    expect(reports[1]?.objects).toHaveLength(1);
  });

  it('sends no file names when names are hidden from the provider', () => {
    const { live, reporter, sent } = make(true);
    const peer = { request: () => Promise.resolve(), notify: (_name: string, payload: unknown) => sent.push(payload) };
    reporter.attach(peer, live.id, 1);
    live.putObject({ name: '/home/secret.txt', state: 'running', sizeBytes: null, processedBytes: 0 });
    live.warn({ code: 'source.unreadable', message: 'no rights', path: '/home/secret.txt' });
    live.setProgress({ readBytes: 5 });
    reporter.detach();
    expect(sent).toHaveLength(1);
    expect(JSON.stringify(sent)).not.toContain('secret.txt');
  });
});

describe('the totals of a session with several attempts', () => {
  it('are sums over all attempts, while the position in the source never runs backwards', () => {
    const live = LiveSession.create(newSession, systemClock, []);
    const totals = {
      totalBytes: 100,
      totalFiles: 1,
      processedBytes: 60,
      processedFiles: 0,
      readBytes: 40,
      transferredBytes: 30,
      durableBytes: 30,
      safeBytes: 50,
      skippedFiles: 0,
      unchangedFiles: 0,
      newBlocks: 1,
      reusedBlocks: 0,
    };
    const busy = { source: 0, compress: 0, network: 0, target: 0 };
    applySourceEvent(
      live,
      { type: 'progress', phase: 'transferring', totals, busy },
      { earlier: { ...noProgress, readBytes: 20, transferredBytes: 10, safeBytes: 55 }, onPhase: () => undefined },
    );
    expect(live.progress).toMatchObject({ processedBytes: 60, readBytes: 60, transferredBytes: 40, safeBytes: 55 });
  });
});

describe('StallWatch', () => {
  const totals = {
    totalBytes: 1,
    totalFiles: 1,
    processedBytes: 0,
    readBytes: 0,
    transferredBytes: 0,
    durableBytes: 0,
    processedFiles: 0,
    skippedFiles: 0,
    unchangedFiles: 0,
    newBlocks: 0,
    reusedBlocks: 0,
  };
  const busy = { source: 0, compress: 0, network: 0, target: 0 };

  it('distinguishes a transfer without progress from a slow one', async () => {
    const clock = new ManualClock();
    const onStall = vi.fn();
    const watch = new StallWatch(1000, onStall, clock);
    for (let step = 1; step <= 5; step += 1) {
      await clock.advance(900);
      watch.saw({ type: 'progress', phase: 'transferring', totals: { ...totals, readBytes: step }, busy });
    }
    expect(onStall).not.toHaveBeenCalled();
    for (let step = 0; step < 5; step += 1) {
      await clock.advance(250);
      watch.saw({ type: 'alive' });
      watch.saw({ type: 'progress', phase: 'transferring', totals: { ...totals, readBytes: 5 }, busy });
    }
    expect(onStall).toHaveBeenCalledTimes(1);
    watch.stop();
  });
});
