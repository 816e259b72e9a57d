// Owns the single port (docs/protocol.md, section 1): reads the first bytes of a connection, finds its destination, and relays the bytes.
// Must not terminate TLS, hold a key that protects data, or store any relayed data.
import { createServer, type Server, type Socket } from 'node:net';

import { systemClock, type Clock } from '../kernel/clock.ts';
import { CountedLog } from '../kernel/counted-log.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { normalizeAddress } from '../transport/client-address.ts';
import { listen } from '../transport/data-listener.ts';
import { DataSocket } from '../transport/data-socket.ts';
import { PendingPlaces, type Place } from '../transport/pending-places.ts';
import { relay } from '../transport/relay.ts';
import type { GatewayReport } from '../wire/gateway-link-messages.ts';
import { classifyFirstBytes, type Preamble } from '../wire/preamble.ts';
import { encodeProxyHeader } from '../wire/proxy-header.ts';
import { AbuseGuard } from './abuse-guard.ts';
import type { GatewayConfig } from './config.ts';
import type { RouteTable } from './route-table.ts';

export interface ControlTarget {
  readonly host: string;
  readonly port: number;
  readonly linkId: Buffer;
  readonly proxyKey: Buffer;
  /** Returns each value only once for a link. */
  readonly nextCounter: () => bigint;
}

