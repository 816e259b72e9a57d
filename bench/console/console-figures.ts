// Owns measuring the cost of the console during a backup, and how smooth its session view is: four backups of the same data, with the
// session view and with another page open, each once for CPU time and once for frames.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleSite } from './console-site.ts';
import { consoleProcesses, watchConsole, type ConsoleCpu } from './electron-usage.ts';
import { startFrames, stopFrames } from './frame-probe.ts';
import { summarizeFrames, type FrameSummary } from '../figures/frame-statistics.ts';
import { profilePage, topCosts, type CpuProfile, type FunctionCost } from './renderer-profile.ts';

const idleMs = 5_000;
/** Shortest measurement. CPU time has steps of 10 ms, so a shorter one would not be exact to a percent. */
const leastSeconds = 2;
const shownCosts = 25;

export interface ConsoleFigures {
  /** No session runs, and the overview is open. */
  readonly idle: ConsoleCpu;
  readonly sessionOpen: ConsoleCpu;
  readonly otherPage: ConsoleCpu;
  readonly frames: FrameSummary;
  /** Frames of a page that hardly changes: shows the effect of data movers on the same cores. */
  readonly otherPageFrames: FrameSummary;
  /** Set only with `profileFile`. */
  readonly costs: readonly FunctionCost[];
}

/** Returns why this computer cannot start the console; undefined when the console can start. scripts/bench.mjs sets up the console. */
export function whyNoConsole(): string | undefined {
  if (process.env['FARKEEP_TEST_ELECTRON'] !== undefined) return undefined;
  return process.env['FARKEEP_BENCH_NO_CONSOLE'] ?? 'it was not set up; start this with npm run bench';
}

/** @param profileFile file for a profile of the page (for developer tools); recording it makes frames slower */
export async function measureConsole(source: string, profileFile?: string): Promise<ConsoleFigures> {
  const site = await ConsoleSite.start(source, ['watched', 'elsewhere', 'control', 'smooth']);
  try {
    const { page } = site.farkeep;
    const processes = await consoleProcesses(site.farkeep);
    await site.window.open('Overview');
    const endIdle = watchConsole(processes);
    await sleep(idleMs);
    const idle = endIdle();

    const measure = async (job: string, prepare: () => Promise<void>): Promise<ConsoleCpu> => {
      const backup = await site.runJob(job);
      await prepare();
      await backup.untilNextSample();
      const end = watchConsole(processes);
      await backup.ended;
      return requireLongEnough(end());
    };
    const sessionOpen = await measure('watched', () => site.openSession('watched'));

    const otherPage = await measure('elsewhere', () => site.window.open('Service providers'));

    const recordFrames = async (job: string, prepare: () => Promise<void>): Promise<FrameSummary> => {
      const backup = await site.runJob(job);
      await prepare();
      await backup.untilNextSample();
      await startFrames(page);
      await backup.ended;
      return summarizeFrames(await stopFrames(page));
    };
    const otherPageFrames = await recordFrames('control', () => site.window.open('Service providers'));
    let endProfile: (() => Promise<CpuProfile>) | undefined;
    const frames = await recordFrames('smooth', async () => {
      await site.openSession('smooth');
      if (profileFile !== undefined) endProfile = await profilePage(page);
    });
    const profile = await endProfile?.();
    if (profile !== undefined && profileFile !== undefined) await writeFile(profileFile, JSON.stringify(profile));
    return {
      idle,
      sessionOpen,
      otherPage,
      frames,
      otherPageFrames,
      costs: profile === undefined ? [] : topCosts(profile, shownCosts),
    };
  } finally {
    await site.stop();
  }
}

function requireLongEnough(usage: ConsoleCpu): ConsoleCpu {
  if (usage.seconds >= leastSeconds) return usage;
  throw new Error(`The backup ran for ${usage.seconds.toFixed(1)} s with the page open; take more with --console-size`);
}
