// Tests adding up the samples of a profile.
import { expect, it } from 'vitest';
import { topCosts } from './renderer-profile.ts';

const node = (id: number, functionName: string, url = '') => ({ id, callFrame: { functionName, url, lineNumber: 9 } });

it('adds up the time of each function, whatever called it', () => {
  const profile = {
    nodes: [node(1, '(idle)'), node(2, 'draw', 'farkeep://app/assets/graph.js'), node(3, '', 'farkeep://app/a.js')],
    samples: [1, 2, 3, 2],
    timeDeltas: [6_000, 1_000, 500, 2_500],
  };
  expect(topCosts(profile, 2)).toEqual([
    { name: '(idle)', selfMs: 6, share: 0.6 },
    { name: 'draw graph.js:10', selfMs: 3.5, share: 0.35 },
  ]);
});

it('returns an empty list for a profile without samples', () => {
  expect(topCosts({ nodes: [] }, 5)).toEqual([]);
});
