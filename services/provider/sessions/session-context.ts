// Owns the shape of what the provider knows of a session besides what it shows: whose it is, and where it is stored. Holds no state.
import type { Operation } from '../../mover/link/local-link.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';

/** What a session needs to go on after the service was restarted; stored with it. No secret. */
export interface ProviderSessionContext {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly repositoryId: string;
  /** Of the tenant's place in the repository. */
  readonly location: RepositoryLocation;
  readonly operation: Operation;
  readonly jobId: string;
  readonly pointId: string;
  readonly storedBytes: number;
  readonly isCommitted: boolean;
}

/** A stored context. Versions before locations kept a folder. */
export function readSessionContext(stored: unknown): ProviderSessionContext {
  const { tenantFolder, ...context } = stored as ProviderSessionContext & { readonly tenantFolder?: string };
  return tenantFolder === undefined ? context : { ...context, location: folderLocation(tenantFolder) };
}
