// An attacker who is a tenant with a modified client sends requests in any order: no attempt may run that the provider does not count.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { newId } from '../../kernel/identifier.ts';
import { connectControl, type ControlChannel } from '../../transport/control-client.ts';
import { askProvider, type MessagePeer } from '../../wire/control-calls.ts';
import { ScramClient } from '../../wire/scram.ts';
import { moverPids } from '../../testing/site/proxied-site.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

describe('a tenant with a client that ignores the order of requests', () => {
  let folder: string;
  let stack: Stack;
  let peer: MessagePeer;
  let close: () => Promise<void>;

  const logIn = async (): Promise<ControlChannel> => {
    const channel = await connectControl({
      ...stack.addressOf(0),
      serverName: 'localhost',
      decideTrust: () => Promise.resolve({ isAccepted: true }),
    });
    const { peer } = channel;
    await askProvider(peer, 'hello', { protocol: 1, software: 'test', features: [] });
    const { account: userName, password } = stackNames;
    const scram = new ScramClient({ userName, password, channelBinding: channel.channelBinding() });
    const first = await askProvider(peer, 'login.start', { mechanism: 'SCRAM-SHA-256-PLUS', message: scram.first() });
    await askProvider(peer, 'login.finish', { message: await scram.answer(first.message) });
    return channel;
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-hostile-'));
    stack = await Stack.start({ folder, hasMoverProcesses: true });
    const channel = await logIn();
    ({ peer } = channel);
    close = () => channel.peer.close();
  }, 60_000);

  afterAll(async () => {
    await close();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const started = async (): Promise<string> => {
    const sessionId = newId();
    await askProvider(peer, 'session.start', {
      sessionId,
      jobId: newId(),
      jobName: 'hostile',
      repository: stackNames.repository,
      operation: 'backup',
      pointId: null,
      streams: 1,
      areNamesHidden: false,
    });
    return sessionId;
  };
  const atProvider = async (sessionId: string): Promise<SessionDetail> =>
    stack.provider.domain(sessionsDomain).show({ sessionId });
  const resume = (sessionId: string): Promise<unknown> =>
    askProvider(peer, 'session.resume', { sessionId, streams: 1 });
  const pause = (sessionId: string, by: 'tenant' | 'provider' = 'tenant'): Promise<unknown> =>
    askProvider(peer, 'session.pause', { sessionId, by });
  const cancel = (sessionId: string): Promise<unknown> => askProvider(peer, 'session.cancel', { sessionId });

  // Without this rule, each round leaves a data mover that no task limit counts and that stays when the account is removed.
  it('gets no attempt for a session that it cancels during the resume', async () => {
    const sessionId = await started();
    const resumed = resume(sessionId);
    const [outcome] = await Promise.allSettled([resumed, cancel(sessionId)]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'call.canceled' } });
    expect((await atProvider(sessionId)).state).toBe('canceled');
    expect(moverPids('target')).toEqual([]);
  }, 30_000);

  // Without this rule, the attempt would run in a session that counts as paused, and would continue after the pause has expired.
  it('is served in order when it resumes before the answer to its pause', async () => {
    const sessionId = await started();
    const order: string[] = [];
    await Promise.all([
      pause(sessionId).then(() => order.push('paused')),
      resume(sessionId).then(() => order.push('resumed')),
    ]);
    expect(order).toEqual(['paused', 'resumed']);
    expect(await atProvider(sessionId)).toMatchObject({ state: 'key-exchange', attempt: 2, pausedBy: null });
    expect(moverPids('target')).toHaveLength(1);
    await cancel(sessionId);
    expect(moverPids('target')).toEqual([]);
  }, 30_000);

  it('does not extend a pause by a repeated request', async () => {
    const sessionId = await started();
    await pause(sessionId);
    const { resumeUntil } = await atProvider(sessionId);
    const saidAtMs = Date.now();
    await vi.waitUntil(() => Date.now() > saidAtMs + 1, { interval: 1 });
    await pause(sessionId);
    expect((await atProvider(sessionId)).resumeUntil).toBe(resumeUntil);
    await cancel(sessionId);
  }, 30_000);

  it('cannot pause in the name of the provider, nor change who has paused', async () => {
    const sessionId = await started();
    await pause(sessionId, 'provider');
    expect(await atProvider(sessionId)).toMatchObject({ state: 'paused', pausedBy: 'tenant' });
    await pause(sessionId, 'provider');
    expect(await atProvider(sessionId)).toMatchObject({ state: 'paused', pausedBy: 'tenant' });
    await cancel(sessionId);
  }, 30_000);

  it.each(['points.list', 'session.start', 'login.start'])(
    'loses only its own connection after a "%s" that violates its schema, and gets the reason',
    async (name) => {
      const { peer: other } = await logIn();
      const closed = new Promise((resolve) => other.onClose(resolve));
      await expect(other.request(name, { after: 5, sessionId: '../../etc' })).rejects.toMatchObject({
        code: 'protocol.malformed',
      });
      expect(await closed).toMatchObject({ code: 'protocol.malformed' });
      expect((await askProvider(peer, 'points.list', { after: null, limit: 1 })).points).toEqual([]);
    },
    30_000,
  );
});
