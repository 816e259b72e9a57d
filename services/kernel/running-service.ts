// Owns the interface between a role's service and the process that hosts the service, and how a service opens and closes its parts. Knows
// no role, no carrier, no process.
import type { DomainHandlers, EventPublisher } from '../contracts/contract.ts';
import type { domains, DomainKey } from '../contracts/rpc/domains.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Secret } from './secret.ts';

export interface ServiceHealth {
  readonly health: 'running' | 'degraded';
  /** Why the service is degraded, for people; null while it runs well. */
  readonly reason: string | null;
}

/** Handlers by key of `domains`; the host serves `service` itself. */
export type ServedDomains = { readonly [Key in DomainKey]?: DomainHandlers<(typeof domains)[Key]> };

/** A key from the operating system's keychain for this instance; never from another source. */
export interface KeychainKey {
  /** Name of the keychain for people: "KWallet", "macOS Keychain". */
  readonly keychain: string;
  /** 32 bytes. The creator disposes it; a receiver that needs it longer makes a copy. */
  readonly key: Secret;
}

export interface ServiceOptions<Config> {
  /** The role's own folder; the host has created and locked it. */
  readonly home: string;
  /** Already parsed by the role's config schema. */
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly publish: EventPublisher;
  /** Present only when the parent process has a real keychain and passes the key. Disposed after the start. */
  readonly keychainKey?: KeychainKey | undefined;
}

export interface RunningService {
  readonly domains: ServedDomains;
  /** "host:port" by purpose, such as gateway, control, infrastructure. */
  readonly listeners: Readonly<Record<string, string>>;
  health(): ServiceHealth;
  /** Returns the function that ends the subscription. */
  onHealthChanged(listener: (health: ServiceHealth) => void): () => void;
  /** Number of sessions that a stop would interrupt. */
  activeSessions(): number;
  /** Refuses new work, ends running work in order within `deadlineMs`, then by force. Safe to call twice. */
  stop(deadlineMs: number): Promise<void>;
}

/** The parts that a service has opened. They are closed in the reverse order, one after the other, also when one part fails. */
export class ServiceParts extends AsyncDisposableStack {
  /** How long parts may take for an end in order, in ms. After a failed start there is nothing to wait for. */
  deadlineMs = 0;
}

/**
 * Opens a service part by part. The same list of parts is closed after a failed start and at a stop.
 * @throws what `open` throws, when all that was opened before is closed
 */
export async function openParts<Opened extends object>(
  logger: Logger,
  open: (parts: ServiceParts) => Promise<Opened>,
): Promise<Opened & Pick<RunningService, 'stop'>> {
  const parts = new ServiceParts();
  let opened: Opened;
  try {
    opened = await open(parts);
  } catch (error) {
    await parts.disposeAsync().catch((cause: unknown) => logger.error('Undoing a failed start failed', { cause }));
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const stop = (deadlineMs: number): Promise<void> => {
    parts.deadlineMs = deadlineMs;
    return (stopped ??= parts.disposeAsync());
  };
  return { ...opened, stop };
}
