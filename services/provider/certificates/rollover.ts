// Owns the planned change of the provider identity (docs/certificates.md): announces the next certificate to tenants, keeps the plan over
// restarts, and puts the certificate in service at its date. Must not hold a private key longer than one signature needs.
import { z } from 'zod';
import type { EventPublisher } from '../../contracts/contract.ts';
import type { Rollover } from '../../contracts/models/certificate.ts';
import { idSchema } from '../../contracts/models/values.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import { sleepUntil } from '../../kernel/schedule.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { announceRollover, rolloverAnnouncementSchema, type RolloverAnnouncement } from '../../pki/create/rollover.ts';
import type {
  ProviderNotification,
  ProviderNotificationName,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { SettingsStore } from '../state/settings-store.ts';
import type { CertificateInstaller } from './certificate-installer.ts';
import type { CertificateUsers } from './certificate-users.ts';
import type { ProviderIdentity } from './provider-identity.ts';

const maxAheadMs = 400 * 86_400_000;
const retryMs = 60_000;
const settingName = 'rollover';
const lastAnnouncedName = 'rollover-last-announced';

const planSchema = z.object({ certificateId: idSchema, announcement: rolloverAnnouncementSchema });
type Plan = z.infer<typeof planSchema>;

/** What an announcement needs to know of a logged-in tenant. */
export interface AnnouncementReceiver {
  /** Thumbprint of the certificate that this connection has shown. */
  readonly shownSha256: string;
  tell<Name extends Extract<ProviderNotificationName, `certificate.${string}`>>(
    name: Name,
    payload: ProviderNotification<Name>,
  ): void;
}

export interface RolloverPlanOptions {
  readonly settings: SettingsStore;
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

  private constructor(options: RolloverPlanOptions) {
    this.#options = options;
    options.installer.onInstalled(async (slot, { id, summary }) => {
      if (slot !== 'provider' || this.#plan === undefined) return;
      await this.#close(
        id === this.#plan.certificateId
          ? `It is in service: ${summary.sha256}`
          : 'Another certificate was put in service; the announcement was signed with the key of the one before',
      );
    });
  }

  /** Reads the plan that was stored before the last stop. */
  static async open(options: RolloverPlanOptions): Promise<RolloverPlan> {
    const rollover = new RolloverPlan(options);
    const plan = await rollover.#load();
    if (plan === undefined) return rollover;
    if (plan.announcement.currentSha256 === options.identity.sha256) {
      rollover.#plan = plan;
    } else {
      options.logger.warn('A planned change of the certificate was dropped: another certificate is in service');
      await rollover.#save(undefined);
    }
    return rollover;
  }

  /** Starts to wait for the date of the plan. If the date has passed, the plan is carried out at once. */
  start(): void {
    if (this.#plan !== undefined) this.#schedule();
  }

  /** Thumbprint of the announced certificate. */
  get nextSha256(): string | undefined {
    return this.#plan?.announcement.nextSha256;
  }

  /** The moment from which tenants see the announced certificate, in milliseconds since the epoch. */
  get switchAtMs(): number | undefined {
    return this.#plan === undefined ? undefined : Date.parse(this.#plan.announcement.switchAt);
  }

  /** Whether this stored certificate must not be removed, because it is announced. */
  isAnnounced(certificateId: string): boolean {
    return this.#plan?.certificateId === certificateId;
  }

  async show(): Promise<Rollover | null> {
    const plan = this.#plan;
    if (plan === undefined) return null;
    const { store, users, identity } = this.#options;
    const { announcement, certificateId } = plan;
    const all = await users.list('provider', { sha256: identity.sha256, nextSha256: announcement.nextSha256 });
    const tenants = all.filter(({ kind }) => kind === 'tenant');
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
      throw new FarkeepError('call.invalid', 'The date of the change has passed', {
        field: 'switchAt',
        hint: 'Choose a future date, late enough for every tenant to connect once; or put the certificate in service now.',
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
    // Checked now, not at the date, when no admin may be present.
    await store.checkKey(certificateId);
    const announcement = announceRollover({
      currentCertificatePem: identity.stored.summary.pem,
      currentKey: await store.loadSigningKey('provider'),
      nextCertificatePem: next.summary.pem,
      switchAt: switchAtMs,
      // Tenants accept only an announcement that is newer than all earlier announcements. So the time of an announcement must grow even
      // after the clock was set back.
      now: await this.#options.settings.advance(lastAnnouncedName, now),
    });
    this.#problem = null;
    await this.#save({ certificateId, announcement });
    await users.forgetAnnounced();
    await audit.add(
      who,
      announcement.nextSha256,
      notable('certificate.rollover-announced', { switchAt: announcement.switchAt }),
    );
    for (const receiver of this.#options.receivers()) this.#announceTo(receiver, announcement);
    this.#schedule();
    const shown = await this.show();
    if (shown === null) throw new FarkeepError('call.conflict', 'The plan was changed at the same moment');
    this.#published(shown);
    return shown;
  }

  async cancel(who: string): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    await this.#options.audit.add(who, plan.announcement.nextSha256, notable('certificate.rollover-canceled'));
    await this.#close('Canceled');
    const { receivers, identity } = this.#options;
    for (const receiver of receivers()) {
      if (receiver.shownSha256 === identity.sha256) receiver.tell('certificate.withdrawn', {});
    }
  }

  /** The answer to a tenant whose connection has shown this certificate. */
  answerFor(shownSha256: string): TenantRequestOutput<'certificate.status'> {
    if (shownSha256 !== this.#options.identity.sha256) return { kind: 'outdated', announcement: null };
    const announcement = this.#plan?.announcement;
    return announcement === undefined ? { kind: 'none', announcement: null } : { kind: 'announced', announcement };
  }

  /** Called when a tenant's report has changed the counts. */
  async publishCounts(): Promise<void> {
    const plan = this.#plan;
    const shown = await this.show();
    if (shown !== null && this.#plan === plan) this.#published(shown);
  }

  async stop(): Promise<void> {
    this.#timer?.abort();
    await this.#running;
  }

  #announceTo(receiver: AnnouncementReceiver, announcement: RolloverAnnouncement): void {
    // A connection from before the last change knows only the previous certificate, so the signature would look forged.
    if (receiver.shownSha256 !== announcement.currentSha256) return;
    receiver.tell('certificate.announced', announcement);
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

  /** @returns false when a retry is needed */
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

  async #close(reason: string): Promise<void> {
    this.#options.logger.info('The planned change of the certificate is over', { reason });
    this.#problem = null;
    await this.#save(undefined);
    this.#timer?.abort();
    this.#published(null);
  }

  #published(rollover: Rollover | null): void {
    const { publish } = this.#options;
    publish(certificateDomain, 'rolloverChanged', { rollover });
    publish(certificateDomain, 'usageChanged', { slot: 'provider' });
  }

  async #save(plan: Plan | undefined): Promise<void> {
    const { settings } = this.#options;
    this.#plan = plan;
    if (plan === undefined) await settings.remove(settingName);
    else await settings.set(settingName, Buffer.from(JSON.stringify(plan), 'utf8'));
  }

  async #load(): Promise<Plan | undefined> {
    const value = await this.#options.settings.find(settingName);
    if (value === undefined) return undefined;
    try {
      return planSchema.parse(JSON.parse(value.toString('utf8')));
    } catch (error) {
      this.#options.logger.error('The planned change of the certificate cannot be read and was dropped', { error });
      await this.#save(undefined);
      return undefined;
    }
  }
}
