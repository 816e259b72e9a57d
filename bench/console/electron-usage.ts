// Owns measuring the processes of a running console: main, renderer and GPU process, each in percent of one core, without the services.
import type { FarkeepConsole } from '../../e2e/fixtures/farkeep-console.ts';
import { cpuSecondsOf } from '../figures/process-usage.ts';

/** Percent of one core. */
export interface ConsoleCpu {
  readonly main: number;
  readonly renderer: number;
  readonly gpu: number;
  /** Length of the measurement. */
  readonly seconds: number;
}

interface ConsoleProcess {
  readonly pid: number;
  /** Electron's names: "Browser" is the main process, "Tab" a renderer. */
  readonly type: string;
}

/** Asks the console once for its processes; the measurement then does not call the console. */
export async function consoleProcesses(farkeep: FarkeepConsole): Promise<ConsoleProcess[]> {
  return farkeep.app.evaluate(({ app }) => app.getAppMetrics().map(({ pid, type }) => ({ pid, type })));
}

/** Starts measuring; the returned function ends the measurement. */
export function watchConsole(processes: readonly ConsoleProcess[]): () => ConsoleCpu {
  const read = (type: string): number =>
    processes.filter((each) => each.type === type).reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
  const measure = () => ({ atMs: performance.now(), main: read('Browser'), renderer: read('Tab'), gpu: read('GPU') });
  const before = measure();
  return () => {
    const after = measure();
    const seconds = (after.atMs - before.atMs) / 1000;
    const percent = (part: 'main' | 'renderer' | 'gpu'): number => ((after[part] - before[part]) / seconds) * 100;
    return { main: percent('main'), renderer: percent('renderer'), gpu: percent('gpu'), seconds };
  };
}
