// Owns the table of storage backends. For each kind of location, a backend opens the place, describes it, and derives the location of one
// tenant. Does not know which backends there are (services/repository/backends.ts), nor the type of the places.
import { FarkeepError } from '../../kernel/farkeep-error.ts';

export interface StorageBackend<Location, Place> {
  /** Whether these are valid parameters for this kind. */
  readonly accepts: (parameters: Readonly<Record<string, unknown>>) => boolean;
  /** Returns one tenant's place. Does not read or create any data yet. */
  readonly open: (location: Location) => Place;
  /** Returns a unique name for display. Two locations with the same name are the same place. */
  readonly describe: (location: Location) => string;
  /** Returns the location of one tenant inside a repository. */
  readonly locateTenant: (repository: Location, tenantId: string) => Location;
}

export class StorageRegistry<Location extends { readonly kind: string }, Place> {
  readonly #backends: ReadonlyMap<string, StorageBackend<Location, Place>>;

  /** @param backends one backend for each kind of location */
  constructor(backends: {
    readonly [Kind in Location['kind']]: StorageBackend<Extract<Location, { readonly kind: Kind }>, Place>;
  }) {
    // The cast of `backends` is safe, because each backend only gets locations of its own kind.
    this.#backends = new Map(Object.entries(backends as unknown as Record<string, StorageBackend<Location, Place>>));
  }

  /** Validates a location that was stored or came from another process. @throws storage.damaged */
  parse(stored: unknown): Location {
    const parameters = typeof stored === 'object' && stored !== null ? { ...stored } : {};
    const kind = 'kind' in parameters ? parameters.kind : undefined;
    const backend = typeof kind === 'string' ? this.#backends.get(kind) : undefined;
    if (backend?.accepts(parameters) !== true)
      throw new FarkeepError('storage.damaged', 'This version does not support the storage of this repository');
    // The backend of this kind has accepted the parameters.
    return parameters as Location;
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
