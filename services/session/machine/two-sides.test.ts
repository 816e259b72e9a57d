// Both session machines together, over a connection that breaks at any moment and with services that crash: both final states must agree.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SidesModel } from '../../testing/session/session-sides.ts';

const isGood = (kind: string): boolean => kind === 'succeeded' || kind === 'warning';

/** Checks that the two sides agree. A failure message shows the whole run. */
function expectFit(sides: SidesModel): void {
  const { tenant, provider, isOnDisk } = sides;
  const story = sides.story.join('\n');
  expect(sides.faults, story).toEqual([]);
  const seen = `${story}\nend: tenant ${tenant.kind}, provider ${provider?.kind}, on disk ${isOnDisk}`;
  // The provider never received this session, so only the tenant has an end.
  if (provider === undefined) {
    expect(isGood(tenant.kind), seen).toBe(false);
    return;
  }
  if (isGood(tenant.kind)) expect(isOnDisk, seen).toBe(true);
  // A cancel may arrive between the commit and the tenant's final message.
  if (isGood(tenant.kind) && !isGood(provider.kind)) {
    expect([provider.kind, sides.isCancelWanted], seen).toEqual(['canceled', true]);
  }
  if (isGood(provider.kind)) expect(isOnDisk, seen).toBe(true);
  // The provider has a success and the tenant does not: allowed only if a person at the tenant canceled, or paused while the answer to a
  // further attempt was lost. A paused tenant does not connect, so it learns of the success only if the person resumes before the pause
  // ends. The restore point is in its list in any case.
  const hasPauseEnded = sides.story.some((line) => line.startsWith('timer expiry of the tenant [tenant paused'));
  if (isGood(provider.kind) && !isGood(tenant.kind)) expect(sides.isCancelWanted || hasPauseEnded, seen).toBe(true);
  if (tenant.kind === 'canceled') expect(sides.isCancelWanted, seen).toBe(true);
  if (provider.kind === 'canceled') expect(tenant.kind === 'canceled' || sides.isCancelWanted, seen).toBe(true);
}

describe('tenant and provider', () => {
  it('end in the same way when messages arrive at last, after any losses and crashes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 60 }), (choices) => {
        const sides = new SidesModel();
        for (const choice of choices) sides.happen(choice);
        sides.settle();
        expectFit(sides);
      }),
      { numRuns: 2500 },
    );
  });

  it('succeed without a pause or cancel, when each loss ends before its deadline', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 60 }), (choices) => {
        const sides = new SidesModel({ isUndisturbed: true });
        for (const choice of choices) sides.happen(choice);
        sides.settle();
        expectFit(sides);
        expect(isGood(sides.tenant.kind), sides.story.join('\n')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