export interface FrontDoorOptions {
  readonly limits: GatewayConfig['limits'];
  readonly routes: RouteTable;
  /** Destination of control connections; undefined while the provider cannot be reached. */
  readonly findControl: () => ControlTarget | undefined;
  /** The provider's address, for routes without a host. */
  readonly findProviderAddress: () => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Limit of connections from one address before their first bytes. Many tenants can share one address. */
const maxWaitingPerAddress = 256;

type Refusal = keyof GatewayReport['refusals'];
type RelayKind = 'control' | 'data';

interface RunningRelay {
  readonly kind: RelayKind;
  readonly client: DataSocket;
  readonly server: DataSocket;
}

export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #logger: Logger;
  readonly #guard: AbuseGuard;
  readonly #servers: Server[] = [];
  readonly #addresses: { host: string; port: number }[] = [];
  readonly #waiting = new Set<DataSocket>();
  readonly #places: PendingPlaces;
  readonly #relays = new Set<RunningRelay>();
  readonly #refusals: Record<Refusal, number> = {
    unknownFirstBytes: 0,
    tooSlow: 0,
    unknownTicket: 0,
    blockedAddress: 0,
    tooManyConnections: 0,
    providerUnreachable: 0,
  };
  readonly #refused = new CountedLog();
  #finishedFromClients = 0;
  #finishedToClients = 0;
  #onRelayEnded: (() => void) | undefined;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#guard = new AbuseGuard(options.limits, options.clock);
    this.#places = new PendingPlaces({ total: options.limits.connections, perAddress: maxWaitingPerAddress });
  }

  /** @throws FarkeepError `service.port-in-use`, `service.start-failed` */
  async open(addresses: GatewayConfig['listen']): Promise<void> {
    for (const { host, port } of addresses) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
      const bound = await listen(server, { host, port }).then(
        (boundPort) => ({ host, port: boundPort }),
        async (error: unknown) => {
          if (host !== '::' || toFarkeepError(error).code === 'service.port-in-use') throw error;
          return { host: '0.0.0.0', port: await listen(server, { host: '0.0.0.0', port }) };
        },
      );
      this.#servers.push(server);
      this.#addresses.push(bound);
    }
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#addresses;
  }

  get dataConnections(): number {
    return this.#count('data');
  }

  counters(): Omit<GatewayReport, 'load'> {
    let bytesFromClients = this.#finishedFromClients;
    let bytesToClients = this.#finishedToClients;
    for (const { client, server } of this.#relays) {
      bytesFromClients += client.bytesRead;
      bytesToClients += server.bytesRead;
    }
    return {
      controlConnections: this.#count('control'),
      dataConnections: this.#count('data'),
      bytesFromClients,
      bytesToClients,
      refusals: { ...this.#refusals },
    };
  }

  /** Accepts no more connections and drops connections without a destination. Keeps relaying connections with a destination. */
  stopAccepting(): void {
    for (const server of this.#servers.splice(0)) server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  /** Resolves when no data connection is open any more. */
  async untilDataIsThrough(): Promise<void> {
    while (this.dataConnections > 0) await new Promise<void>((resolve) => (this.#onRelayEnded = resolve));
  }

  dropAll(): void {
    this.stopAccepting();
    const reason = new FarkeepError('gateway.link-down', 'The gateway is stopping');
    for (const { client, server } of this.#relays) {
      client.destroy(reason);
      server.destroy(reason);
    }
  }

  #count(kind: RelayKind): number {
    let count = 0;
    for (const running of this.#relays) if (running.kind === kind) count += 1;
    return count;
  }

  #accept(accepted: Socket): void {
    const address = normalizeAddress(accepted.remoteAddress);
    if (this.#guard.isRefused(address)) {
      this.#refusals.blockedAddress += 1;
      accepted.destroy();
      return;
    }
    const place =
      this.#relays.size >= this.#options.limits.connections
        ? undefined
        : this.#places.take(address, () => {
            this.#refusals.tooManyConnections += 1;
            client.destroy();
          });
    if (place === undefined) {
      this.#refusals.tooManyConnections += 1;
      accepted.destroy();
      return;
    }
    const client = DataSocket.adopt(accepted);
    this.#sniff(client, address, place);
  }

  /** Reads until the kind of the connection is known. */
  #sniff(client: DataSocket, address: string, place: Place): void {
    this.#waiting.add(client);
    let received: Buffer = Buffer.alloc(0);
    const refuse = (reason: Refusal): void => {
      settle();
      this.#refuseBad(client, address, reason);
    };
    const timer = systemClock.startTimer(this.#options.limits.firstBytesTimeoutMs, () => refuse('tooSlow'));
    const settle = (): void => {
      timer.stop();
      place.release();
      this.#waiting.delete(client);
    };
    client.start({
      onChunk: (chunk) => {
        place.heardFrom();
        received = Buffer.concat([received, chunk]);
        const first = classifyFirstBytes(received);
        if (first.type === 'need-more') return true;
        timer.stop();
        place.release();
        if (first.type === 'unknown') refuse('unknownFirstBytes');
        // Reading stays stopped until the relay starts, so that the kernel and not this process buffers what the client sends.
        else {
          const preamble = first.type === 'tls' ? undefined : first.preamble;
          void this.#forward(client, address, preamble, received)
            .catch((error: unknown) => {
              this.#logger.warn('A connection could not be passed on', {
                address,
                reason: toFarkeepError(error).message,
              });
              client.destroy();
            })
            .finally(settle);
        }
        return false;
      },
      onEnd: () => {
        // A connection that ends without a byte only checks that the port is open, which is no abuse.
        if (received.length > 0) refuse('unknownFirstBytes');
        else client.destroy();
      },
      onClose: settle,
    });
  }

  async #forward(client: DataSocket, address: string, preamble: Preamble | undefined, received: Buffer): Promise<void> {
    const target = preamble === undefined ? this.#controlTarget(client, address) : this.#dataTarget(preamble);
    if (target === 'unknown-ticket') {
      this.#refuseBad(client, address, 'unknownTicket');
      return;
    }
    if (target === undefined) {
      this.#refuseUnreachable(client, 'there is no link to the provider');
      return;
    }
    let server: DataSocket;
    try {
      server = await DataSocket.open({
        host: target.host,
        port: target.port,
        timeoutMs: this.#options.limits.connectTimeoutMs,
      });
    } catch (error) {
      this.#refuseUnreachable(client, toFarkeepError(error).message);
      return;
    }
    if (client.isClosed || this.#servers.length === 0) {
      server.destroy();
      client.destroy();
      return;
    }
    const running: RunningRelay = { kind: preamble === undefined ? 'control' : 'data', client, server };
    this.#relays.add(running);
    void relay(client, server, target.header === undefined ? [received] : [target.header, received]).then(
      ({ error }) => {
        this.#relays.delete(running);
        this.#finishedFromClients += client.bytesRead;
        this.#finishedToClients += server.bytesRead;
        this.#logger.debug('Connection ended', {
          kind: running.kind,
          address,
          fromClient: client.bytesRead,
          toClient: server.bytesRead,
          reason: error?.message ?? 'ended',
        });
        this.#onRelayEnded?.();
      },
    );
  }

  #controlTarget(client: DataSocket, address: string): { host: string; port: number; header: Buffer } | undefined {
    const control = this.#options.findControl();
    if (control === undefined) return undefined;
    const header = encodeProxyHeader(
      {
        sourceAddress: address,
        sourcePort: client.remotePort,
        destinationAddress: normalizeAddress(client.localAddress),
        destinationPort: client.localPort,
        linkId: control.linkId,
        counter: control.nextCounter(),
      },
      control.proxyKey,
    );
    return { host: control.host, port: control.port, header };
  }

  #dataTarget(preamble: Preamble): { host: string; port: number; header?: undefined } | 'unknown-ticket' | undefined {
    const route = this.#options.routes.take(preamble);
    if (route === undefined) return 'unknown-ticket';
    const host = route.host ?? this.#options.findProviderAddress();
    return host === undefined ? undefined : { host, port: route.port };
  }

  #refuseBad(client: DataSocket, address: string, reason: Refusal): void {
    this.#refusals[reason] += 1;
    client.destroy();
    this.#refused.note(`${reason} ${address}`, (times) =>
      this.#logger.info('Connection refused', { address, reason, times }),
    );
    if (this.#guard.countBad(address))
      this.#logger.warn('Too many bad connections: the address is refused for a while', { address });
  }

  #refuseUnreachable(client: DataSocket, reason: string): void {
    this.#refusals.providerUnreachable += 1;
    this.#refused.note(`unreachable ${reason}`, (times) =>
      this.#logger.warn('Connection closed because the provider cannot be reached', { reason, times }),
    );
    // Closes in order, not by a reset, so that the tenant can tell an unreachable provider from an unreachable gateway.
    client.destroy();
  }
}
