// Owns the port of the writer lease: the question "is that writer still alive?". Each writer of a tenant's place holds a lease, which ends
// with its process in whatever way that ends. A backend implements it (folder/writer-lock.ts); lease-conformance.ts says what each must do.

export interface WriterLease {
  /** 16 hex digits. What this writer has not finished lies in `incoming/<writer>/`. */
  readonly writer: string;
  /** Removes the trace: everything of this writer is in its final place. */
  release(): Promise<void>;
  /** Ends the lease but leaves its trace, as a crash would: the next writer looks after what is left. */
  abandon(): Promise<void>;
}

/** The leases of one tenant's place. */
export interface WriterLeases {
  /** Takes a new lease. It is durable, so that it shows an unclean end after a power cut. */
  take(): Promise<WriterLease>;
  /** Whether a writer other than the holder of `own` is alive. */
  hasOtherLiving(own: WriterLease): Promise<boolean>;
  /**
   * Calls `care` for every writer that ended without release, and then removes the trace of its lease. Two processes never care for the same
   * writer at a time. Living writers are not touched.
   *
   * @returns how many it cared for
   */
  careForDead(care: (writer: string) => Promise<void>): Promise<number>;
}
