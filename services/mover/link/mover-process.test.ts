import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { MoverEvent } from './local-link.ts';
import { MoverProcess } from './mover-process.ts';

const plan = { sessionId: randomBytes(16).toString('hex'), attempt: 1 };

describe('a data mover that was forked before its work is known', () => {
  it.each([{ side: 'source', streams: 4 } as const, { side: 'target' } as const])(
    'ends at once, with the reason, when its service cancels before the work begins: $side',
    async (only) => {
      const events: MoverEvent[] = [];
      const mover = new MoverProcess({ ...plan, ...only }, { onEvent: (event) => events.push(event) });
      const reason = new FarkeepError('quota.exceeded', 'No room').toInfo();
      const beganMs = performance.now();
      const exit = await mover.stop(reason);
      expect(exit).toEqual({
        kind: 'failed',
        error: expect.objectContaining({ code: 'quota.exceeded' }),
        isTampered: false,
      });
      // A mover that ignores the stop request would be killed with SIGKILL after 10 s.
      expect(performance.now() - beganMs).toBeLessThan(8_000);
      expect(events.map(({ type }) => type)).toEqual(['failed']);
    },
  );

  it('refuses a start message for the other side', async () => {
    const mover = new MoverProcess({ ...plan, side: 'target' }, { onEvent: () => undefined });
    mover.begin({
      type: 'start',
      side: 'source',
      ...plan,
      keyB: randomBytes(32),
      operation: { kind: 'manifest', pointId: plan.sessionId, saveTo: '/nowhere' },
      gateway: { host: '127.0.0.1', port: 1 },
      streamTickets: [randomBytes(32)],
    });
    expect(await mover.exited).toMatchObject({ kind: 'failed', error: { code: 'call.internal' } });
  });

  it('refuses a start message whose number of tickets differs from its number of threads', async () => {
    const mover = new MoverProcess({ ...plan, side: 'source', streams: 2 }, { onEvent: () => undefined });
    mover.begin({
      type: 'start',
      side: 'source',
      ...plan,
      keyB: randomBytes(32),
      operation: { kind: 'manifest', pointId: plan.sessionId, saveTo: '/nowhere' },
      gateway: { host: '127.0.0.1', port: 1 },
      streamTickets: [randomBytes(32)],
    });
    expect(await mover.exited).toMatchObject({ kind: 'failed', error: { code: 'call.internal' } });
  });
});
