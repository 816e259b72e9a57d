// Owns the decision when a crashed service is started again, and when not any more. Pure: knows no process and no clock.

export interface RestartPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** This number of crashes within `windowMs` means that another start does not help. */
  readonly maxCrashes: number;
  readonly windowMs: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  firstDelayMs: 500,
  maxDelayMs: 30_000,
  maxCrashes: 6,
  windowMs: 5 * 60_000,
};

export type RestartDecision = { readonly kind: 'restart'; readonly delayMs: number } | { readonly kind: 'give-up' };

/**
 * @param crashTimes when the service crashed since it was last started by a person, in ms, oldest first, this crash last
 */
export function decideRestart(crashTimes: readonly number[], policy: RestartPolicy): RestartDecision {
  const now = crashTimes.at(-1);
  if (now === undefined) return { kind: 'restart', delayMs: 0 };
  const recent = crashTimes.filter((time) => now - time <= policy.windowMs).length;
  if (recent >= policy.maxCrashes) return { kind: 'give-up' };
  return { kind: 'restart', delayMs: Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (recent - 1)) };
}
