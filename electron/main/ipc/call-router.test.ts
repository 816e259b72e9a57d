import { describe, expect, it } from 'vitest';
import type { CallResult } from '../../../services/contracts/carrier.ts';
import type { Dispatcher } from '../../../services/host/carriers/dispatcher.ts';
import { createCallRouter, type CallRouter } from './call-router.ts';

const call = { target: 'tenant', id: '1', domain: 'jobs', command: 'list', input: {} };

function routerWith(answer: (signal: AbortSignal) => Promise<CallResult>): { router: CallRouter; asked: string[] } {
  const asked: string[] = [];
  const dispatcher: Dispatcher = {
    call: (request, { signal }) => {
      asked.push(`console ${request.domain}.${request.command}`);
      return answer(signal);
    },
  };
  const router = createCallRouter({
    dispatcher,
    callService: (role, request, signal) => {
      asked.push(`${role} ${request.domain}.${request.command}`);
      return answer(signal);
    },
    account: 'anna',
  });
  return { router, asked };
}

const done = (): Promise<CallResult> => Promise.resolve({ ok: true, value: {} });
const untilCanceled = (signal: AbortSignal): Promise<CallResult> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ ok: true, value: 'canceled' }));
  });

describe('envelopes', () => {
  it('go to the target that they name', async () => {
    const { router, asked } = routerWith(done);
    await router.call(1, call);
    await router.call(1, { ...call, target: 'console', domain: 'console', command: 'info' });
    expect(asked).toEqual(['tenant jobs.list', 'console console.info']);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'jobs.list'],
    ['an unknown target', { ...call, target: 'installer' }],
    ['a name with a separator', { ...call, domain: 'jobs.list' }],
    ['a name of the prototype', { ...call, domain: '__proto__' }],
    ['an id without end', { ...call, id: 'x'.repeat(100) }],
  ])('are refused as invalid: %s', async (_name, raw) => {
    const { router, asked } = routerWith(done);
    expect(await router.call(1, raw)).toMatchObject({ ok: false, error: { code: 'call.invalid' } });
    expect(asked).toEqual([]);
  });

  it.each([
    ['a service that does not serve the domain', { ...call, target: 'provider' }],
    ['the console for a service domain', { ...call, target: 'console' }],
    ['a domain that does not exist', { ...call, domain: 'constructor' }],
  ])('are refused as unknown: %s', async (_name, raw) => {
    const { router, asked } = routerWith(done);
    expect(await router.call(1, raw)).toMatchObject({ ok: false, error: { code: 'call.unknown' } });
    expect(asked).toEqual([]);
  });
});

describe('calls in flight', () => {
  it('are canceled only by their owner', async () => {
    const { router } = routerWith(untilCanceled);
    let isSettled = false;
    const pending = router.call(1, call).finally(() => {
      isSettled = true;
    });
    router.cancel(2, '1');
    router.cancel(1, { toString: () => '1' });
    await Promise.resolve();
    expect(isSettled).toBe(false);
    router.cancel(1, '1');
    expect(await pending).toEqual({ ok: true, value: 'canceled' });
  });

  it('are canceled when their page is closed; calls of other pages continue', async () => {
    const { router } = routerWith(untilCanceled);
    const first = router.call(1, call);
    const other = router.call(12, call);
    router.cancelAll(1);
    await first;
    router.cancel(12, '1');
    await other;
  });

  it('have different ids', async () => {
    const { router } = routerWith(untilCanceled);
    const first = router.call(1, call);
    expect(await router.call(1, call)).toMatchObject({ ok: false, error: { code: 'call.invalid' } });
    router.cancelAll(1);
    await first;
    const again = router.call(1, call);
    router.cancelAll(1);
    expect(await again).toMatchObject({ ok: true });
  });

  it('are limited in number', async () => {
    const { router } = routerWith(untilCanceled);
    const calls = Array.from({ length: 200 }, (_item, index) => router.call(1, { ...call, id: `c${index}` }));
    expect(await router.call(1, { ...call, id: 'one-more' })).toMatchObject({
      ok: false,
      error: { code: 'connection.refused-limit' },
    });
    router.cancelAll(1);
    expect(await Promise.all(calls)).toHaveLength(200);
  });
});
