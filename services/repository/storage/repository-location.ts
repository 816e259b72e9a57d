// Owns the location of a repository: the kind of its storage backend and the parameters of this kind. A location is stored and sent to
// other processes; the backend validates it (storage-registry.ts). Must not load zod, because every data mover loads this file.

export interface FolderLocation {
  readonly kind: 'folder';
  /** Path of the repository, or of one tenant's folder in it. */
  readonly folder: string;
}

/** One member for each kind of backend. */
export type RepositoryLocation = FolderLocation;

/** @param folder path of the repository, or of one tenant's folder in it */
export function folderLocation(folder: string): FolderLocation {
  return { kind: 'folder', folder };
}
