// Owns one number: the peak resident memory of this process with all its threads.

/** `ru_maxrss` is in kilobytes on every system that libuv supports. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
