// Owns the keys that prove a PROXY header, one for each gateway link, and accepting every header only once. Must not know links or sockets.
import type { Clock } from '../kernel/clock.ts';
import type { ReceivedProxyHeader } from '../wire/proxy-header.ts';
import { ReplayWindow } from './replay-window.ts';

/** A key stays valid for a short time after its link was lost: connections that the gateway opened before may still be on their way. */
const graceMs = 30_000;

interface Entry {
  readonly gatewayId: string;
  readonly key: Buffer;
  readonly window: ReplayWindow;
  /** undefined while the link is open. */
  validUntilMs: number | undefined;
}

export class ProxyKeys {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param linkId hex */
  add(linkId: string, { gatewayId, key }: { gatewayId: string; key: Buffer }): void {
    this.#entries.set(linkId, { gatewayId, key, window: new ReplayWindow(), validUntilMs: undefined });
  }

  /** Call when the link was lost. */
  retire(linkId: string): void {
    const entry = this.#entries.get(linkId);
    const now = this.#clock.now();
    if (entry !== undefined) entry.validUntilMs = now + graceMs;
    for (const [id, { validUntilMs }] of this.#entries)
      if (validUntilMs !== undefined && validUntilMs < now) this.#drop(id);
  }

  /** Removes the keys of all links of a gateway that was disabled or removed, at once. */
  forgetGateway(gatewayId: string): void {
    for (const [id, entry] of this.#entries) if (entry.gatewayId === gatewayId) this.#drop(id);
  }

  clear(): void {
    for (const id of this.#entries.keys()) this.#drop(id);
  }

  /** Returns the gateway that wrote the header; undefined for a forged, repeated or outdated header. */
  authenticate(received: ReceivedProxyHeader): { gatewayId: string } | undefined {
    const entry = this.#entries.get(received.header.linkId.toString('hex'));
    if (entry === undefined) return undefined;
    if (entry.validUntilMs !== undefined && entry.validUntilMs < this.#clock.now()) return undefined;
    // Checks the MAC first: otherwise an attacker could use up counters.
    if (!received.isAuthentic(entry.key) || !entry.window.accept(received.header.counter)) return undefined;
    return { gatewayId: entry.gatewayId };
  }

  #drop(linkId: string): void {
    this.#entries.get(linkId)?.key.fill(0);
    this.#entries.delete(linkId);
  }
}
