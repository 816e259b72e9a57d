// Owns which part of a session limits it, from what both movers measured. Pure.
import type { Bottleneck } from '../contracts/models/session.ts';

/** Busy shares of a source mover, 0 to 1. */
export interface SourceShares {
  readonly source: number;
  readonly compress: number;
  /** The connection takes no more bytes. */
  readonly network: number;
  /** The target has not answered. */
  readonly target: number;
}

/**
 * A source that waits cannot know whether the network or the target is slow: a slow target reads no more bytes, and answers travel behind the
 * data. The target knows how busy its disk is, so the rest of the waiting is due to the network.
 * @param targetBusy busy share of the target as the provider reported it; undefined before the first report
 */
export function bottleneckOf(shares: SourceShares, targetBusy: number | undefined): Bottleneck {
  const waiting = share(shares.network + shares.target);
  const target = share(targetBusy ?? shares.target);
  return {
    source: share(shares.source),
    compression: share(shares.compress),
    network: targetBusy === undefined ? share(shares.network) : share(waiting - target),
    target,
  };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
