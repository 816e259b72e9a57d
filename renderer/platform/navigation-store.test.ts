import { describe, expect, it } from 'vitest';
import { stepBack, stepForward, stepTo } from './navigation-store.ts';
import type { NavigationState } from './navigation-store.ts';
import { overviewRoute, parseRoute } from './route.ts';

const start: NavigationState = { route: overviewRoute, past: [], future: [] };
const jobs = parseRoute('tenant/jobs');
const points = parseRoute('tenant/points');
const session = parseRoute(`tenant/sessions/${'0'.repeat(32)}`);

describe('the history of pages', () => {
  it('goes back to the page before, and forward again', () => {
    const here = stepTo(stepTo(start, jobs), session);
    const back = stepBack(here);
    expect(back.route).toEqual(jobs);
    expect(stepBack(back).route).toEqual(overviewRoute);
    expect(stepForward(stepForward(stepBack(back))).route).toEqual(session);
  });

  it('forgets the pages after this one when another page opens', () => {
    const elsewhere = stepTo(stepBack(stepTo(stepTo(start, jobs), session)), points);
    expect(stepForward(elsewhere)).toBe(elsewhere);
    expect(stepBack(elsewhere).route).toEqual(jobs);
  });

  it('has no step for the page that is shown already, and ends at both ends', () => {
    expect(stepTo(stepTo(start, jobs), { ...jobs }).past).toEqual([overviewRoute]);
    expect(stepBack(start)).toBe(start);
    expect(stepForward(start)).toBe(start);
  });

  it('does not grow without end', () => {
    let state = start;
    for (let count = 0; count < 500; count += 1) state = stepTo(state, count % 2 === 0 ? jobs : points);
    expect(state.past.length).toBeLessThanOrEqual(100);
  });
});
