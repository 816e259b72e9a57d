// Owns the list of the benchmark's parts and choosing them from the command line. Pure.

export const benchParts = ['throughput', 'borg', 'small-files', 'gateway', 'handshakes', 'startup', 'console'] as const;
export type BenchPart = (typeof benchParts)[number];

/** @param only "gateway,handshakes"; undefined chooses all @throws Error that names the existing parts */
export function chooseParts(only: string | undefined): ReadonlySet<BenchPart> {
  if (only === undefined) return new Set(benchParts);
  const names = only.split(',').map((name) => name.trim());
  const chosen = benchParts.filter((part) => names.includes(part));
  const unknown = names.filter((name) => !benchParts.some((part) => part === name));
  if (unknown.length > 0) {
    throw new Error(`There is no part "${unknown.join('", "')}"; the parts are ${benchParts.join(', ')}`);
  }
  return new Set(chosen);
}

export function isEverything(parts: ReadonlySet<BenchPart>): boolean {
  return parts.size === benchParts.length;
}
