// Owns reading the CPU time of a process from /proc (Linux only).
import { readFileSync } from 'node:fs';

/** USER_HZ: always 100 in the Linux ABI, whatever the kernel's own rate is. */
const ticksPerSecond = 100;

/** User and system time in seconds from /proc/PID/stat. The name in it may contain spaces and brackets, so it ends at the last bracket. */
export function parseCpuS(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isFinite(user) || !Number.isFinite(system)) throw new Error(`Not a line of /proc/PID/stat: ${stat}`);
  return (user + system) / ticksPerSecond;
}

/** CPU seconds of a running process with all its threads, without its children. */
export function cpuSecondsOf(pid: number): number {
  return parseCpuS(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Returns why this computer cannot measure processes; undefined when it can measure them. */
export function whyNoProcessUsage(): string | undefined {
  return process.platform === 'linux' ? undefined : 'only Linux tells the CPU time of other processes (/proc)';
}
