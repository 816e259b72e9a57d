// Tests a second tenant and a second reader of repository folders, written from docs/ alone (services/testing/independent), against the
// product: each lists, verifies and restores the other's restore points, byte for byte. If they differ, a document or the code is wrong.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import {
  buildPoint,
  closeStreams,
  commit,
  finish,
  newId,
  openAttempt,
  progressOf,
  readPoint,
  restoreInto,
  sendBlocks,
  untilDurable,
  type OpenAttempt,
} from '../testing/independent/backup-tenant.ts';
import { ControlChannel } from '../testing/independent/control-channel.ts';
import { showTicket } from '../testing/independent/data-connection.ts';
import { encode, type Operation } from '../testing/independent/data-messages.ts';
import type { Json } from '../testing/independent/envelope-peer.ts';
import { describeTree, scanTree } from '../testing/independent/file-trees.ts';
import { RepositoryFolder } from '../testing/independent/repository-folder.ts';
import { makeVerifier } from '../testing/independent/scram-login.ts';
import { checkEvidence } from '../testing/independent/session-evidence.ts';
import { SmallGateway } from '../testing/independent/small-gateway.ts';
import { SocketReader } from '../testing/independent/socket-reader.ts';
import { Stack, stackNames } from '../testing/site/stack.ts';

const job = { jobId: newId(), jobName: 'from the documents', sourcePath: '/source' };
const stranger = { name: 'fabrikam', password: 'a password of its own 1' };

