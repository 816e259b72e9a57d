// Owns the provider's stored data about a session that is not displayed: its tenant and its storage location. Holds no state.
import type { Operation } from '../../mover/link/local-link.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';

/** Stored with a session, so that the session can continue after a restart of the service. Contains no secret. */
export interface ProviderSessionContext {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly repositoryId: string;
  /** The location of the tenant's folder in the repository. */
  readonly location: RepositoryLocation;
  readonly operation: Operation;
  readonly jobId: string;
  readonly pointId: string;
  readonly storedBytes: number;
  readonly isCommitted: boolean;
}

/** Reads a stored context. Older versions stored a folder instead of a location. */
export function readSessionContext(stored: unknown): ProviderSessionContext {
  const { tenantFolder, ...context } = stored as ProviderSessionContext & { readonly tenantFolder?: string };
  return tenantFolder === undefined ? context : { ...context, location: folderLocation(tenantFolder) };
}
