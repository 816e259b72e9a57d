import { expect, it } from 'vitest';
import { describeNotable, notable, notableText } from './notable-events.ts';

it('makes the text of an event from its code and its parameters, also after both were stored', () => {
  const event = notable('login.refused', { code: 'login.slowed', times: 3 });
  expect(event).toEqual({ code: 'login.refused', parameters: { code: 'login.slowed', times: 3 } });
  expect(describeNotable(JSON.parse(JSON.stringify(event)) as typeof event)).toBe('login.slowed, 3 times');
  expect(notableText('login.refused', { code: 'login.slowed', times: 1 })).toBe('login.slowed');
  expect(notable('tenant.add')).toEqual({ code: 'tenant.add', parameters: {} });
});

it('says how a certificate was compared before somebody answered', () => {
  const answer = { isChanged: true, announcedFor: null, comparison: null } as const;
  expect(notableText('trust.answered', answer)).toBe('changed certificate');
  expect(notableText('trust.answered', { ...answer, comparison: 'admin' })).toBe(
    'changed certificate; compared by the admin',
  );
  expect(
    notableText('trust.answered', {
      isChanged: false,
      announcedFor: '2027-01-01T00:00:00.000Z',
      comparison: 'thumbprint',
    }),
  ).toBe('first contact that was announced for 2027-01-01 00:00 UTC, used early; the pasted thumbprint matched');
});
