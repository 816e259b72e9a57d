// One tenant session with a manual clock, a fake provider that only answers, and a fake source mover.
import { afterEach, describe, expect, it } from 'vitest';
import { noProgress } from '../../contracts/models/session.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { failureOf } from '../../testing/failure-of.ts';
import {
  makeSession as makeTenantSession,
  retryIntervalMs,
  retryWindowMs,
  stallTimeoutMs,
  type Made,
  type TenantSession,
} from '../../testing/session/tenant-session.ts';
import { keptForMs, sessionId as id } from '../../testing/session/tenant-session-fakes.ts';
import { TrustRefusal } from '../providers/provider-link.ts';
import type { PromptAnswer, RaisedPrompt } from '../trust/trust-prompts.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function makeSession(made?: Made): TenantSession {
  const session = makeTenantSession(made);
  undo.push(() => session.live.dispose());
  return session;
}

type Session = TenantSession & { readonly done: Promise<void> };

/** Runs the session up to the transfer of the first attempt. */
async function startTransfer(made?: Made): Promise<Session> {
  const session = makeSession(made);
  const done = session.runner.run();
  await session.settle();
  session.mover().openStreams();
  expect(session.live.state).toBe('transferring');
  return { ...session, done };
}

const texts = (live: LiveSession): string[] => live.detail().actions.map(({ text }) => text);
const forever = (): Promise<never> => new Promise(() => undefined);
const failing = (error: FarkeepError) => (): Promise<never> => Promise.reject(error);
const unreachable = new FarkeepError('gateway.unreachable', 'gw0 does not answer');

