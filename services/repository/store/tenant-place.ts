// Owns the port of a storage backend: what the repository needs of the place where one tenant's backups lie. Bytes, catalogue and writer
// leases come from one backend together. Does not know which backends there are.
import type { Logger } from '../../kernel/logger.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalogues } from './catalogue.ts';
import type { WriterLeases } from './writer-lease.ts';

export interface TenantPlace {
  /** For people: a path or an address. */
  readonly name: string;
  readonly storage: Storage;
  readonly catalogues: Catalogues;
  readonly leases: WriterLeases;
  /** Makes what a writer needs and is missing. Durable when it resolves. */
  prepare(logger: Logger): Promise<void>;
  /** @throws when there is no such place, or it is not what it should be */
  requireReadable(): void;
  /** Changes with each restore point that is added or removed; undefined when the place has none and never had. @throws storage.io */
  pointsChangedAtMs(): Promise<number | undefined>;
  /** When the root of a point was written, by this machine's clock; undefined when that is unknown. */
  pointWrittenAtMs(pointId: string): Promise<number | undefined>;
}

/** Where a writer puts what is not finished: a folder with the name of its lease. */
export const incomingFolder = 'incoming';
