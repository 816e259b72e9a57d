// Owns profiles of the console's page: the time of its thread by function, over the protocol of the developer tools.
import type { Page } from '@playwright/test';

/** The parts of a profile (Chrome DevTools Protocol, Profiler.Profile) that are used here. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface FunctionCost {
  readonly name: string;
  readonly selfMs: number;
  /** Share of the whole recording. */
  readonly share: number;
}

/** The most expensive functions by their own time. "(idle)", "(program)" and "(garbage collector)" are names of the engine. */
export function topCosts({ nodes, samples = [], timeDeltas = [] }: CpuProfile, count: number): FunctionCost[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === '' ? '' : ` ${url.split('/').at(-1) ?? ''}:${lineNumber + 1}`;
      return [id, `${functionName === '' ? '(anonymous)' : functionName}${place}`];
    }),
  );
  const costs = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const microseconds = timeDeltas[index] ?? 0;
    const name = names.get(id) ?? '(unknown)';
    costs.set(name, (costs.get(name) ?? 0) + microseconds);
    total += microseconds;
  }
  return [...costs]
    .map(([name, microseconds]) => ({ name, selfMs: microseconds / 1000, share: microseconds / total }))
    .sort((left, right) => right.selfMs - left.selfMs)
    .slice(0, count);
}

/** Starts recording; the returned function ends it. */
export async function profilePage(page: Page): Promise<() => Promise<CpuProfile>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.setSamplingInterval', { interval: 500 });
  await session.send('Profiler.start');
  return async () => {
    const { profile } = await session.send('Profiler.stop');
    await session.detach();
    return profile;
  };
}
