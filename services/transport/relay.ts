// Owns relaying bytes between two connections, in both directions, unchanged. Must not read their content, and must hold at most one read
// buffer for each direction.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { DataSocket } from './data-socket.ts';

export interface RelayResult {
  /** undefined when both directions ended in order. */
  readonly error: FarkeepError | undefined;
}

/**
 * Relays until both connections are closed. Passes on a half-close as a half-close and a reset as a reset; a slow reader stops the reading
 * on the other side. Both sockets must be open and not yet started.
 * @param fromClient bytes that were already read from `client` (and any header before them)
 */
export function relay(client: DataSocket, server: DataSocket, fromClient?: readonly Buffer[]): Promise<RelayResult> {
  const { promise, resolve } = Promise.withResolvers<RelayResult>();
  let open = 2;
  let firstError: FarkeepError | undefined;
  const startSide = (from: DataSocket, to: DataSocket): void => {
    const pass = (chunk: Buffer): boolean => {
      const written = to.write(chunk);
      if (written === true) return true;
      // The chunk stays valid while reading is stopped, so it needs no copy.
      written.then(
        () => from.resume(),
        () => from.destroy(new FarkeepError('connection.lost', 'The other side of the relay was lost')),
      );
      return false;
    };
    from.start({
      onChunk: pass,
      onEnd: () => to.end(),
      onClose: (error) => {
        firstError ??= error;
        open -= 1;
        // A side that closed without ending its direction was cut. The other side must not treat its stream as complete.
        if (error !== undefined) to.destroy(error);
        else if (!from.hasEnded)
          to.destroy(new FarkeepError('connection.lost', 'The other side of the relay was closed'));
        if (open === 0) resolve({ error: firstError });
      },
    });
  };
  const first = fromClient === undefined || fromClient.length === 0 ? true : server.write(fromClient);
  startSide(server, client);
  if (first === true) startSide(client, server);
  else {
    first.then(
      () => startSide(client, server),
      () => startSide(client, server),
    );
  }
  return promise;
}
