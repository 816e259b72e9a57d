// Owns the interface of a storage backend for one tenant's backups: storage of bytes, catalogue and writer leases. All three come from the
// same backend. Does not know which backends there are.
import type { Logger } from '../../kernel/logger.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalogues } from './catalogue.ts';
import type { WriterLeases } from './writer-lease.ts';

export interface TenantPlace {
  /** Path or address, for display. */
  readonly name: string;
  readonly storage: Storage;
  readonly catalogues: Catalogues;
  readonly leases: WriterLeases;
  /** Creates what a writer needs. Durable when the promise resolves. */
  prepare(logger: Logger): Promise<void>;
  /** @throws when the place does not exist or is of the wrong kind */
  requireReadable(): void;
  /** A time that changes with each added or removed restore point; undefined if the place never had one. @throws storage.io */
  pointsChangedAtMs(): Promise<number | undefined>;
  /** When the root of a point was written, by this machine's clock; undefined if unknown. */
  pointWrittenAtMs(pointId: string): Promise<number | undefined>;
}

/** Folder for unfinished data. Each writer has its own folder in `incoming`, named after its lease. */
export const incomingFolder = 'incoming';
