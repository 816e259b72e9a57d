// Owns the interface of byte storage for a repository: named objects that are written once and read by range. The interface is small, so
// that a folder, an S3 store and a simulated disk can implement it (storage-conformance.ts).

/** Names are relative, with "/" between parts; parts match [0-9a-zA-Z._-]+ and never start with "..". */
export interface Storage {
  /**
   * Starts a new object; fails with EEXIST if the name exists. The object may be lost in a crash until `sync`. `isBulk`: the object is
   * large and will rarely be read soon, so the machine need not cache it.
   */
  create(name: string, options?: { readonly isBulk?: boolean }): Promise<ObjectWriter>;
  /** Returns the whole object. Fails with ENOENT if it is missing, with RangeError if it is longer than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Buffer>;
  /** Fills `into` from `offset`; resolves to the bytes read, fewer only at the end of the object. */
  readRange(name: string, offset: number, into: Buffer): Promise<number>;
  sizeBytes(name: string): Promise<number | undefined>;
  /**
   * Names of objects and folders directly in `folder`, sorted; empty when it does not exist. Fails with storage.damaged only when it is not a
   * folder.
   */
  list(folder: string): Promise<string[]>;
  /** Renames atomically and replaces `to`. Durable after `sync(folder of to)`. Creates the folder of `to` (durably) if necessary. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in `folder` durable. */
  sync(folder: string): Promise<void>;
  /** Removes an object; no error if it does not exist. */
  remove(name: string): Promise<void>;
  /** Removes an empty folder; no error if it does not exist. */
  removeFolder(folder: string): Promise<void>;
  /** Closes all objects that are open for reading. */
  close(): Promise<void>;
}

export interface ObjectWriter {
  /**
   * Appends the pieces in order and completely. When the promise resolves, the caller may reuse the pieces. Only one call may run at a
   * time.
   */
  append(pieces: readonly Buffer[]): Promise<void>;
  /** Resolves when all appended bytes survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
