import { expect, it } from 'vitest';
import { bottleneckOf } from './bottleneck.ts';

const idle = { source: 0.02, compress: 0.05, network: 0, target: 0 };

it('keeps the shares of a busy source and of a busy compression', () => {
  expect(bottleneckOf({ ...idle, source: 0.9 }, 0.1)).toMatchObject({ source: 0.9, compression: 0.05 });
  expect(bottleneckOf({ ...idle, compress: 0.9 }, 0.1)).toMatchObject({ source: 0.02, compression: 0.9 });
});

it('divides the waiting of the source between the target, which knows how busy it is, and the network', () => {
  // A slow network: the connection is full, or the answers travel behind the data; the target has nothing to do.
  expect(bottleneckOf({ ...idle, network: 0.9 }, 0.02)).toMatchObject({ network: 0.88, target: 0.02 });
  expect(bottleneckOf({ ...idle, network: 0.3, target: 0.6 }, 0.02).network).toBeCloseTo(0.88);
  // A slow target reads no more bytes, so the connection is full.
  expect(bottleneckOf({ ...idle, network: 0.9 }, 0.95)).toMatchObject({ network: 0, target: 0.95 });
  // An older provider does not say.
  expect(bottleneckOf({ ...idle, network: 0.2, target: 0.7 }, undefined)).toMatchObject({ network: 0.2, target: 0.7 });
});
