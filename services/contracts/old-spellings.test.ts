import { expect, it } from 'vitest';
import { reviveOldSpelling } from './old-spellings.ts';

it('renames old states, steps and error codes of a stored session', () => {
  const stored =
    '{"state":"cancelled","steps":[{"step":"session-authorised","outcome":"done"}],"error":{"code":"call.cancelled"}}';
  expect(JSON.parse(stored, reviveOldSpelling)).toEqual({
    state: 'canceled',
    steps: [{ step: 'session-authorized', outcome: 'done' }],
    error: { code: 'call.canceled' },
  });
});

it('does not change names that people typed, nor current spellings', () => {
  const stored = '{"jobName":"cancelled","state":"succeeded","message":"cancelled","code":"constructor"}';
  expect(JSON.parse(stored, reviveOldSpelling)).toEqual(JSON.parse(stored));
});
