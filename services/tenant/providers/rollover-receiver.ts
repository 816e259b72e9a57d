// Owns the tenant's part of a planned rollover (docs/certificates.md): asks at each login, verifies with the key of the accepted
// certificate, stores the pin `next`, writes the journal, reports the result. A forged announcement changes nothing and causes a security
// warning.
import { createHash } from 'node:crypto';
import type { EventPublisher } from '../../contracts/contract.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { describeNotable, notable, notableText, type NotableEvent } from '../../contracts/notable-events.ts';
import type { PinStore } from '../../certstore/pin-store.ts';
import type { TrustJournal } from '../../certstore/trust-journal.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { verifyRollover } from '../../pki/create/rollover.ts';
import { thumbprintOf } from '../../pki/certificate/thumbprint.ts';
import { askProvider, type AnyProviderNotification } from '../../wire/control-calls.ts';
import type { TenantRequestInput, WireRolloverAnnouncement } from '../../wire/control-messages.ts';
import type { ProviderLink } from './provider-link.ts';
import { announcementToleranceMs } from '../trust/trust-prompts.ts';

const askTimeoutMs = 15_000;
/**
 * Limit of refused announcements in the journal, for each provider and run of the service. Without this limit, an attacker with new
 * forgeries could fill the disk with journal entries.
 */
const maxRefusalsKept = 20;
const thumbprintPattern = /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/;

type Status = TenantRequestInput<'certificate.status'>;

/** Receives events for the log of a session that uses the connection. */
export interface NewsWatcher {
  news?(level: 'info' | 'security', event: NotableEvent): void;
}

export interface CertificateNewsOptions {
  readonly pins: PinStore;
  readonly journal: TrustJournal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
}

export class RolloverReceiver {
  readonly #options: CertificateNewsOptions;
  /** Announcements refused since the start. Repeated refusals of the same announcement get only one journal entry. */
  readonly #refused = new Map<string, { readonly report: Status['refused']; readonly event: NotableEvent }>();

  readonly #refusalsOf = new Map<string, number>();

  constructor(options: CertificateNewsOptions) {
    this.#options = options;
  }

  /**
   * Called after a login. The connection stays usable with any result: its certificate was accepted before.
   * @throws call.canceled
   */
  async ask(link: ProviderLink, identity: string, signal: AbortSignal, watcher: NewsWatcher = {}): Promise<void> {
    if (!link.hello.features.some(({ name }) => name === 'rollover')) return;
    try {
      const { kind, announcement } = await this.#tell(link, identity, null, signal);
      if (kind === 'outdated') return;
      if (announcement === null) {
        if (this.#forget(link, identity)) await this.#tell(link, identity, null, signal);
        return;
      }
      const before = this.#nextOf(identity);
      const refused = this.#take(link, identity, announcement, watcher);
      if (refused !== null || this.#nextOf(identity) !== before) await this.#tell(link, identity, refused, signal);
    } catch (error) {
      const failure = toFarkeepError(error, 'connection.lost');
      if (failure.code === 'call.canceled') throw failure;
      this.#options.logger.info('The provider was not asked for its next certificate', { reason: failure.message });
    }
  }

  /** Handles an announcement on an open connection. */
  async receive(
    link: ProviderLink,
    identity: string,
    notification: Extract<AnyProviderNotification, { name: `certificate.${string}` }>,
    watcher: NewsWatcher = {},
  ): Promise<void> {
    try {
      if (notification.name === 'certificate.withdrawn') this.#forget(link, identity);
      const refused =
        notification.name === 'certificate.announced'
          ? this.#take(link, identity, notification.payload, watcher)
          : null;
      await this.#tell(link, identity, refused);
    } catch (error) {
      this.#options.logger.info('The result about the next certificate was not reported to the provider', {
        reason: toFarkeepError(error, 'connection.lost').message,
      });
    }
  }

