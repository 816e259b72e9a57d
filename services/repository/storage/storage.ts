// Owns the interface between the repository and where its bytes lie: objects by name, appended once, read by range.
// Small on purpose, so that a folder, an S3 store and a failing disk of a test all fit behind it (storage-conformance.ts).

/** Names are relative, with "/" between parts; parts match [0-9a-zA-Z._-]+ and never start with "..". */
export interface Storage {
  /**
   * Starts a new object; fails with EEXIST when the name is taken. Nothing is promised about it before `sync`.
   * `isBulk`: many megabytes that are hardly read again soon, so they need not stay in the machine's memory.
   */
  create(name: string, options?: { readonly isBulk?: boolean }): Promise<ObjectWriter>;
  /** Whole object. Fails with ENOENT when missing, with RangeError when longer than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Buffer>;
  /** Fills `into` from `offset`; resolves to the bytes read, fewer only at the end of the object. */
  readRange(name: string, offset: number, into: Buffer): Promise<number>;
  sizeBytes(name: string): Promise<number | undefined>;
  /**
   * Names of objects and folders directly in `folder`, sorted; empty when it does not exist. Fails with storage.damaged only when it is not a
   * folder.
   */
  list(folder: string): Promise<string[]>;
  /** Atomic; replaces `to`. Durable after `sync(folder of to)`. Creates the folder of `to` (durably) when needed. */
  rename(from: string, to: string): Promise<void>;
  /** Makes names in `folder` durable. */
  sync(folder: string): Promise<void>;
  /** No error when it is gone already. */
  remove(name: string): Promise<void>;
  /** Removes an empty folder; no error when it is gone already. */
  removeFolder(folder: string): Promise<void>;
  /** Closes what is held open for reading. */
  close(): Promise<void>;
}

export interface ObjectWriter {
  /** Appends the pieces in order, whole; they belong to the caller again when it resolves. One call at a time. */
  append(pieces: readonly Buffer[]): Promise<void>;
  /** All that was appended is there, and survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
