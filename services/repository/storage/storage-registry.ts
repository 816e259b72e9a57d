// Owns the table of storage backends: for each kind of location how to open the place, how to name it, and where a tenant's part of it lies.
// Does not know which backends there are (services/repository/backends.ts) nor what they open.
import type { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export interface StorageBackend<Location, Place> {
  /** Opens one tenant's place. Reads and makes nothing yet. */
  readonly open: (location: Location) => Place;
  /** For people, and unique: two locations with one name are the same place. */
  readonly describe: (location: Location) => string;
  /** The location of one tenant inside that of a repository. */
  readonly locateTenant: (repository: Location, tenantId: string) => Location;
}

export class StorageRegistry<Location extends { readonly kind: string }, Place> {
  readonly #schema: z.ZodType<Location>;
  readonly #backends: ReadonlyMap<string, StorageBackend<Location, Place>>;

  /** @param backends one for each kind of location that the schema knows */
  constructor(
    schema: z.ZodType<Location>,
    backends: {
      readonly [Kind in Location['kind']]: StorageBackend<Extract<Location, { readonly kind: Kind }>, Place>;
    },
  ) {
    this.#schema = schema;
    // Each is given locations of its own kind only.
    this.#backends = new Map(Object.entries(backends as unknown as Record<string, StorageBackend<Location, Place>>));
  }

  /** Checks what was stored or came from another process. @throws storage.damaged */
  parse(stored: unknown): Location {
    const { data, error } = this.#schema.safeParse(stored);
    if (data === undefined)
      throw new FarkeepError('storage.damaged', 'This version does not know where the repository lies', {
        cause: error,
      });
    return data;
  }

  open(location: Location): Place {
    return this.#backendOf(location).open(location);
  }

  describe(location: Location): string {
    return this.#backendOf(location).describe(location);
  }

  locateTenant(repository: Location, tenantId: string): Location {
    return this.#backendOf(repository).locateTenant(repository, tenantId);
  }

  #backendOf({ kind }: Location): StorageBackend<Location, Place> {
    const backend = this.#backends.get(kind);
    if (backend === undefined) throw new FarkeepError('call.internal', `There is no storage backend "${kind}"`);
    return backend;
  }
}