  #tell(
    link: ProviderLink,
    identity: string,
    refused: Status['refused'],
    signal?: AbortSignal,
  ): ReturnType<typeof askProvider<'certificate.status'>> {
    const status = {
      acceptedBy: this.#acceptedBy(link, identity),
      nextSha256: this.#nextOf(identity) ?? null,
      refused,
    };
    return askProvider(link.channel.peer, 'certificate.status', status, {
      timeoutMs: askTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** @returns the report about a refused announcement */
  #take(
    link: ProviderLink,
    identity: string,
    announcement: WireRolloverAnnouncement,
    watcher: NewsWatcher,
  ): Status['refused'] {
    const { pins, journal, clock, logger, publish } = this.#options;
    const address = `${link.gateway.host}:${link.gateway.port}`;
    const digest = createHash('sha256').update(JSON.stringify(announcement)).digest('hex');
    const earlier = this.#refused.get(`${identity} ${digest}`);
    if (earlier !== undefined) {
      watcher.news?.('security', earlier.event);
      return earlier.report;
    }
    try {
      // The certificate of this connection was accepted before the login. If the provider is pinned, this is the pinned certificate.
      const { nextCertificateDer, switchAt, announcedAt } = verifyRollover(
        announcement,
        link.presented.leafDer,
        clock.now(),
      );
      const sha256 = thumbprintOf(nextCertificateDer);
      if (pins.isAnnounced(identity, nextCertificateDer, announcedAt)) return null;
      pins.announce(identity, nextCertificateDer, { usableFrom: switchAt - announcementToleranceMs, announcedAt });
      const date = new Date(switchAt).toISOString();
      const stored = notable('announcement.stored', { switchAt: date });
      const message = describeNotable(stored);
      journal.append({
        who: 'tenant service',
        action: 'announced',
        identity,
        address,
        sha256,
        note: notableText('announcement.verified', { switchAt: date }),
      });
      logger.info(message, { identity, sha256 });
      publish(trustDomain, 'announcement', { identity, outcome: 'stored', sha256, switchAt: date, message });
      publish(trustDomain, 'pinsChanged', {});
      watcher.news?.('info', stored);
      return null;
    } catch (error) {
      if (!(error instanceof FarkeepError)) throw error;
      // A person accepted the certificate before its date, so there is nothing to store.
      if (error.code === 'call.conflict') return null;
      const event = notable('announcement.refused', { reason: error.message });
      const message = describeNotable(event);
      // The journal must contain no text from an unverified announcement.
      const sha256 = thumbprintPattern.test(announcement.nextSha256) ? announcement.nextSha256 : '';
      const count = (this.#refusalsOf.get(identity) ?? 0) + 1;
      this.#refusalsOf.set(identity, count);
      if (count > maxRefusalsKept) return null;
      journal.append({
        who: 'tenant service',
        action: 'refused',
        identity,
        address,
        sha256,
        note: message.slice(0, 500),
      });
      logger.warn('Security warning: an announcement of the next certificate was refused', {
        identity,
        reason: message,
      });
      publish(trustDomain, 'announcement', { identity, outcome: 'refused', sha256, switchAt: null, message });
      watcher.news?.('security', event);
      const reason = message.replace(/\p{Cc}/gu, ' ').slice(0, 300);
      const report = sha256 === '' ? null : { nextSha256: sha256, reason };
      this.#refused.set(`${identity} ${digest}`, { report, event });
      return report;
    }
  }

  /** Removing a pin only reduces trust, so no signature is needed. @returns whether there was a pin to remove */
  #forget({ gateway, presented }: ProviderLink, identity: string): boolean {
    const { pins, journal, publish } = this.#options;
    const next = pins.withdrawNext(identity);
    if (next === undefined) return false;
    const { sha256 } = next.certificate;
    journal.append({
      who: 'tenant service',
      action: 'withdrawn',
      identity,
      address: `${gateway.host}:${gateway.port}`,
      sha256,
      note: notableText('announcement.forgotten', { usedSha256: summarize(presented.leafDer).sha256 }),
    });
    const message = notableText('announcement.withdrawn');
    publish(trustDomain, 'announcement', { identity, outcome: 'withdrawn', sha256, switchAt: null, message });
    publish(trustDomain, 'pinsChanged', {});
    return true;
  }

  #nextOf(identity: string): string | undefined {
    return this.#options.pins.list(identity).find(({ state }) => state === 'next')?.certificate.sha256;
  }

  #acceptedBy({ decision }: ProviderLink, identity: string): Status['acceptedBy'] {
    return decision.decision === 'trusted' ? 'chain' : this.#options.pins.originOf(identity);
  }
}
