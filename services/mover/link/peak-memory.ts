// Owns one figure: the most memory this process has had resident, all its threads together.

/** `ru_maxrss` is in kilobytes on every system libuv supports. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
