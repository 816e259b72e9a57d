// Tests reading /proc with any process name.
import { expect, it } from 'vitest';
import { cpuSecondsOf, parseCpuS } from './process-usage.ts';

const rest = 'S 1 42 42 0 -1 4194560 900 0 0 0 250 50 7 7 20 0 11 0 12345 1000000 300';

it('reads user and system time, also after a name with spaces and brackets', () => {
  expect(parseCpuS(`42 (node) ${rest}`)).toBe(3);
  expect(parseCpuS(`42 (a) b) (c) ${rest}`)).toBe(3);
});

it('refuses other text', () => {
  expect(() => parseCpuS('nothing')).toThrow('Not a line');
});

it.runIf(process.platform === 'linux')("agrees with the process's own CPU time", () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  expect(Math.abs(cpuSecondsOf(process.pid) - (userCPUTime + systemCPUTime) / 1e6)).toBeLessThan(1);
});