describe('a session at the tenant', () => {
  it('runs from the dial to the final message, and then asks for the used space', async () => {
    const { live, mover, peer, provider, on, done, clock } = await startTransfer();
    expect(mover().work).toMatchObject({ type: 'start', attempt: 1 });
    peer().say('session.committed', { pointId: id, storedBytes: 5 });
    mover().finalize();
    expect(live.state).toBe('finalizing');
    mover().finish();
    await done;
    expect(live.detail()).toMatchObject({ state: 'succeeded', error: null, pointId: id, storedBytes: 5, attempt: 1 });
    expect(provider.names).toEqual(['session.start', 'session.finish']);
    expect(on).toMatchObject({ granted: 1, measured: 1, usageAsked: 1, troubled: 0 });
    expect(peer().isClosed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  it('retries a lost connection with a new attempt, and records the failure of the gateway', async () => {
    const { live, mover, movers, peer, peers, provider, on, settle, clock, done } = await startTransfer();
    peer().drop();
    await settle();
    expect(live.detail()).toMatchObject({ state: 'waiting-to-resume', attempt: 1 });
    expect(mover().abortedFor).toContain('was interrupted');
    expect(on.troubled).toBe(1);
    on.dial = failing(unreachable);
    await clock.advance(retryIntervalMs);
    // A dial that did not reach the provider does not use up a number.
    expect(live.detail()).toMatchObject({ state: 'waiting-to-resume', attempt: 2 });
    on.dial = () => Promise.resolve();
    await clock.advance(retryIntervalMs);
    expect(live.detail()).toMatchObject({ state: 'key-exchange', attempt: 2 });
    expect(provider.names).toEqual(['session.start', 'session.resume']);
    mover().openStreams();
    mover().finish();
    await done;
    expect(live.state).toBe('succeeded');
    expect([movers.length, peers.length]).toEqual([2, 2]);
  });

  it('gives up when the retry window has passed, and at once before the first request was sent', async () => {
    const broken = await startTransfer();
    broken.on.dial = failing(unreachable);
    broken.peer().drop();
    await broken.clock.advance(retryWindowMs + retryIntervalMs);
    await broken.done;
    expect(broken.live.detail().error).toMatchObject({
      code: 'session.resume-expired',
      message: 'The last attempt failed: gw0 does not answer',
    });
    const never = makeSession();
    never.on.dial = failing(new FarkeepError('connection.lost'));
    await never.runner.run();
    expect(never.live.detail().error).toMatchObject({ code: 'connection.lost', hint: 'Run the job again.' });
  });

  it('succeeds without the provider’s answer when the commit was reported before the connection was lost', async () => {
    const { live, peer, on, clock, done } = await startTransfer();
    peer().say('session.committed', { pointId: id, storedBytes: 5 });
    on.dial = failing(unreachable);
    peer().drop();
    await clock.advance(retryWindowMs + retryIntervalMs);
    await done;
    expect(live.detail()).toMatchObject({ state: 'succeeded', error: null, pointId: id });
  });

  it('succeeds when the message about the commit was lost', async () => {
    const { live, peer, provider, on, clock, done } = await startTransfer();
    provider.special.set('session.resume', () => Promise.resolve({ committed: { pointId: id, storedBytes: 9 } }));
    provider.special.set('session.finish', () => Promise.resolve({ pointId: id, storedBytes: 0 }));
    peer().drop();
    await clock.advance(retryIntervalMs);
    await done;
    expect(live.detail()).toMatchObject({ state: 'succeeded', pointId: id, storedBytes: 9 });
    // The numbers of this run are incomplete, because the last reports were lost.
    expect(on.measured).toBe(0);
  });

  it('resumes a session whose first answer was lost, and starts it when the provider does not know it', async () => {
    const { live, runner, peer, provider, clock, settle } = makeSession();
    provider.special.set('session.start', forever);
    void runner.run();
    await settle();
    peer().drop();
    await settle();
    expect(live.state).toBe('waiting-to-resume');
    provider.special.delete('session.start');
    provider.special.set('session.resume', failing(new FarkeepError('call.not-found')));
    await clock.advance(retryIntervalMs);
    expect(live.detail()).toMatchObject({ state: 'key-exchange', attempt: 1 });
    expect(provider.names).toEqual(['session.start', 'session.resume', 'session.start']);
    runner.suspend();
  });

  it('uses the attempt number of the provider when a grant was lost', async () => {
    const { live, runner, provider, settle } = makeSession({ knows: 'maybe' });
    provider.attempts = 4;
    void runner.run();
    await settle();
    expect(live.attempt).toBe(5);
    expect(live.currentSteps.map(({ attempt }) => attempt)).not.toContain(1);
    runner.suspend();
  });

  it('treats a transfer without progress as a lost connection', async () => {
    const { live, mover, clock } = await startTransfer();
    await clock.advance(stallTimeoutMs + 700);
    expect(mover().abortedFor).toBe('The transfer made no progress for 60 s');
    expect(live.state).toBe('waiting-to-resume');
    expect(texts(live).at(-1)).toContain('made no progress');
  });

  it('ends with a security warning when the mover of either side received changed bytes', async () => {
    const here = await startTransfer();
    here.mover().fail(new FarkeepError('security.tampered', 'A record was changed'), true);
    await here.done;
    const there = await startTransfer();
    there.peer().say('session.tampered', { where: 'data', stream: 0, reason: 'a record' });
    await there.done;
    for (const { live, provider } of [here, there]) {
      expect(live.detail()).toMatchObject({ state: 'failed', hasSecurityWarning: true });
      expect(live.detail().error?.code).toBe('security.tampered');
      expect(provider.asked.at(-1)?.payload).toMatchObject({ outcome: 'failed' });
    }
  });

  it('waits for a tampering message of the other side before it reports a lost connection', async () => {
    const { live, mover, peer, clock, done } = await startTransfer();
    mover().fail(new FarkeepError('connection.lost', 'The data connection was cut'));
    await clock.advance(699);
    expect(live.state).toBe('transferring');
    peer().say('session.tampered', { where: 'data', stream: 0, reason: 'a record' });
    await done;
    expect(live.detail().error?.code).toBe('security.tampered');
  });

  it('ends at once after an error that another attempt cannot solve', async () => {
    const { live, mover, provider, done } = await startTransfer();
    mover().fail(new FarkeepError('quota.exceeded', 'The quota is used up'));
    await done;
    expect(live.detail()).toMatchObject({ state: 'failed', error: { code: 'quota.exceeded' } });
    expect(provider.names.at(-1)).toBe('session.finish');
  });

  it('stops with the service, and does not report an end to the provider', async () => {
    const { live, runner, mover, provider, done, clock } = await startTransfer();
    runner.suspend();
    await done;
    expect(mover().abortedFor).toBeDefined();
    expect(live.state).toBe('transferring');
    expect(provider.names).toEqual(['session.start']);
    expect(clock.timerCount).toBe(0);
  });
});

describe('a question about a certificate', () => {
  async function ask() {
    const session = makeSession();
    const answer = Promise.withResolvers<PromptAnswer>();
    const question = { answer: answer.promise } as RaisedPrompt;
    session.on.dial = failing(new TrustRefusal(new FarkeepError('trust.changed', 'Another certificate'), question));
    const done = session.runner.run();
    await session.settle();
    expect(session.live.detail()).toMatchObject({ state: 'waiting-to-resume', nextAttemptAt: null });
    return { ...session, done, answer };
  }

  it('keeps the session waiting until a person answers', async () => {
    const { live, runner, answer, on, settle, clock } = await ask();
    expect(await failureOf(runner.pause('tenant'))).toMatchObject({ code: 'call.conflict' });
    await clock.advance(59 * 60_000);
    on.dial = () => Promise.resolve();
    answer.resolve('accept');
    await settle();
    expect(live.detail()).toMatchObject({ state: 'key-exchange', attempt: 1 });
    runner.suspend();
  });

  it('ends the session when the certificate is refused', async () => {
    const { live, answer, done } = await ask();
    answer.resolve('refuse');
    await done;
    expect(live.detail().error).toMatchObject({
      code: 'trust.refused',
      message: 'The certificate has changed and was refused; nothing was sent',
    });
  });

  it('ends the session without an answer in time', async () => {
    const { live, done, clock } = await ask();
    await clock.advance(60 * 60_000);
    await done;
    expect(live.detail()).toMatchObject({ state: 'failed', error: { code: 'trust.changed' } });
  });
});

describe('the figures of a further attempt', () => {
  const atProvider = { ...noProgress, totalBytes: 1000, processedBytes: 900, readBytes: 800, safeBytes: 700 };
  const resumed = async (isRestored: boolean): Promise<LiveSession> => {
    const session = makeSession({
      ...{ knows: 'yes', isRestored },
      prepare: (live) => live.setProgress({ processedBytes: 500, readBytes: 600, safeBytes: 400 }),
    });
    session.provider.special.set('session.resume', () =>
      Promise.resolve({ ...session.provider.grant(), progress: atProvider }),
    );
    void session.runner.run();
    await session.settle();
    return session.live;
  };

  it('continue with those of the provider after the service was killed', async () => {
    const { progress } = await resumed(true);
    expect(progress).toMatchObject({ totalBytes: 1000, processedBytes: 900, readBytes: 800, safeBytes: 700 });
  });

  it('are those of this service as long as it runs', async () => {
    expect((await resumed(false)).progress).toMatchObject({ processedBytes: 500, readBytes: 600, safeBytes: 400 });
  });
});

describe('a pause at the tenant', () => {
  it('ends the attempt, is reported to the provider, and is resumed with a new attempt', async () => {
    const { live, runner, mover, peer, provider, clock, settle } = await startTransfer();
    await Promise.all([runner.pause('tenant'), runner.pause('provider')]);
    await runner.pause('tenant');
    expect(mover().abortedFor).toBeDefined();
    expect(provider.asked.at(-1)).toMatchObject({ name: 'session.pause', payload: { by: 'tenant' } });
    expect(live.detail()).toMatchObject({ state: 'paused', pausedBy: 'tenant', attempt: 1 });
    expect(live.resumeUntilMs).toBe(clock.now() + keptForMs);
    // The provider cannot resume a pause that the tenant owns.
    peer().say('session.wish', { wish: 'resume' });
    await settle();
    expect(live.state).toBe('paused');
    const before = peer();
    runner.resume();
    await settle();
    expect(before.isClosed).toBe(true);
    expect(live.detail()).toMatchObject({ state: 'key-exchange', attempt: 2 });
    expect(await failureOf(Promise.resolve().then(() => runner.resume()))).toMatchObject({ code: 'call.conflict' });
    runner.suspend();
  });

  it('that the provider asked for is resumed by the provider', async () => {
    const { live, peer, runner, settle } = await startTransfer();
    peer().say('session.wish', { wish: 'pause' });
    await settle();
    expect(live.detail()).toMatchObject({ state: 'paused', pausedBy: 'provider' });
    expect(texts(live)).toContain('Paused by the provider');
    peer().say('session.wish', { wish: 'resume' });
    await settle();
    expect(live.detail()).toMatchObject({ state: 'key-exchange', attempt: 2 });
    runner.suspend();
  });

  it('during the wait for a retry is measured from the loss of the connection', async () => {
    const { live, runner, peer, clock, settle } = await startTransfer();
    const lostAtMs = clock.now();
    peer().drop();
    await settle();
    await clock.advance(1000);
    await runner.pause('tenant');
    expect(live.resumeUntilMs).toBe(lostAtMs + keptForMs);
    await clock.advance(retryIntervalMs * 3);
    expect(live.state).toBe('paused');
    runner.suspend();
  });

  it('also begins when the provider cannot be reached', async () => {
    const { live, runner, provider, clock } = await startTransfer();
    provider.special.set('session.pause', failing(new FarkeepError('call.unknown')));
    await runner.pause('tenant');
    expect(live.resumeUntilMs).toBe(clock.now() + keptForMs);
    runner.suspend();
  });

  it('ends the session when its deadline has passed', async () => {
    const { live, runner, clock, done } = await startTransfer();
    await runner.pause('tenant');
    await clock.advance(keptForMs);
    await done;
    expect(live.detail().error).toMatchObject({
      code: 'session.resume-expired',
      message: 'The session was paused for longer than the provider keeps it',
    });
  });

  it('after the commit is refused, and the session succeeds', async () => {
    const { live, runner, provider, done } = await startTransfer();
    provider.special.set('session.pause', () =>
      Promise.resolve({ committed: { pointId: id, storedBytes: 3 }, keptForMs: 0 }),
    );
    const paused = failureOf(runner.pause('tenant'));
    await done;
    expect(live.state).toBe('succeeded');
    expect(await paused).toMatchObject({ message: 'The session ended before it could be paused' });
  });

  it('ends when the provider ends the session', async () => {
    const { live, runner, peer, done } = await startTransfer();
    await runner.pause('tenant');
    const error = new FarkeepError('call.canceled', 'Canceled by the provider').toInfo();
    peer().say('session.event', { ended: { isFinal: true, error } });
    await done;
    expect(live.state).toBe('canceled');
  });

  it('survives a restart of the service, and keeps its deadline', async () => {
    const { live, runner, clock, settle } = makeSession({
      knows: 'yes',
      prepare: (restored) => restored.pause('tenant', Date.UTC(2026, 10, 29) + 5000),
    });
    const done = runner.run();
    await clock.advance(4999);
    expect(live.state).toBe('paused');
    runner.resume();
    await settle();
    expect(live.detail()).toMatchObject({ state: 'key-exchange' });
    runner.suspend();
    await done;
  });

  it('is refused in states that cannot be paused', async () => {
    const { runner, on, settle } = makeSession();
    on.dial = forever;
    void runner.run();
    await settle();
    expect(await failureOf(runner.pause('tenant'))).toMatchObject({ code: 'call.conflict' });
    runner.suspend();
    const browsing = await startTransfer({ operation: 'browse' });
    expect(await failureOf(browsing.runner.pause('tenant'))).toMatchObject({ code: 'call.conflict' });
    browsing.runner.suspend();
  });
});

describe('a cancel', () => {
  const states: Record<string, (session: ReturnType<typeof makeSession>) => Promise<unknown>> = {
    'it dials': ({ on, runner, settle }) => {
      on.dial = forever;
      void runner.run();
      return settle();
    },
    'it asks for its grant': ({ provider, runner, settle }) => {
      provider.special.set('session.start', forever);
      void runner.run();
      return settle();
    },
    'keys are exchanged': ({ on, runner, settle }) => {
      on.tunnel = forever;
      void runner.run();
      return settle();
    },
    'it transfers': async ({ runner, mover, settle }) => {
      void runner.run();
      await settle();
      mover().openStreams();
    },
    'it waits to be tried again': async ({ runner, peer, settle }) => {
      void runner.run();
      await settle();
      peer().drop();
      await settle();
    },
    'it is paused': async ({ runner, mover, settle }) => {
      void runner.run();
      await settle();
      mover().openStreams();
      await runner.pause('tenant');
    },
    'the provider is told of a pause': async ({ runner, provider, mover, settle }) => {
      provider.special.set('session.pause', forever);
      void runner.run();
      await settle();
      mover().openStreams();
      runner.pause('tenant').catch(() => undefined);
      await settle();
    },
  };

  it.each(Object.keys(states))('while %s ends the session, and starts no new attempt', async (name) => {
    const session = makeSession();
    await states[name]?.(session);
    const { live, runner, clock, movers, peers, provider } = session;
    const [moversBefore, dialsBefore] = [movers.length, peers.length];
    runner.cancel();
    runner.cancel();
    await clock.advance(retryWindowMs * 2);
    expect(live.detail()).toMatchObject({ state: 'canceled', error: { code: 'call.canceled' } });
    expect(movers.length).toBe(moversBefore);
    expect(clock.timerCount).toBe(0);
    // The cancel reaches the provider on the open connection, or on a new one.
    const isTold = provider.asked.some(({ payload }) => payload['outcome'] === 'canceled');
    const isUnknown = name === 'it dials';
    expect(isTold || provider.names.includes('session.cancel') || isUnknown).toBe(true);
    expect(peers.length - dialsBefore).toBe(provider.names.includes('session.cancel') ? 1 : 0);
  });
});

describe('an end that the provider did not hear of', () => {
  const ends: Record<string, { readonly wanted: string; readonly run: (session: Session) => Promise<void> }> = {
    'a cancel while the session waits to be tried again': {
      wanted: 'session.cancel',
      run: async ({ runner, peer, on, settle }) => {
        peer().drop();
        await settle();
        on.dial = failing(unreachable);
        runner.cancel();
      },
    },
    'the final message of a restore, when the connection breaks': {
      wanted: 'session.finish',
      run: async ({ mover, peer, provider, on, settle }) => {
        on.dial = failing(unreachable);
        provider.special.set('session.finish', forever);
        mover().finish();
        await settle();
        peer().drop();
        provider.special.clear();
        provider.asked.length = 0;
      },
    },
  };

  it.each(Object.keys(ends))('is reported again over a new connection: %s', async (name) => {
    const session = await startTransfer({ operation: 'restore' });
    const { wanted, run } = ends[name] ?? expect.fail();
    const { live, on, provider, clock, done, settle } = session;
    await run(session);
    await settle();
    await done;
    const seen = live.state;
    expect(['canceled', 'succeeded']).toContain(seen);
    await clock.advance(retryIntervalMs * 3);
    expect(provider.names).not.toContain(wanted);
    on.dial = () => Promise.resolve();
    await clock.advance(retryIntervalMs);
    expect(provider.names.filter((each) => each === wanted)).toHaveLength(1);
    expect([live.state, clock.timerCount]).toEqual([seen, 0]);
  });

  it('is not reported any more when the window has passed, the provider refuses it, or the service stops', async () => {
    const cancel = async (): Promise<Session> => {
      const session = await startTransfer();
      await ends['a cancel while the session waits to be tried again']?.run(session);
      await session.settle();
      await session.done;
      return session;
    };
    const late = await cancel();
    await late.clock.advance(retryWindowMs + retryIntervalMs);
    expect(late.clock.timerCount).toBe(0);
    const refused = await cancel();
    refused.on.dial = failing(new FarkeepError('login.refused'));
    await refused.clock.advance(retryIntervalMs);
    expect(refused.clock.timerCount).toBe(0);
    const stopped = await cancel();
    stopped.stopping.abort();
    await stopped.settle();
    expect(stopped.clock.timerCount).toBe(0);
  });
});
