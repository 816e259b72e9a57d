// Owns the shape of what the provider knows of a session besides what it shows: whose it is, and where on the disk. Holds no state.
import type { Operation } from '../../mover/link/local-link.ts';

/** What a session needs to go on after the service was restarted; stored with it. No secret. */
export interface ProviderSessionContext {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly repositoryId: string;
  readonly tenantFolder: string;
  readonly operation: Operation;
  readonly jobId: string;
  readonly pointId: string;
  readonly storedBytes: number;
  readonly isCommitted: boolean;
}
