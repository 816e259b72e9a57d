import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionAction } from '../../contracts/models/session.ts';
import type { MessagePeer } from '../../wire/control-calls.ts';
import { SessionReporter } from './session-reporter.ts';

const action = (text: string): SessionAction => ({
  sequence: 1,
  at: '2026-11-29T12:00:00.000Z',
  level: 'info',
  text,
  durationMs: null,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports changes a few times a second, and the last changes when it is detached', () => {
  const notify = vi.fn();
  const reporter = new SessionReporter({ areNamesHidden: false });
  reporter.attach({ notify } as unknown as MessagePeer, 'a'.repeat(32), 1);
  expect(notify).not.toHaveBeenCalled();
  reporter.acted('', action('one'), false);
  reporter.acted('', action('two'), false);
  vi.advanceTimersByTime(200);
  vi.advanceTimersByTime(1_000);
  reporter.acted('', action('three'), false);
  reporter.detach();
  expect(notify.mock.calls.map(([, { actions }]) => (actions as SessionAction[]).map(({ text }) => text))).toEqual([
    ['one', 'two'],
    ['three'],
  ]);
  expect(vi.getTimerCount()).toBe(0);
});