describe('a second implementation, written from the documents alone', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let tenantFolder: string;
  let providerId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-second-'));
    source = path.join(folder, 'source');
    makeSource(source);
    stack = await Stack.start({ folder });
    const tenants = stack.provider.domain(tenantsDomain);
    const quotas = [{ repository: stackNames.repository, limitBytes: 2 ** 30 }];
    await tenants.add({ ...stranger, quotas });
    const { tenants: accounts } = await tenants.list({});
    const { id } = accounts.find(({ name }) => name === stackNames.account) ?? { id: '' };
    tenantFolder = path.join(stack.repositoryFolder, id);
    providerId = (await stack.addProvider()).id;
  }, 150_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const connect = async (): Promise<ControlChannel> =>
    ControlChannel.connect({
      gateway: stack.addressOf(0),
      serverName: 'provider.example',
      thumbprint: await stack.fingerprint(),
    });
  const logIn = async (
    name: string = stackNames.account,
    password: string = stackNames.password,
  ): Promise<ControlChannel> => {
    const control = await connect();
    await control.hello();
    await control.logIn(name, password);
    return control;
  };
  const start = (control: ControlChannel, operation: Operation, pointId: string | null, streams = 2): Promise<Json> =>
    control.request('session.start', {
      ...{ sessionId: newId(), operation, jobId: job.jobId, jobName: job.jobName },
      ...{ repository: stackNames.repository, pointId, streams, areNamesHidden: false },
    });
  const opened = async (
    control: ControlChannel,
    operation: Operation,
    pointId: string | null,
  ): Promise<OpenAttempt> => {
    const grant = await start(control, operation, pointId);
    return openAttempt(stack.addressOf(0), grant, operation, pointId ?? String(grant['sessionId']));
  };
  const codeOf = async (failing: Promise<unknown>): Promise<unknown> => {
    const outcome = await failing.then(
      () => 'no refusal',
      (error: unknown) => error,
    );
    return outcome instanceof Error && 'code' in outcome ? outcome.code : String(outcome);
  };

  it('backs up a tree, and the product lists, verifies and restores it', async () => {
    const control = await logIn();
    const { gateways } = (await control.request('gateways.list')) as { gateways: { isConnected: boolean }[] };
    expect(gateways.map(({ isConnected }) => isConnected)).toEqual([true]);
    const attempt = await opened(control, 'backup', null);
    const tree = scanTree(source, ([name]) => (name === 'many-blocks' ? 1024 : 200_000));
    const point = buildPoint(tree, job, { pointId: attempt.pointId, pieceBytes: 4000, level: 1 });
    const upload = await sendBlocks(attempt, point.blocks);
    // Earlier tests may have stored some of the small files.
    expect(upload.wanted.size).toBe(upload.sent);
    expect(upload.sent).toBeGreaterThan(1000);
    const bytes = 5_000_000;
    control.notify('session.report', {
      ...{ sessionId: attempt.sessionId, attempt: 1, phase: 'transferring', progress: progressOf(bytes, 9) },
      bottleneck: { source: 0.5, compression: 0, network: 1, target: 0.25 },
      actions: [{ at: new Date().toISOString(), level: 'info', text: 'Sent everything', durationMs: 12 }],
      objects: [{ name: '/source', state: 'done', sizeBytes: bytes, processedBytes: bytes }],
      steps: [
        {
          ...{ step: 'key-b-proven', outcome: 'done', at: new Date().toISOString(), durationMs: 3, detail: '' },
          keyIdentifier: attempt.keyB,
        },
      ],
    });
    const committed = await commit(attempt, upload, point.root);
    expect(committed.newBlocks).toBe(upload.sent);
    expect(await control.notified('session.committed')).toMatchObject({ pointId: attempt.pointId });
    expect(await finish(control, attempt.sessionId, bytes, 9)).toMatchObject({ pointId: attempt.pointId });
    const evidence = await control.request('session.evidence', { sessionId: attempt.sessionId });
    const thumbprint = await stack.fingerprint();
    const changed = { ...evidence, statement: String(evidence['statement']).replace('backup', 'browse') };
    expect(() => checkEvidence(changed, thumbprint)).toThrow('not signed');
    const statement = checkEvidence(evidence, thumbprint);
    expect(Object.keys(statement)).toEqual(evidenceFields());
    expect(statement).toMatchObject({
      certificateSha256: thumbprint,
      tls: { version: 'TLSv1.3', group: 'X25519MLKEM768' },
      keys: [{ attempt: 1, keyA: attempt.keyA, keyB: attempt.keyB }],
      state: 'succeeded',
    });
    control.close();

    const { points } = await stack.tenant.domain(pointsDomain).list({});
    expect(points).toContainEqual(expect.objectContaining({ id: attempt.pointId, job: job.jobName }));
    const shown = await stack.provider.domain(sessionsDomain).show({ sessionId: attempt.sessionId });
    expect(shown).toMatchObject({ state: 'succeeded', kind: 'backup' });
    expect(await stack.provider.domain(repositoriesDomain).verify({ isDeep: true })).toMatchObject({
      ok: true,
      damaged: [],
    });
    const restored = path.join(folder, 'by-product');
    expect(await stack.restore(attempt.pointId, restored, [], 90_000)).toMatchObject({
      state: 'succeeded',
      error: null,
    });
    expect(describeTree(restored)).toEqual(describeTree(source));
    const bare = new RepositoryFolder(tenantFolder);
    const byReader = path.join(folder, 'own-by-reader');
    await bare.restore(attempt.pointId, byReader);
    expect(describeTree(byReader)).toEqual(describeTree(source));
  }, 150_000);

  it('restores what the product saved: through a gateway, and from a repository folder', async () => {
    const saved = path.join(folder, 'saved');
    makeSource(saved);
    const session = await stack.runJob(await stack.addJob(providerId, saved), 90_000);
    expect(session.error).toBeNull();
    const pointId = session.pointId ?? '';

    const control = await logIn();
    const { points } = (await control.request('points.list', { after: null, limit: 500 })) as {
      points: { id: string }[];
    };
    expect(points.map(({ id }) => id)).toContain(pointId);
    const browsing = await opened(control, 'browse', pointId);
    const { entries } = await readPoint(browsing);
    expect(entries.map((entry) => entry.path.join('/'))).toContain('folder/inner/text');
    await closeStreams(browsing.streams);
    await finish(control, browsing.sessionId, 0, 0);
    const restoring = await opened(control, 'restore', pointId);
    const restored = path.join(folder, 'by-second');
    await restoreInto(restored, restoring);
    await finish(control, restoring.sessionId, 5_000_000, 9);
    control.close();
    expect(describeTree(restored)).toEqual(describeTree(saved));

    const copy = path.join(folder, 'copy');
    for (const part of ['packs', 'points', 'damaged'])
      if (fs.existsSync(path.join(tenantFolder, part)))
        cpSync(path.join(tenantFolder, part), path.join(copy, part), { recursive: true });
    const byReader = path.join(folder, 'by-reader');
    const reader = new RepositoryFolder(copy);
    expect(await reader.verify()).toEqual([]);
    await reader.restore(pointId, byReader);
    expect(describeTree(byReader)).toEqual(describeTree(saved));
    const [pack = ''] = readdirSync(path.join(copy, 'packs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.pack'))
      .map((name) => path.join(copy, 'packs', name));
    const whole = readFileSync(pack);
    // The checksum of the first block's header, and a stored byte.
    const places = [91, whole.length >>> 1];
    for (const place of places) {
      const bytes = Buffer.from(whole);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      writeFileSync(pack, bytes);
      expect([place, await new RepositoryFolder(copy).verify()]).not.toEqual([place, []]);
    }
  }, 150_000);

  it('continues after a cut and does not send durable blocks twice', async () => {
    const control = await logIn();
    const grant = await start(control, 'backup', null);
    const sessionId = String(grant['sessionId']);
    const first = await openAttempt(stack.addressOf(0), grant, 'backup', sessionId);
    const tree = scanTree(source, () => 100_000);
    const point = buildPoint(tree, job, { pointId: sessionId, pieceBytes: 2 ** 20, level: 0 });
    const half = await sendBlocks(first, point.blocks.slice(0, 10));
    const [stream] = first.streams;
    if (stream === undefined) throw new Error('There is no stream');
    while (half.durable.size === 0) await untilDurable(stream, half);
    for (const one of first.streams) one.destroy();
    control.destroy();

    const again = await logIn();
    const second = await openAttempt(
      stack.addressOf(0),
      await again.request('session.resume', { sessionId, streams: 1 }),
      'backup',
      sessionId,
    );
    expect([second.attempt, second.streams.length]).toEqual([2, 1]);
    expect(second.keyA).not.toBe(first.keyA);
    const rest = await sendBlocks(second, point.blocks);
    expect([...half.durable].filter((id) => rest.wanted.has(id))).toEqual([]);
    await commit(second, rest, point.root);
    expect(await finish(again, sessionId, 1, 1)).toMatchObject({ pointId: sessionId });
    again.close();
  }, 150_000);

  it('is also a gateway that the provider enrolls and sends routes to', async () => {
    const gateway = await SmallGateway.listen('127.0.0.1');
    const unwelcome = await SmallGateway.listen('127.0.0.1');
    const { gateway: made, token } = await stack.provider
      .domain(gatewaysDomain)
      .createEnrollToken({ name: 'second', addresses: [gateway.address] });
    try {
      await gateway.join(token, 'second');
      const isConnected = (changed: { id: string; state: string }): boolean =>
        changed.id === made.id && changed.state === 'connected';
      await stack.provider.events.waitFor(gatewaysDomain, 'changed', isConnected);
      const control = await ControlChannel.connect({
        ...{ gateway: gateway.address, serverName: 'provider.example', thumbprint: await stack.fingerprint() },
      });
      await control.hello();
      await control.logIn(stackNames.account, stackNames.password);
      const grant = await start(control, 'backup', null);
      const pointId = String(grant['sessionId']);
      const attempt = await openAttempt(gateway.address, grant, 'backup', pointId);
      const tree = scanTree(path.join(source, 'names'), () => 100_000);
      const point = buildPoint(tree, job, { pointId, pieceBytes: 2 ** 20, level: 0 });
      await commit(attempt, await sendBlocks(attempt, point.blocks), point.root);
      expect(await finish(control, pointId, 1, 1)).toMatchObject({ pointId });
      control.close();
      await expect(unwelcome.join(token, 'again')).rejects.toMatchObject({
        code: 'gateway.token-invalid',
      });
    } finally {
      await Promise.all([gateway.stop(), unwelcome.stop()]);
    }
  }, 150_000);

  it('accepts an invitation, sets its own password, pauses and resumes, cancels', async () => {
    const tenants = stack.provider.domain(tenantsDomain);
    const quotas = [{ repository: stackNames.repository, limitBytes: 2 ** 30 }];
    const { id: tenantId } = await tenants.add({ name: 'tailspin', password: 'nobody knows this one 1', quotas });
    const { invitation } = await tenants.invite({ tenantId, validMs: 3_600_000 });
    expect(invitation.fingerprint).toBe(await stack.fingerprint());
    const dot = invitation.secret.indexOf('.');
    const invited = await connect();
    await invited.hello();
    const loginName = `${invitation.user}#${invitation.secret.slice(0, dot)}`;
    const answer = await invited.logIn(loginName, invitation.secret.slice(dot + 1));
    expect(answer).toMatchObject({ tenantId, mustSetPassword: true });
    expect(await codeOf(invited.request('repositories.list'))).toBe('call.refused');
    const password = 'pass\u00adword\u00a0of \uff11 \u2460';
    await invited.request('login.set-password', await makeVerifier(password));
    expect(await invited.request('repositories.list')).toMatchObject({
      repositories: [{ name: stackNames.repository, limitBytes: 2 ** 30, usedBytes: 0 }],
    });
    invited.close();

    const control = await logIn('tailspin', 'password of 1 1');
    const status = { acceptedBy: 'thumbprint', nextSha256: null, refused: null };
    expect(await control.request('certificate.status', status)).toEqual({ kind: 'none', announcement: null });
    const attempt = await opened(control, 'backup', null);
    const { sessionId } = attempt;
    const [stream] = attempt.streams;
    stream?.send(encode.offer(0, []));
    expect(await stream?.receive()).toEqual({ type: 'want', offer: 0, wanted: [] });
    for (const one of attempt.streams) one.send(encode.abort('call.canceled', 'Paused'));
    await Promise.allSettled(attempt.streams.map((one) => one.close()));
    const paused = await control.request('session.pause', { sessionId, by: 'tenant' });
    expect(paused).toMatchObject({ committed: null, keptForMs: expect.any(Number) });
    control.close();
    const again = await logIn('tailspin', 'password of 1 1');
    const grant = await again.request('session.resume', { sessionId, streams: 2 });
    const resumed = await openAttempt(stack.addressOf(0), grant, 'backup', sessionId);
    expect(resumed.attempt).toBe(2);
    await again.request('session.cancel', { sessionId });
    expect(await stack.provider.domain(sessionsDomain).show({ sessionId })).toMatchObject({ state: 'canceled' });
    expect(await codeOf(again.request('session.resume', { sessionId, streams: 1 }))).toBe('call.canceled');
    for (const one of resumed.streams) one.destroy();
    again.close();
  }, 150_000);

  it('is refused where the documents say so', async () => {
    const wrong = await connect();
    await wrong.hello();
    expect(await codeOf(wrong.logIn(stackNames.account, 'not the password'))).toBe('login.refused');
    const control = await logIn();
    const other = await connect();
    await other.hello();
    const { account, password } = stackNames;
    expect(await codeOf(other.logIn(account, password, control.channelBinding))).toBe('security.channel-binding');
    const early = await connect();
    expect(await codeOf(early.request('points.list', { after: null, limit: 1 }))).toBe('call.refused');
    expect(await codeOf((await connect()).hello(2))).toContain('speaks version 1');
    const needs = await connect();
    const required = [{ name: 'time-travel', isRequired: true }];
    expect(await codeOf(needs.hello(1, required))).toBe('protocol.feature');
    expect(await codeOf(control.request('session.fly'))).toBe('call.unknown');

    const grant = await start(control, 'backup', null);
    const sessionId = String(grant['sessionId']);
    const attempt = await openAttempt(stack.addressOf(0), grant, 'backup', sessionId);
    const foreign = await logIn(stranger.name, stranger.password);
    for (const [type, input] of [
      ['session.resume', { sessionId, streams: 1 }],
      ['session.pause', { sessionId, by: 'tenant' }],
      ['session.cancel', { sessionId }],
      ['session.evidence', { sessionId }],
    ] as const)
      expect(await codeOf(foreign.request(type, input))).toBe('call.not-found');
    expect(await codeOf(start(foreign, 'restore', sessionId))).toBe('call.not-found');

    for (const [kind, ticket] of [
      [1, attempt.tickets.tunnel],
      [2, attempt.tickets.streams[0] ?? Buffer.alloc(32)],
    ] as const) {
      const replay = await showTicket(stack.addressOf(0), kind, ticket);
      replay.write(attempt.tunnelBytes);
      // The target sends no byte: neither a nonce nor an answer.
      await expect(new SocketReader(replay).read(1)).rejects.toThrow();
      replay.destroy();
    }
    // A changed byte ends the session, and both sides report it.
    attempt.streams[0]?.sendRaw(randomBytes(32));
    expect(await control.notified('session.tampered')).toMatchObject({ sessionId, where: 'data', stream: 0 });
    for (const stream of attempt.streams) stream.destroy();
    control.sendFrame(2, Buffer.from('binary'));
    expect(await control.closed()).toMatchObject({ code: 4000, reason: expect.stringContaining('protocol.malformed') });
    for (const channel of [wrong, other, early, needs, foreign]) channel.destroy();
  }, 150_000);
});

