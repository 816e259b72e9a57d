// Owns the planned change of the provider identity (docs/certificates.md): announces the next certificate to tenants, keeps the plan over restarts, and
// puts it in service at its date. Must not hold a private key longer than it takes to sign.
import { z } from 'zod';
import type { EventPublisher } from '../../contracts/contract.ts';
import type { Rollover } from '../../contracts/models/certificate.ts';
import { idSchema } from '../../contracts/models/values.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { sleepUntil } from '../../kernel/schedule.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../kernel/state/database.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { announceRollover, rolloverAnnouncementSchema, type RolloverAnnouncement } from '../../pki/create/rollover.ts';
import type {
  ProviderNotification,
  ProviderNotificationName,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { CertificateInstaller } from './certificate-installer.ts';
import type { CertificateUsers } from './certificate-users.ts';
import type { ProviderIdentity } from './provider-identity.ts';

const maxAheadMs = 400 * 86_400_000;
const retryMs = 60_000;
const settingName = 'rollover';
const lastAnnouncedName = 'rollover-last-announced';

const planSchema = z.object({ certificateId: idSchema, announcement: rolloverAnnouncementSchema });
type Plan = z.infer<typeof planSchema>;

/** A logged-in tenant, as far as an announcement is concerned. */
export interface AnnouncementReceiver {
  /** Thumbprint of the certificate that its connection was shown. */
  readonly shownSha256: string;
  tell<Name extends Extract<ProviderNotificationName, `certificate.${string}`>>(
    name: Name,
    payload: ProviderNotification<Name>,
  ): void;
}

export interface RolloverPlanOptions {
  readonly database: Database;
  readonly store: CertificateStore;
  readonly identity: ProviderIdentity;
  readonly installer: CertificateInstaller;
  readonly users: CertificateUsers;
  readonly receivers: () => Iterable<AnnouncementReceiver>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
}

export class RolloverPlan {
  readonly #options: RolloverPlanOptions;
  #plan: Plan | undefined;
  #problem: string | null = null;
  #timer: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  /** Takes up what was planned before the last stop; a date that has passed in between is carried out at once. */
  constructor(options: RolloverPlanOptions) {
    this.#options = options;
    const { identity, installer, logger } = options;
    installer.onInstalled((slot, { id, summary }) => {
      if (slot !== 'provider' || this.#plan === undefined) return;
      if (id === this.#plan.certificateId) this.#close(`It is in service: ${summary.sha256}`);
      else
        this.#close(
          'Another certificate was put in service; the announcement was signed with the key of the one before',
        );
    });
    const plan = this.#load();
    if (plan === undefined) return;
    if (plan.announcement.currentSha256 !== identity.sha256) {
      logger.warn('A planned change of the certificate does not hold any more: another one is in service');
      this.#save(undefined);
      return;
    }
    this.#plan = plan;
    this.#schedule();
  }

  /** Thumbprint of the announced certificate. */
  get nextSha256(): string | undefined {
    return this.#plan?.announcement.nextSha256;
  }

  /** From when tenants are shown another certificate, milliseconds since the epoch. */
  get switchAtMs(): number | undefined {
    return this.#plan === undefined ? undefined : Date.parse(this.#plan.announcement.switchAt);
  }

  /** Whether this stored certificate must not be removed now. */
  isAnnounced(certificateId: string): boolean {
    return this.#plan?.certificateId === certificateId;
  }

  async show(): Promise<Rollover | null> {
    const plan = this.#plan;
    if (plan === undefined) return null;
    const { store, users, identity } = this.#options;
    const { announcement, certificateId } = plan;
    const tenants = users
      .list('provider', { sha256: identity.sha256, nextSha256: announcement.nextSha256 })
      .filter(({ kind }) => kind === 'tenant');
    const count = (state: string): number => tenants.filter((tenant) => tenant.state === state).length;
    return {
      next: await store.get(certificateId),
      currentSha256: announcement.currentSha256,
      announcedAt: announcement.announcedAt,
      switchAt: announcement.switchAt,
      tenants: { total: tenants.length, informed: count('informed'), failed: count('failed') },
      problem: this.#problem,
    };
  }

  /** @throws call.invalid for a date, call.conflict for the certificate in service, call.not-found, certificate.key-unreadable */
  async announce(certificateId: string, switchAt: string, who: string): Promise<Rollover> {
    const { store, identity, users, clock, audit } = this.#options;
    const now = clock.now();
    const switchAtMs = Date.parse(switchAt);
    if (switchAtMs <= now) {
      throw new FarkeepError('call.invalid', 'The date of the change is over already', {
        field: 'switchAt',
        hint: 'Choose a date to come, late enough for every tenant to connect once; or put the certificate in service now.',
      });
    }
    if (switchAtMs > now + maxAheadMs) {
      throw new FarkeepError('call.invalid', 'The date of the change is more than 400 days ahead', {
        field: 'switchAt',
      });
    }
    const next = await store.get(certificateId);
    if (next.summary.sha256 === identity.sha256) {
      throw new FarkeepError('call.conflict', `"${next.friendlyName}" is in service already`, {
        hint: 'Announce another certificate.',
      });
    }
    if (Date.parse(next.summary.notAfter) <= switchAtMs) {
      throw new FarkeepError('certificate.expired', `"${next.friendlyName}" expires before the date of the change`, {
        field: 'switchAt',
      });
    }
    // Found out now, and not at the date when nobody watches.
    await store.checkKey(certificateId);
    const announcement = announceRollover({
      currentCertificatePem: identity.stored.summary.pem,
      currentKey: await store.loadSigningKey('provider'),
      nextCertificatePem: next.summary.pem,
      switchAt: switchAtMs,
      now: this.#announcedAt(now),
    });
    this.#problem = null;
    this.#save({ certificateId, announcement });
    users.forgetAnnounced();
    audit.add(who, 'certificate.rollover-announced', announcement.nextSha256, announcement.switchAt);
    for (const receiver of this.#options.receivers()) this.#announceTo(receiver, announcement);
    this.#schedule();
    const shown = await this.show();
    if (shown === null) throw new FarkeepError('call.conflict', 'The plan was changed in the same moment');
    this.#published(shown);
    return shown;
  }

  cancel(who: string): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    this.#options.audit.add(who, 'certificate.rollover-canceled', plan.announcement.nextSha256);
    this.#close('Canceled');
    const { receivers, identity } = this.#options;
    for (const receiver of receivers()) {
      if (receiver.shownSha256 === identity.sha256) receiver.tell('certificate.withdrawn', {});
    }
  }

  /** What a tenant is told that asks over a connection which was shown this certificate. */
  answerFor(shownSha256: string): TenantRequestOutput<'certificate.status'> {
    if (shownSha256 !== this.#options.identity.sha256) return { kind: 'outdated', announcement: null };
    const announcement = this.#plan?.announcement;
    return announcement === undefined ? { kind: 'none', announcement: null } : { kind: 'announced', announcement };
  }

  /** A tenant's report changed the counts. */
  async publishCounts(): Promise<void> {
    const shown = await this.show();
    if (shown !== null) this.#published(shown);
  }

  async stop(): Promise<void> {
    this.#timer?.abort();
    await this.#running;
  }

  #announceTo(receiver: AnnouncementReceiver, announcement: RolloverAnnouncement): void {
    // A connection from before the last change pins the certificate before: to it the signature would look forged.
    if (receiver.shownSha256 !== announcement.currentSha256) return;
    receiver.tell('certificate.announced', announcement);
  }

  /** Tenants take only an announcement that is newer than every one before, also when the clock was put back in between. */
  #announcedAt(now: number): number {
    const { database } = this.#options;
    const last = database.get('SELECT value FROM settings WHERE name = ?', lastAnnouncedName)?.['value'];
    const announcedAt = last instanceof Uint8Array ? Math.max(now, Number(Buffer.from(last).toString()) + 1) : now;
    database.run(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      lastAnnouncedName,
      Buffer.from(String(announcedAt)),
    );
    return announcedAt;
  }

  #schedule(): void {
    this.#timer?.abort();
    const timer = new AbortController();
    this.#timer = timer;
    const before = this.#running;
    this.#running = before.then(() => this.#wait(timer.signal));
  }

  /** Ends when the plan is carried out or dropped. Never rejects. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      for (;;) {
        const plan = this.#plan;
        if (plan === undefined || signal.aborted) return;
        await sleepUntil(Date.parse(plan.announcement.switchAt), clock, signal);
        if (!(await this.#switch(plan))) await clock.sleep(retryMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) logger.error('The timer of the planned change has failed', { error });
    }
  }

  /** @returns false when it has to be tried again */
  async #switch(plan: Plan): Promise<boolean> {
    const { installer, logger } = this.#options;
    try {
      await installer.install('provider', plan.certificateId, 'planned change');
      logger.info('The announced certificate is in service', { sha256: plan.announcement.nextSha256 });
      return true;
    } catch (error) {
      const problem = toFarkeepError(error).message;
      if (problem !== this.#problem) {
        logger.error('The announced certificate could not be put in service at its date; it is tried again', {
          problem,
        });
        this.#problem = problem;
        await this.publishCounts();
      }
      return false;
    }
  }

  #close(reason: string): void {
    this.#options.logger.info('The planned change of the certificate is over', { reason });
    this.#problem = null;
    this.#save(undefined);
    this.#timer?.abort();
    this.#published(null);
  }

  #published(rollover: Rollover | null): void {
    const { publish } = this.#options;
    publish(certificateDomain, 'rolloverChanged', { rollover });
    publish(certificateDomain, 'usageChanged', { slot: 'provider' });
  }

  #save(plan: Plan | undefined): void {
    const { database } = this.#options;
    this.#plan = plan;
    if (plan === undefined) {
      database.run('DELETE FROM settings WHERE name = ?', settingName);
      return;
    }
    database.run(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      settingName,
      Buffer.from(JSON.stringify(plan), 'utf8'),
    );
  }

  #load(): Plan | undefined {
    const value = this.#options.database.get('SELECT value FROM settings WHERE name = ?', settingName)?.['value'];
    if (!(value instanceof Uint8Array)) return undefined;
    try {
      return planSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
    } catch (error) {
      this.#options.logger.error('The planned change of the certificate cannot be read and was dropped', { error });
      this.#save(undefined);
      return undefined;
    }
  }
}
