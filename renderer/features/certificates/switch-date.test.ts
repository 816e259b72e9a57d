import { describe, expect, it } from 'vitest';
import { proposedMoment, switchMoment } from './switch-date.ts';

const now = new Date('2026-11-22T10:00:00').getTime();

describe('switchMoment', () => {
  it('is the local time as an instant', () => {
    expect(switchMoment({ date: '2027-01-31', time: '06:30' }, now)).toBe(
      new Date('2027-01-31T06:30:00').toISOString(),
    );
  });

  it('accepts later today and refuses earlier today', () => {
    expect(switchMoment({ date: '2026-11-22', time: '10:01' }, now)).not.toBeNull();
    expect(switchMoment({ date: '2026-11-22', time: '10:00' }, now)).toBeNull();
    expect(switchMoment({ date: '2026-11-21', time: '23:59' }, now)).toBeNull();
  });

  it('refuses a date more than 400 days ahead, and a text that is no date', () => {
    expect(switchMoment({ date: '2027-12-28', time: '12:00' }, now)).toBeNull();
    expect(switchMoment({ date: '', time: '12:00' }, now)).toBeNull();
    expect(switchMoment({ date: '2027-01-31', time: '' }, now)).toBeNull();
    for (const date of ['2027-13-45', '2020-01-01', 'soon'])
      expect(switchMoment({ date, time: '12:00' }, now)).toBeNull();
  });

  it('accepts the proposed date: noon in thirty days', () => {
    expect(proposedMoment(now)).toEqual({ date: '2026-12-22', time: '12:00' });
    expect(switchMoment(proposedMoment(now), now)).not.toBeNull();
  });
});
