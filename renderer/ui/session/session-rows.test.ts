import { expect, it } from 'vitest';
import { noProgress } from '../../../services/contracts/models/session.ts';
import { sessionOf } from '../../testing/fixtures.ts';
import { percentOf, shownSessions } from './session-rows.ts';

it('leaves out browsing unless it is asked for', () => {
  const sessions = [
    sessionOf(1, { kind: 'browse' }),
    sessionOf(2, { kind: 'backup' }),
    sessionOf(3, { kind: 'restore' }),
  ];
  expect(shownSessions(sessions, false)).toEqual(sessions.slice(1));
  expect(shownSessions(sessions, true)).toEqual(sessions);
});

it('shows percent only where percent are known', () => {
  const progress = { ...noProgress, totalBytes: 200, processedBytes: 50 };
  expect(percentOf(sessionOf(1, { state: 'transferring', progress }))).toBe('25 %');
  expect(percentOf(sessionOf(1, { state: 'paused', progress: { ...progress, totalBytes: null } }))).toBeNull();
  expect(percentOf(sessionOf(1, { state: 'failed', progress }))).toBeNull();
  expect(percentOf(sessionOf(1, { state: 'succeeded', progress: noProgress }))).toBe('100 %');
});
