// Owns recording frame times in the console's page: it requests a frame after each frame, so the page draws all the time. Must not run
// while CPU time is measured.
import type { Page } from '@playwright/test';
import type { FrameRecord } from '../figures/frame-statistics.ts';

/** The parts of a browser window that are used here; this project has no DOM types. */
interface BrowserWindow {
  requestAnimationFrame(callback: (timeMs: number) => void): number;
  PerformanceObserver: new (callback: (list: { getEntries(): { duration: number }[] }) => void) => {
    observe(options: { type: string }): void;
    disconnect(): void;
  };
  benchStopFrames?: () => { frameMs: number[]; longTaskMs: number[] };
}

export async function startFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const browser = globalThis as unknown as BrowserWindow;
    const [frameMs, longTaskMs]: [number[], number[]] = [[], []];
    const observer = new browser.PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTaskMs.push(duration);
    });
    observer.observe({ type: 'longtask' });
    let [isOn, lastMs] = [true, -1];
    const onFrame = (timeMs: number): void => {
      if (lastMs >= 0) frameMs.push(timeMs - lastMs);
      lastMs = timeMs;
      if (isOn) browser.requestAnimationFrame(onFrame);
    };
    browser.requestAnimationFrame(onFrame);
    browser.benchStopFrames = () => {
      isOn = false;
      observer.disconnect();
      return { frameMs, longTaskMs };
    };
  });
}

export async function stopFrames(page: Page): Promise<FrameRecord> {
  return page.evaluate(() => {
    const record = (globalThis as unknown as BrowserWindow).benchStopFrames?.();
    if (record === undefined) throw new Error('The frames of this page are not recorded');
    return record;
  });
}
