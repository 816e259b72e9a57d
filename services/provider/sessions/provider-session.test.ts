// One provider session with a manual clock, a fake tenant that only listens, and a fake target mover.
import { afterEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { MoverExit } from '../../mover/link/local-link.ts';
import { LiveSession } from '../../session/live-session.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { SessionGrant } from '../../wire/control-messages.ts';
import { ProviderSession, type OpenAttempt } from './provider-session.ts';
import type { SessionChannel } from './session-channel.ts';
import type { TargetAttemptOptions } from './target-attempt.ts';

const oneStream = { streams: 1, quotaBytes: -1 };

const windowMs = 30 * 60_000;
const lost = new FarkeepError('connection.lost', 'The control channel was interrupted');
const progress = undefined;
const id = 'a'.repeat(32);

/** A fake target mover that the test controls. */
class FakeAttempt implements OpenAttempt {
  readonly keyAIdentifier = '0'.repeat(16);
  readonly options: TargetAttemptOptions;
  readonly #exit = Promise.withResolvers<MoverExit>();
  readonly exited = this.#exit.promise;
  isForgotten = false;
  endedFor: string | undefined;
  listening = (): Promise<number> => Promise.resolve(4000);

  constructor(options: TargetAttemptOptions) {
    this.options = options;
  }

  openRoutes(): Promise<void> {
    return this.options.pushRoutes([]);
  }

  grant(resumeWindowMs: number): SessionGrant {
    const { sessionId, attempt } = this.options;
    return {
      sessionId,
      attempt,
      keyA: '',
      tunnelTicket: '',
      streamTickets: [],
      ticketLifeMs: 1,
      resumeWindowMs,
      steps: [],
    };
  }

  forgetSecrets(): void {
    this.isForgotten = true;
  }

  end(reason: FarkeepError): Promise<MoverExit> {
    this.endedFor ??= reason.message;
    this.fail(reason);
    return this.exited;
  }

  finish(): void {
    this.#exit.resolve({ kind: 'finished' });
  }

  fail(error: FarkeepError, isTampered = false): void {
    this.#exit.resolve({ kind: 'failed', error: error.toInfo(), isTampered });
  }

  commit(storedBytes: number): void {
    const { pointId } = this.options;
    this.options.onEvent({ type: 'committed', pointId, storedBytes, newBlocks: 1, usedBytes: storedBytes });
  }
}

interface SentMessage {
  readonly name: string;
  readonly payload: { readonly ended?: unknown; readonly wish?: string };
}

class FakeChannel implements SessionChannel {
  readonly messages: SentMessage[] = [];
  readonly gatewayName = 'gw';
  readonly certificateSha256 = 'AA';
  readonly tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' };
  pushRoutes = (): Promise<void> => Promise.resolve();
  readonly peer = {
    request: () => Promise.reject(new FarkeepError('call.unknown')),
    notify: (name: string, payload: unknown) =>
      void this.messages.push({ name, payload: payload as SentMessage['payload'] }),
  };
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function makeSession(operation: 'backup' | 'restore' = 'backup') {
  const clock = new ManualClock(Date.UTC(2026, 10, 29));
  const live = LiveSession.create(
    {
      ...{ id, kind: operation, jobName: 'documents', otherSide: 'contoso', repository: 'main', viewer: 'provider' },
      ...{ streams: 1, areObjectNamesHidden: false },
    },
    clock,
    [],
  );
  const attempts: FakeAttempt[] = [];
  const on = { disk: false, savedStates: [] as string[] };
  const session = new ProviderSession({
    live,
    context: {
      ...{
        tenantId: 't',
        tenantName: 'contoso',
        repositoryId: 'r',
        location: { kind: 'folder', folder: '/r/t' },
        operation,
        jobId: 'j',
      },
      ...{ pointId: id, storedBytes: 0, isCommitted: false },
    },
    clock,
    logger: silentLogger,
    moverHost: '127.0.0.1',
    advertisedHost: undefined,
    resumeWindowMs: windowMs,
    onChanged: () => void on.savedStates.push(live.state),
    onUsage: () => undefined,
    findCommitted: () => Promise.resolve(on.disk),
    openAttempt: (options) => {
      const attempt = new FakeAttempt(options);
      attempts.push(attempt);
      return attempt;
    },
  });
  undo.push(() => live.dispose());
  const latest = (): FakeAttempt => {
    const attempt = attempts.at(-1);
    if (attempt === undefined) throw new Error('No attempt was started');
    return attempt;
  };
  return { clock, live, session, attempts, latest, on };
}

/** Runs the session up to the transfer of the first attempt. */
async function startTransfer(operation?: 'backup' | 'restore') {
  const made = makeSession(operation);
  const channel = new FakeChannel();
  const grant = await made.session.start(channel, oneStream);
  made.session.report({ sessionId: id, attempt: 1, phase: 'transferring' });
  return { ...made, channel, grant };
}

const texts = (live: LiveSession): string[] => live.detail().actions.map(({ text }) => text);
const names = ({ messages }: FakeChannel): string[] => messages.map(({ name }) => name);
const good = { outcome: 'succeeded', error: null, progress, warningCount: 0 } as const;

describe('a session at the provider', () => {
  it('grants an attempt, records the commit and ends with the tenant’s final message', async () => {
    const { session, live, latest, channel, grant, clock, on } = await startTransfer();
    expect(grant).toMatchObject({ attempt: 1, resumeWindowMs: windowMs });
    expect(live.state).toBe('transferring');
    expect(latest().isForgotten).toBe(true);
    await expect(session.finish(good)).rejects.toMatchObject({ code: 'point.incomplete' });
    latest().commit(7);
    expect(live.state).toBe('finalizing');
    expect(names(channel)).toContain('session.committed');
    latest().finish();
    expect(await session.finish(good)).toEqual({ pointId: id, storedBytes: 7 });
    expect(live.detail()).toMatchObject({ state: 'succeeded', pointId: id, storedBytes: 7, error: null });
    expect(on.savedStates.at(-1)).toBe('succeeded');
    expect(clock.timerCount).toBe(0);
  });

  it('succeeds when the tenant’s final message does not arrive', async () => {
    const { live, latest, clock } = await startTransfer();
    latest().commit(7);
    await clock.advance(29_999);
    expect(live.state).toBe('finalizing');
    await clock.advance(1);
    expect(live.state).toBe('succeeded');
  });

  it('keeps the reservation after a lost connection, and gives the new attempt the next number', async () => {
    const { session, live, latest, attempts, channel, clock } = await startTransfer();
    session.channelLost(channel.peer, lost);
    await clock.advance(0);
    expect(live.detail()).toMatchObject({ state: 'waiting-to-resume', attempt: 1, error: null });
    expect(latest().endedFor).toBe(lost.message);
    expect(session.hasMover).toBe(false);
    await clock.advance(windowMs - 1);
    const again = new FakeChannel();
    expect(await session.resume(again, oneStream)).toMatchObject({ attempt: 2 });
    expect(attempts).toHaveLength(2);
    await clock.advance(windowMs);
    expect(live.state).toBe('key-exchange');
    // The connection of the previous attempt closes late.
    session.channelLost(channel.peer, lost);
    expect(live.state).toBe('key-exchange');
  });

  it('fails when the tenant does not reconnect in time', async () => {
    const { session, live, latest, channel, clock } = await startTransfer();
    latest().fail(new FarkeepError('session.mover-died', 'The target data mover ended unexpectedly'));
    await clock.advance(1000);
    // A new window begins and replaces the previous one.
    session.channelLost(channel.peer, lost);
    expect(clock.timerCount).toBe(1);
    await clock.advance(windowMs - 1);
    expect(live.state).toBe('waiting-to-resume');
    await clock.advance(1);
    expect(live.detail()).toMatchObject({ state: 'failed', error: { code: 'session.resume-expired' } });
    const tooLate = session.resume(new FakeChannel(), oneStream);
    expect(await failureOf(tooLate)).toEqual({ code: 'call.conflict', message: 'The session has ended' });
  });

  it('reports to a reconnected tenant that its restore point exists, although the mover never reported it', async () => {
    const { session, live, latest, on, clock } = await startTransfer();
    on.disk = true;
    latest().fail(new FarkeepError('session.mover-died', 'The target data mover ended unexpectedly'));
    await clock.advance(0);
    expect(live.state).toBe('waiting-to-resume');
    const again = new FakeChannel();
    expect(await session.resume(again, oneStream)).toBeUndefined();
    expect(names(again)).toContain('session.committed');
    session.channelLost(again.peer, lost);
    expect(live.state).toBe('succeeded');
  });

  it('runs one target mover at a time', async () => {
    const { session, attempts, channel, clock } = await startTransfer();
    const opened = Promise.withResolvers<void>();
    const again = new FakeChannel();
    again.pushRoutes = () => opened.promise;
    const first = session.resume(again, oneStream);
    expect(await failureOf(session.resume(new FakeChannel(), oneStream))).toMatchObject({ code: 'session.busy' });
    // A pause request that arrives before the attempt has started waits for the start.
    const paused = session.pause('tenant');
    await clock.advance(0);
    expect(attempts).toHaveLength(2);
    expect(attempts[0]?.endedFor).toBe('The tenant has started another attempt');
    expect(attempts[1]?.endedFor).toBeUndefined();
    opened.resolve();
    expect(await first).toMatchObject({ attempt: 2 });
    expect(await paused).toEqual({ committed: null, keptForMs: windowMs });
    expect(attempts[1]?.endedFor).toBe('The session is paused');
    session.channelLost(channel.peer, lost);
    expect(session.hasChannel).toBe(true);
  });

  it('grants nothing to a session that is canceled while its attempt opens', async () => {
    const { session, live, attempts } = makeSession();
    const channel = new FakeChannel();
    const opened = Promise.withResolvers<void>();
    channel.pushRoutes = () => opened.promise;
    const started = session.start(channel, oneStream);
    const canceled = session.cancel(new FarkeepError('call.canceled', 'Canceled by the provider'));
    opened.resolve();
    // The tenant must record the same end as the provider.
    expect(await failureOf(started)).toEqual({ code: 'call.canceled', message: 'Canceled by the provider' });
    await canceled;
    expect(live.state).toBe('canceled');
    expect(attempts).toHaveLength(1);
    expect(channel.messages.at(-1)?.payload.ended).toMatchObject({ isFinal: true });
  });

  it.each(['resumed', 'paused'] as const)(
    'tells its end to a tenant when it is canceled while it is %s',
    async (how) => {
      const { session, live, channel, clock } = await startTransfer();
      if (how === 'resumed') session.channelLost(channel.peer, lost);
      await clock.advance(0);
      const asked = how === 'resumed' ? session.resume(new FakeChannel(), oneStream) : session.pause('tenant');
      await session.cancel(new FarkeepError('call.canceled', 'Canceled by the provider'));
      expect(await failureOf(asked)).toEqual({ code: 'call.canceled', message: 'Canceled by the provider' });
      expect(live.state).toBe('canceled');
    },
  );

  it.each(['waiting-to-resume', 'paused', 'transferring'] as const)('can be canceled while %s', async (state) => {
    const { session, live, attempts, latest, clock } = await startTransfer();
    if (state === 'waiting-to-resume') latest().fail(new FarkeepError('call.canceled'));
    if (state === 'paused') await session.pause('tenant');
    await clock.advance(0);
    expect(live.state).toBe(state);
    await session.cancel(new FarkeepError('call.canceled', 'Canceled by the tenant'));
    expect(live.state).toBe('canceled');
    expect(clock.timerCount).toBe(0);
    expect(await failureOf(session.resume(new FakeChannel(), oneStream))).toMatchObject({ code: 'call.conflict' });
    expect(attempts).toHaveLength(1);
  });

  it('raises a security warning when the mover received changed bytes, and tells the tenant on which connection', async () => {
    const { live, latest, channel, clock } = await startTransfer();
    const error = new FarkeepError('security.tampered', 'A record was changed');
    latest().options.onEvent({
      type: 'key-b-received',
      keyAIdentifier: '0'.repeat(16),
      keyBIdentifier: '1'.repeat(16),
    });
    latest().fail(error, true);
    await clock.advance(0);
    expect(channel.messages.at(-1)).toMatchObject({ name: 'session.tampered', payload: { where: 'data' } });
    expect(live.detail()).toMatchObject({
      state: 'failed',
      hasSecurityWarning: true,
      error: { code: 'security.tampered' },
    });
  });

  it('raises a security warning when the tenant received changed bytes', async () => {
    const { session, live, latest } = await startTransfer();
    session.tamperedAtTenant({ sessionId: id, attempt: 1, where: 'tunnel', stream: null, reason: 'A byte' });
    expect(live.detail()).toMatchObject({ state: 'failed', hasSecurityWarning: true });
    expect(live.detail().error?.message).toBe('The tenant saw changed data in the Key A tunnel: A byte');
    expect(latest().endedFor).toContain('A byte');
  });

  it('shows the location of a full disk at the provider only', async () => {
    const { live, latest, channel, clock } = await startTransfer();
    latest().fail(new FarkeepError('storage.disk-full', 'No space left on device'));
    await clock.advance(0);
    expect(live.detail().error?.message).toContain('folder /r/t of "contoso"');
    expect(JSON.stringify(channel.messages)).not.toContain('/r/t');
  });

  it('waits for the tenant after the service stopped during the session', async () => {
    const { session, live, latest, clock, on } = await startTransfer();
    await session.suspend(new FarkeepError('service.not-running', 'The provider service is stopping'));
    expect(latest().endedFor).toBe('The provider service is stopping');
    expect(live.detail()).toMatchObject({ state: 'waiting-to-resume', error: null });
    expect(on.savedStates.at(-1)).toBe('waiting-to-resume');
    expect(clock.timerCount).toBe(0);
    await clock.advance(windowMs * 2);
    expect(live.state).toBe('waiting-to-resume');
  });
});

describe('a pause at the provider', () => {
  it('keeps deadline and owner after a repeated request, and fails when its window has passed', async () => {
    const { session, live, clock } = await startTransfer();
    expect(await session.pause('tenant')).toEqual({ committed: null, keptForMs: windowMs });
    await clock.advance(1000);
    expect(await session.pause('provider')).toEqual({ committed: null, keptForMs: windowMs - 1000 });
    expect(live.pausedBy).toBe('tenant');
    expect(await failureOf(Promise.resolve().then(() => session.requestResume()))).toMatchObject({
      message: 'The tenant has paused this session',
    });
    await clock.advance(windowMs - 1000);
    expect(live.detail()).toMatchObject({
      state: 'failed',
      error: { message: 'The session was paused for longer than the provider keeps it' },
    });
  });

  it('belongs to the provider when the provider asked for it, and is resumed by the provider', async () => {
    const { session, live, latest, channel, clock } = await startTransfer();
    const pausing = session.requestPause();
    expect(channel.messages.at(-1)).toMatchObject({ name: 'session.wish', payload: { wish: 'pause' } });
    latest().fail(new FarkeepError('call.canceled', 'The source ended'));
    await clock.advance(0);
    expect(texts(live).at(-1)).toContain('stopped the transfer cleanly');
    await session.pause('provider');
    await pausing;
    await session.requestPause();
    expect(live).toMatchObject({ state: 'paused', pausedBy: 'provider' });
    session.requestResume();
    expect(channel.messages.at(-1)).toMatchObject({ name: 'session.wish', payload: { wish: 'resume' } });
    session.channelLost(channel.peer, lost);
    expect(await failureOf(Promise.resolve().then(() => session.requestResume()))).toMatchObject({
      message: 'The tenant is not connected right now',
    });
  });

  it('does not belong to the provider only because the tenant claims so', async () => {
    const { session, live } = await startTransfer();
    await session.pause('provider');
    expect(live.pausedBy).toBe('tenant');
  });

  it('fails for all waiting callers when the tenant does not pause in time', async () => {
    const { session, live, clock } = await startTransfer();
    const both = [failureOf(session.requestPause()), failureOf(session.requestPause())];
    await clock.advance(20_000);
    const late = { code: 'call.timeout', message: 'The tenant did not pause the session' };
    expect(await Promise.all(both)).toEqual([late, late]);
    expect(live.state).toBe('transferring');
    const pausing = failureOf(session.requestPause());
    await session.cancel(new FarkeepError('call.canceled'));
    expect(await pausing).toMatchObject({ message: 'The session ended before it could be paused' });
  });

  it('returns the committed restore point instead, if there is one', async () => {
    const { session, live, on } = await startTransfer();
    on.disk = true;
    expect(await session.pause('tenant')).toEqual({ committed: { pointId: id, storedBytes: 0 }, keptForMs: 0 });
    expect(live.state).toBe('finalizing');
    await session.finish(good);
    expect(live.state).toBe('succeeded');
  });

  it('never reports a restore as committed', async () => {
    const { session, live, on } = await startTransfer('restore');
    on.disk = true;
    expect(await session.pause('tenant')).toMatchObject({ committed: null });
    expect(live.state).toBe('paused');
  });

  it('keeps its deadline after a restart of the service', async () => {
    const { session, live, clock } = await startTransfer();
    await session.pause('tenant');
    await session.suspend(new FarkeepError('service.not-running'));
    await clock.advance(1000);
    const restored = makeSession();
    await restored.clock.advance(1000);
    restored.live.pause('tenant', restored.clock.now() + 5000);
    restored.session.awaitTenant();
    await restored.clock.advance(4999);
    expect(restored.live.state).toBe('paused');
    await restored.clock.advance(1);
    expect(restored.live.detail().error?.code).toBe('session.resume-expired');
    expect(live.state).toBe('paused');
  });
});