/** The fields in the order of the document. */
function evidenceFields(): string[] {
  const text = readFileSync(new URL('../../docs/control-messages.md', import.meta.url), 'utf8');
  const [, table = ''] = /^`statement` is JSON[^|]*((?:\|[^\n]*\n)*)/m.exec(text) ?? [];
  return table
    .split('\n')
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
}

/** Files of every kind that a manifest can hold: several blocks, records and pieces; holes; names that are not UTF-8; times before 1970. */
function makeSource(top: string): void {
  const at = (...names: string[]): string => path.join(top, ...names);
  fs.mkdirSync(at('folder', 'inner'), { recursive: true });
  fs.mkdirSync(at('names'));
  writeFileSync(at('random'), randomBytes(3_000_000));
  writeFileSync(at('many-blocks'), randomBytes(1100 * 1024 + 17));
  writeFileSync(at('folder', 'inner', 'text'), 'words '.repeat(80_000));
  writeFileSync(at('empty'), '');
  writeFileSync(at('folder', 'a b'), 'x', { mode: 0o600 });
  writeFileSync(Buffer.concat([Buffer.from(`${top}/names/`), Buffer.of(0xe9, 0xff)]), 'latin');
  for (let index = 0; index < 60; index += 1) writeFileSync(at('names', `${index}`.padStart(40, '-')), `${index}`);
  fs.symlinkSync('folder/inner/text', at('link'));
  fs.symlinkSync('nowhere', at('folder', 'dangling'));
  fs.linkSync(at('random'), at('zz-same-file'));
  const sparse = fs.openSync(at('sparse'), 'w');
  fs.ftruncateSync(sparse, 8_000_000);
  fs.writeSync(sparse, 'in the middle', 4_000_000);
  fs.closeSync(sparse);
  fs.chmodSync(at('folder'), 0o2750);
  fs.utimesSync(at('empty'), -5, -5);
  fs.lutimesSync(at('link'), 1_000_000_000.25, 1_000_000_000.25);
  fs.utimesSync(at('folder'), 1_234_567_890.5, 1_234_567_890.5);
  useWholeMilliseconds(top);
}

/** The second implementation sets times as doubles, which cannot represent every microsecond. */
function useWholeMilliseconds(folder: string): void {
  for (const name of fs.readdirSync(folder, { encoding: 'buffer' })) {
    const full = Buffer.concat([Buffer.from(`${folder}/`), name]);
    const stat = fs.lstatSync(full);
    if (stat.isDirectory()) useWholeMilliseconds(full.toString());
    const seconds = Math.floor(stat.mtimeMs) / 1000;
    fs.lutimesSync(full, seconds, seconds);
  }
}
