// Owns the table of storage backends. For each kind of location, a backend opens the place, describes it, and derives the location of one
// tenant. Does not know which backends there are (services/repository/backends.ts), nor the type of the places.
import type { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export interface StorageBackend<Location, Place> {
  /** Returns one tenant's place. Does not read or create any data yet. */
  readonly open: (location: Location) => Place;
  /** Returns a unique name for display. Two locations with the same name are the same place. */
  readonly describe: (location: Location) => string;
  /** Returns the location of one tenant inside a repository. */
  readonly locateTenant: (repository: Location, tenantId: string) => Location;
}

export class StorageRegistry<Location extends { readonly kind: string }, Place> {
  readonly #schema: z.ZodType<Location>;
  readonly #backends: ReadonlyMap<string, StorageBackend<Location, Place>>;

  /** @param backends one backend for each kind of location in the schema */
  constructor(
    schema: z.ZodType<Location>,
    backends: {
      readonly [Kind in Location['kind']]: StorageBackend<Extract<Location, { readonly kind: Kind }>, Place>;
    },
  ) {
    this.#schema = schema;
    // The cast of `backends` is safe, because each backend only gets locations of its own kind.
    this.#backends = new Map(Object.entries(backends as unknown as Record<string, StorageBackend<Location, Place>>));
  }

  /** Validates a location that was stored or came from another process. @throws storage.damaged */
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
