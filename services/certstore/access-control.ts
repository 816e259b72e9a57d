// Owns the interface by which the store sets, checks and describes who may read its files. One implementation per kind of system.

export type EntryKind = 'file' | 'folder';

export interface AccessControl {
  /** Mode to create files with; the system may tighten it. */
  readonly fileMode: number;
  readonly folderMode: number;
  /** Sets the rights of a file or folder that was just made, whatever defaults the system has. */
  apply(entry: string, kind: EntryKind): Promise<void>;
  /** A sentence when the rights are wider than they should be, else undefined. */
  findTooWide(entry: string, kind: EntryKind): Promise<string | undefined>;
  /** Accounts that may read it: "user alice", "group farkeep", "everybody". */
  readers(entry: string): Promise<string[]>;
  /** Name of the account that this process runs as. */
  currentAccount(): Promise<string>;
}
