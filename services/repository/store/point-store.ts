// Owns the interface of one tenant's restore points, as sessions use it. TenantStore implements it.
import type { CompletenessCheck } from '../points/point-check.ts';

export interface PointStore {
  /**
   * Commits a restore point by one rename, after all its blocks are durable. Throws point.incomplete if a block is missing, call.conflict
   * if another point has this id. A repeated commit of the same root has no effect.
   */
  commitPoint(point: {
    readonly pointId: string;
    readonly root: Buffer;
    readonly check?: CompletenessCheck;
  }): Promise<{ readonly rootBytes: number }>;
  /** Returns the bytes of a committed root. Throws call.not-found. The caller must check the bytes (decodePointRoot). */
  readPointRoot(pointId: string): Promise<Buffer>;
  /** Returns the bytes that count against the quota: durable packs, and the roots of restore points. */
  usedBytes(): Promise<number>;
}
