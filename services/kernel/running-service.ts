// Owns the shape in which a role's service is handed to the process that hosts it. Knows no role, no carrier, no process.
import type { DomainHandlers, EventPublisher } from '../contracts/contract.ts';
import type { domains, DomainKey } from '../contracts/rpc/domains.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Secret } from './secret.ts';

export interface ServiceHealth {
  readonly health: 'running' | 'degraded';
  /** Why it is degraded, for people; null while it runs well. */
  readonly reason: string | null;
}

/** Handlers by key of `domains`; the host serves `service` itself. */
export type ServedDomains = { readonly [Key in DomainKey]?: DomainHandlers<(typeof domains)[Key]> };

/** A key that the operating system's own keychain keeps for this instance; never made of anything else. */
export interface KeychainKey {
  /** Name of the keychain as people know it, "KWallet", "macOS Keychain". */
  readonly keychain: string;
  /** 32 bytes. Whoever made it disposes it; whoever wants to keep it makes a copy. */
  readonly key: Secret;
}

export interface ServiceOptions<Config> {
  /** The role's own folder; exists and is locked by the host. */
  readonly home: string;
  /** Already parsed by the role's config schema. */
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly publish: EventPublisher;
  /** Only when the process's parent has a real keychain and hands the key in. Disposed after the start. */
  readonly keychainKey?: KeychainKey | undefined;
}

export interface RunningService {
  readonly domains: ServedDomains;
  /** "host:port" by purpose, such as gateway, control, infrastructure. */
  readonly listeners: Readonly<Record<string, string>>;
  health(): ServiceHealth;
  /** Returns the function that ends the subscription. */
  onHealthChanged(listener: (health: ServiceHealth) => void): () => void;
  /** Sessions that would be interrupted by a stop. */
  activeSessions(): number;
  /** Refuses new work, ends what runs in an orderly way within `deadlineMs`, then by force. Safe to call twice. */
  stop(deadlineMs: number): Promise<void>;
}
