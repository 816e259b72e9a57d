import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PendingPlaces, type Place } from './pending-places.ts';

const stays = (): void => {
  throw new Error('It has spoken: it gives way to nobody');
};

describe('places for connections that have not identified themselves', () => {
  it('are never more than the limits allow, and are all free again after their release', () => {
    const step = fc.record({ address: fc.nat(9), isRelease: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const places = new PendingPlaces({ total: 8, perAddress: 3 });
        const taken: { address: string; place: Place }[] = [];
        for (const { address, isRelease } of steps) {
          if (isRelease) taken.shift()?.place.release();
          else {
            const from = `192.0.2.${address}`;
            const before = taken.filter((each) => each.address === from).length;
            const place = places.take(from, stays);
            expect(place !== undefined).toBe(before < 3 && taken.length < 8);
            place?.heardFrom();
            if (place !== undefined) taken.push({ address: from, place });
          }
        }
        for (const { place } of taken) {
          place.release();
          place.release();
        }
        const fresh = Array.from({ length: 9 }, (_each, index) => {
          const place = places.take(`198.51.100.${index}`, stays);
          place?.heardFrom();
          return place !== undefined;
        });
        expect(fresh).toEqual([...Array.from({ length: 8 }, () => true), false]);
      }),
    );
  });

  it('are counted together for a /64 of IPv6, and reserved places stay for known addresses', () => {
    const places = new PendingPlaces({
      total: 4,
      perAddress: 2,
      reserved: 2,
      isKnown: (key) => key === '2001:db8:0:1::/64',
    });
    const take = (address: string): boolean => {
      const place = places.take(address, stays);
      place?.heardFrom();
      return place !== undefined;
    };
    expect(['2001:db8::1', '2001:db8::ffff:2', '2001:db8::3', '192.0.2.1'].map(take)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1::3'].map(take)).toEqual([true, true, false]);
  });

  it('are taken from the connection that has been silent longest, first from the same address', () => {
    const places = new PendingPlaces({ total: 4, perAddress: 2 });
    const gone: string[] = [];
    const take = (address: string, name: string): Place | undefined => places.take(address, () => gone.push(name));
    take('192.0.2.1', 'silent 1')?.heardFrom();
    take('192.0.2.1', 'silent 2');
    expect(take('192.0.2.1', 'gateway')).toBeDefined();
    expect(gone).toEqual(['silent 2']);
    take('192.0.2.2', 'stranger 1');
    take('192.0.2.3', 'stranger 2');
    expect(take('192.0.2.4', 'newcomer')).toBeDefined();
    expect(gone).toEqual(['silent 2', 'gateway']);
  });
});
