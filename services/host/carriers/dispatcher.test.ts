import { describe, expect, it, vi } from 'vitest';
import { systemClock, type Timers } from '../../kernel/clock.ts';
import { silentLogger, type Logger } from '../../kernel/logger.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { createSampleHandlers, sampleDomain } from '../../testing/sample-domain.ts';
import { createDispatcher, serveDomain, type Dispatcher } from './dispatcher.ts';

const caller = { kind: 'command line', account: 'somebody' } as const;

function createSample({
  timers = systemClock,
  logger = silentLogger,
  onWaiting = (): void => undefined,
}: { timers?: Timers; logger?: Logger; onWaiting?: () => void } = {}): {
  dispatcher: Dispatcher;
  call: (command: string, input?: unknown, signal?: AbortSignal) => ReturnType<Dispatcher['call']>;
} {
  const domains = [serveDomain(sampleDomain, createSampleHandlers({ onWaiting }))];
  const dispatcher = createDispatcher({ domains, logger, clock: systemClock, timers });
  return {
    dispatcher,
    call: (command, input = {}, signal = new AbortController().signal) =>
      dispatcher.call({ domain: 'sample', command, input }, { signal, caller }),
  };
}

describe('dispatcher', () => {
  it('parses input, adds defaults and returns the output', async () => {
    expect(await createSample().call('add', { left: 2 })).toEqual({ ok: true, value: { sum: 3 } });
  });

  it('refuses invalid input and names the field, but never repeats a value that may be secret', async () => {
    const wrong = await createSample().call('add', { left: 'two' });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'call.invalid', field: 'left', retryable: false } });

    const secret = await createSample().call('login', { password: 'hunter2' });
    expect(secret).toMatchObject({ ok: false, error: { code: 'call.invalid', field: 'password' } });
    expect(JSON.stringify(secret)).not.toContain('hunter2');
    const missing = await createSample().call('add', {});
    expect(missing).toMatchObject({ error: { field: 'left', message: 'The left is missing' } });
  });

  it.each([
    ['sample', 'subtract'],
    ['nothing', 'add'],
    ['sample', 'constructor'],
    ['constructor', 'constructor'],
    ['__proto__', 'toString'],
  ])('answers call.unknown for %s.%s', async (domain, command) => {
    const { dispatcher } = createSample();
    const result = await dispatcher.call(
      { domain, command, input: {} },
      { signal: new AbortController().signal, caller },
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'call.unknown' } });
  });

  it('returns errors of the catalog with hint, field and correlation identifier', async () => {
    expect(await createSample().call('refuse')).toMatchObject({
      ok: false,
      error: {
        code: 'call.conflict',
        message: 'The name "a" is taken',
        hint: 'Choose another.',
        field: 'name',
        correlationId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      },
    });
  });

  it('turns an unexpected error into call.internal, and logs it with the same correlation identifier', async () => {
    const error = vi.fn();
    const children: Record<string, unknown>[] = [];
    const logger: Logger = {
      ...silentLogger,
      error,
      child: (fields) => {
        children.push(fields);
        return logger;
      },
    };
    const result = await createSample({ logger }).call('crash');
    expect(result).toMatchObject({ ok: false, error: { code: 'call.internal' } });
    expect(error).toHaveBeenCalledOnce();
    expect(result.ok ? '' : result.error.correlationId).toBe(children[0]?.['correlationId']);
  });

  it('removes fields from the output that the contract does not name', async () => {
    expect(await createSample().call('leak')).toEqual({ ok: true, value: { name: 'x' } });
  });

  it('refuses an output that does not fit the contract', async () => {
    expect(await createSample().call('lie')).toMatchObject({ ok: false, error: { code: 'call.internal' } });
  });

  it('cancels: the handler sees the signal, the caller gets call.canceled', async () => {
    const controller = new AbortController();
    const sample = createSample({ onWaiting: () => controller.abort() });
    expect(await sample.call('wait', {}, controller.signal)).toMatchObject({
      ok: false,
      error: { code: 'call.canceled' },
    });
  });

  it('answers a canceled caller even when the handler ignores its signal', async () => {
    const timers = new ManualClock();
    const controller = new AbortController();
    const sample = createSample({ timers, onWaiting: () => controller.abort() });
    const call = sample.call('hang', {}, controller.signal);
    const isAnswered = vi.fn();
    void call.then(isAnswered);
    await timers.advance(4_999);
    expect(isAnswered).not.toHaveBeenCalled();
    await timers.advance(1);
    expect(await call).toMatchObject({ ok: false, error: { code: 'call.canceled' } });
    expect(timers.timerCount).toBe(0);
  });

  it('does not start a handler for a call that is canceled already', async () => {
    const onWaiting = vi.fn();
    const result = await createSample({ onWaiting }).call('wait', {}, AbortSignal.abort());
    expect(result).toMatchObject({ ok: false, error: { code: 'call.canceled' } });
    expect(onWaiting).not.toHaveBeenCalled();
  });

  it('serves the other commands when a handler is missing, and logs the missing one', async () => {
    const { add, ...others } = createSampleHandlers();
    expect(add).toBeTypeOf('function');
    const served = { contract: sampleDomain, handlers: others } as unknown as ReturnType<typeof serveDomain>;
    const error = vi.fn();
    const dispatcher = createDispatcher({ domains: [served], logger: { ...silentLogger, error }, clock: systemClock });
    expect(error).toHaveBeenCalledWith(expect.any(String), { command: 'sample.add' });
    const call = (command: string): ReturnType<Dispatcher['call']> =>
      dispatcher.call(
        { domain: 'sample', command, input: { left: 1 } },
        { signal: new AbortController().signal, caller },
      );
    expect(await call('add')).toMatchObject({ ok: false, error: { code: 'call.unknown' } });
    expect(await call('leak')).toMatchObject({ ok: true });
  });
});
