import { expect, it } from 'vitest';
import type { RestorePoint } from '../contracts/models/tenant.ts';
import { inOrder } from './sessions/points.ts';

const point = (id: string, createdAt: string, committedAt?: string): RestorePoint => ({
  id: id.padStart(32, '0'),
  job: 'documents',
  jobId: '1'.repeat(32),
  providerName: 'northwind',
  repository: 'main',
  createdAt,
  ...(committedAt === undefined ? {} : { committedAt }),
  sourceBytes: 1,
  files: 1,
  encrypted: false,
  warnings: 0,
});

it('sorts a point by the time when the provider received it, so that a point from a wrong clock is not the newest for a year', () => {
  const points = [
    point('a', '2026-03-01T00:00:00.000Z', '2026-03-01T00:00:10.000Z'),
    point('b', '2027-03-02T00:00:00.000Z', '2026-03-02T00:00:10.000Z'),
    point('c', '2025-03-03T00:00:00.000Z', '2026-03-03T00:00:10.000Z'),
  ];
  expect(inOrder(points.toReversed()).map(({ id }) => id.at(-1))).toEqual(['a', 'b', 'c']);
});

it('uses the tenant’s time when an older provider does not report its own', () => {
  const points = [point('b', '2026-03-02T00:00:00.000Z'), point('a', '2026-03-01T00:00:00.000Z')];
  expect(inOrder(points).map(({ id }) => id.at(-1))).toEqual(['a', 'b']);
});
