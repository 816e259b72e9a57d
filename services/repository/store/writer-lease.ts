// Owns the interface of the writer lease, which shows whether a writer is still alive. Each writer of a tenant's place holds a lease, which
// ends with its process, also after a crash. Each storage backend implements this interface (folder/writer-lock.ts); lease-conformance.ts
// has the requirements.

export interface WriterLease {
  /** 16 hex digits. The unfinished data of this writer is in `incoming/<writer>/`. */
  readonly writer: string;
  /** Ends the lease and removes its trace, when all data of this writer is in its final place. */
  release(): Promise<void>;
  /** Ends the lease but leaves its trace, like a crash. The next writer cleans up. */
  abandon(): Promise<void>;
}

/** The leases of one tenant's place. */
export interface WriterLeases {
  /** Takes a new lease. The lease is durable, so it shows an unclean end also after a power cut. */
  take(): Promise<WriterLease>;
  /** Whether a writer other than the holder of `own` is alive. */
  hasOtherLiving(own: WriterLease): Promise<boolean>;
  /**
   * Calls `care` for every dead writer (ended without release), and then removes the trace of its lease. Two processes never clean up after
   * the same writer at the same time. Living writers are not touched.
   *
   * @returns the number of dead writers
   */
  careForDead(care: (writer: string) => Promise<void>): Promise<number>;
}
