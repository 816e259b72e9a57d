// Owns watching peak memory and CPU time of this process's data movers while they run, read from /proc (Linux only).
import { readdirSync, readFileSync } from 'node:fs';

export interface MoverUsage {
  readonly side: string;
  peakBytes: number;
  cpuS: number;
}

const intervalMs = 40;
const ticksPerSecond = 100;

/** Starts watching; `stop` returns one row for each mover. */
export function watchMovers(): { stop: () => MoverUsage[] } {
  const seen = new Map<number, MoverUsage>();
  const readUsage = (): void => {
    for (const pid of children()) {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const at = commandLine.findIndex((part) => part.endsWith('mover-entry.ts'));
        if (at === -1) continue;
        const usage = seen.get(pid) ?? { side: commandLine[at + 1] ?? '', peakBytes: 0, cpuS: 0 };
        seen.set(pid, usage);
        const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        usage.peakBytes = Math.max(usage.peakBytes, Number(peak ?? 0) * 1024);
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        usage.cpuS = (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
      } catch {
        continue; // the process has just ended; its last values stay
      }
    }
  };
  const timer = setInterval(readUsage, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen.values()];
    },
  };
}

function children(): number[] {
  const pids: number[] = [];
  try {
    for (const task of readdirSync('/proc/self/task')) {
      pids.push(
        ...readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
      );
    }
  } catch {
    return []; // not Linux: no values
  }
  return pids;
}
