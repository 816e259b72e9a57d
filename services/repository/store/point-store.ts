// Owns the port of the restore points of one tenant: what a session needs of them. A TenantStore is one.
import type { CompletenessCheck } from '../points/point-check.ts';

export interface PointStore {
  /**
   * Makes a restore point exist, by one rename, after everything it needs is durable. Throws point.incomplete when a block
   * is missing, call.conflict when another point has this id; committing the same root again changes nothing.
   */
  commitPoint(point: {
    readonly pointId: string;
    readonly root: Buffer;
    readonly check?: CompletenessCheck;
  }): Promise<{ readonly rootBytes: number }>;
  /** The bytes of a point's root, as committed. Throws call.not-found; decodePointRoot checks them. */
  readPointRoot(pointId: string): Promise<Buffer>;
  /** What counts against the quota: durable packs, and the roots of restore points. */
  usedBytes(): Promise<number>;
}
