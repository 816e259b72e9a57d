// Owns the keys that prove a PROXY header, one for each gateway link, and taking every header once. Must not know links or sockets.
import type { Clock } from '../kernel/clock.ts';
import type { ReceivedProxyHeader } from '../wire/proxy-header.ts';
import { ReplayWindow } from './replay-window.ts';

/** A key outlives its link for a moment: connections that the gateway announced before the link dropped are still on their way. */
const graceMs = 30_000;

interface Entry {
  readonly gatewayId: string;
  readonly key: Buffer;
  readonly window: ReplayWindow;
  /** Undefined while the link is up. */
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

  /** The link is down. */
  retire(linkId: string): void {
    const entry = this.#entries.get(linkId);
    const now = this.#clock.now();
    if (entry !== undefined) entry.validUntilMs = now + graceMs;
    for (const [id, { validUntilMs }] of this.#entries)
      if (validUntilMs !== undefined && validUntilMs < now) this.#drop(id);
  }

  /** At once and for all links of a gateway that was disabled or removed. */
  forgetGateway(gatewayId: string): void {
    for (const [id, entry] of this.#entries) if (entry.gatewayId === gatewayId) this.#drop(id);
  }

  clear(): void {
    for (const id of this.#entries.keys()) this.#drop(id);
  }

  /** Which gateway wrote the header; undefined for a forged, repeated or outdated one. */
  authenticate(received: ReceivedProxyHeader): { gatewayId: string } | undefined {
    const entry = this.#entries.get(received.header.linkId.toString('hex'));
    if (entry === undefined) return undefined;
    if (entry.validUntilMs !== undefined && entry.validUntilMs < this.#clock.now()) return undefined;
    // The MAC first: an attacker must not be able to use up counters.
    if (!received.isAuthentic(entry.key) || !entry.window.accept(received.header.counter)) return undefined;
    return { gatewayId: entry.gatewayId };
  }

  #drop(linkId: string): void {
    this.#entries.get(linkId)?.key.fill(0);
    this.#entries.delete(linkId);
  }
}
