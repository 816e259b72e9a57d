import { expect, it } from 'vitest';
import { sessionLog } from './session-log.ts';

it('writes one line for each action', () => {
  const at = '2026-11-29T14:03:05.123Z';
  const log = sessionLog(
    {
      sessionId: 'a1',
      jobName: 'Nightly',
      actions: [
        { sequence: 1, at, level: 'info', text: 'Connected', durationMs: 1200 },
        { sequence: 2, at, level: 'error', text: 'First\n  second', durationMs: null },
      ],
    },
    'UTC',
  );
  expect(log).toBe(
    [
      'Nightly, session a1',
      '',
      'Nov 29, 2026, 14:03:05.123 UTC  INFO      Connected  (1.2 s)',
      'Nov 29, 2026, 14:03:05.123 UTC  ERROR     First second',
      '',
    ].join('\n'),
  );
});
