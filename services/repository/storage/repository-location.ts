// Owns the location of a repository: the kind of its storage backend and the parameters of this kind. A location is stored and sent to
// other processes, so it is validated. Does not know how a backend is opened (storage-registry.ts).
import { z } from 'zod';

const folderLocationSchema = z.object({ kind: z.literal('folder'), folder: z.string().min(1) });

/** One row for each kind of backend. */
export const repositoryLocationSchema = z.discriminatedUnion('kind', [folderLocationSchema]);

export type RepositoryLocation = z.infer<typeof repositoryLocationSchema>;

export type FolderLocation = z.infer<typeof folderLocationSchema>;

/** @param folder path of the repository, or of one tenant's folder in it */
export function folderLocation(folder: string): FolderLocation {
  return { kind: 'folder', folder };
}
