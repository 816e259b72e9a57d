// Owns the name of the part that limits a session: the part with the largest busy share. Pure.
import type { Bottleneck } from '../../../../services/contracts/models/session.ts';

export const bottleneckParts = ['source', 'compression', 'network', 'target'] as const;
export type BottleneckPart = (typeof bottleneckParts)[number];

/** A part with a smaller share than this does not count as the bottleneck. */
const leastShare = 0.2;

export function largestPart(bottleneck: Bottleneck | null): BottleneckPart | 'none' {
  if (bottleneck === null) return 'none';
  const largest = bottleneckParts.reduce((best, part) => (bottleneck[part] > bottleneck[best] ? part : best));
  return bottleneck[largest] < leastShare ? 'none' : largest;
}
