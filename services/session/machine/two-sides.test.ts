// Both session machines together, over a connection that breaks at any moment and with services that crash: what they say in the end must fit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SidesModel } from '../../testing/session-sides.ts';

const isGood = (kind: string): boolean => kind === 'succeeded' || kind === 'warning';

/** Where a run stood when something did not fit. */
function expectFit(sides: SidesModel): void {
  const { tenant, provider, isOnDisk } = sides;
  const story = sides.story.join('\n');
  expect(sides.faults, story).toEqual([]);
  const seen = `${story}\nend: tenant ${tenant.kind}, provider ${provider?.kind}, on disk ${isOnDisk}`;
  // A session that the provider has never heard of ends at the tenant alone.
  if (provider === undefined) {
    expect(isGood(tenant.kind), seen).toBe(false);
    return;
  }
  if (isGood(tenant.kind)) expect(isOnDisk, seen).toBe(true);
  // A cancel may come between the commit and the tenant's last word.
  if (isGood(tenant.kind) && !isGood(provider.kind)) {
    expect([provider.kind, sides.isCancelWanted], seen).toEqual(['canceled', true]);
  }
  if (isGood(provider.kind)) expect(isOnDisk, seen).toBe(true);
  // A good end at the provider is none at the tenant only when somebody there wanted the end.
  if (isGood(provider.kind) && !isGood(tenant.kind)) expect(sides.isCancelWanted, seen).toBe(true);
  if (tenant.kind === 'canceled') expect(sides.isCancelWanted, seen).toBe(true);
  if (provider.kind === 'canceled') expect(tenant.kind === 'canceled' || sides.isCancelWanted, seen).toBe(true);
}

describe('tenant and provider', () => {
  it('end alike when messages arrive at last, whatever was lost and whoever crashed before', () => {
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

  it('succeed when nothing is wanted but the work, and each break is over before its window', () => {
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
