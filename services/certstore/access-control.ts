// Owns the interface by which the store sets, checks and describes who may read its files. One implementation for each family of operating
// systems.

export type EntryKind = 'file' | 'folder';

export interface AccessControl {
  /** Mode for new files; `apply` may restrict it further. */
  readonly fileMode: number;
  readonly folderMode: number;
  /** Sets the rights of a new file or folder, whatever the system's defaults are. */
  apply(entry: string, kind: EntryKind): Promise<void>;
  /** Returns a sentence when more accounts may read the entry than should, else undefined. */
  findTooWide(entry: string, kind: EntryKind): Promise<string | undefined>;
  /** Accounts that may read the entry: "user alice", "group farkeep", "everybody". */
  readers(entry: string): Promise<string[]>;
  /** Name of the account that this process runs as. */
  currentAccount(): Promise<string>;
}
