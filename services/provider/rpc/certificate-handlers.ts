// Owns the certificate domain of the provider service: candidates in memory, the store, putting a certificate in service, and its users.
// Must not change anything before `install`; an unfinished candidate is dropped, with its key.
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import {
  certificateSlots,
  type CertificateCandidate,
  type CertificateSettings,
  type CertificateSlot,
  type StoredCertificate,
} from '../../contracts/models/certificate.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { CertificateStore, NewCertificate } from '../../certstore/certificate-store.ts';
import { listPickableCertificates, ownStorePrefix } from '../../certstore/pickable-certificates.ts';
import { type WindowsCertificates, windowsStorePrefix } from '../../certstore/windows-certificates.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { SubjectName } from '../../pki/create/certificate-builder.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { generateSelfSigned } from '../../pki/create/generate.ts';
import { importCertificateFile, type ImportedCertificate } from '../../pki/import/import.ts';
import { splitPemCertificates } from '../../pki/certificate/pem.ts';
import { pickCertificate, systemPickRoots } from '../../pki/import/pick.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import type { CertificateInstaller } from '../certificates/certificate-installer.ts';
import type { CertificateSettingsStore } from '../certificates/certificate-settings.ts';
import { certificateUsage } from '../certificates/certificate-usage.ts';
import type { CertificateUsers } from '../certificates/certificate-users.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';
import type { RolloverPlan } from '../certificates/rollover.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';

const candidateLifeMs = 30 * 60_000;
const maxCandidates = 32;
const validYears = 10;

export interface CertificateHandlersOptions {
  readonly store: CertificateStore;
  readonly windowsCertificates?: WindowsCertificates | undefined;
  readonly identity: ProviderIdentity;
  readonly gateways: Gateways;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
  /** The subject of a generated certificate, from the license. */
  readonly subject: () => SubjectName;
  readonly settings: CertificateSettingsStore;
  readonly installer: CertificateInstaller;
  readonly users: CertificateUsers;
  readonly certificateUsageEvents: CertificateUsageEvents;
  readonly accounts: TenantAccounts;
  readonly rollover: RolloverPlan;
}

interface WantedCertificate {
  readonly candidateId?: string | undefined;
  readonly certificateId?: string | undefined;
}

interface Candidate {
  /** A certificate with its key that is not stored yet, or the identifier of a stored one. */
  readonly content: NewCertificate | { readonly storedId: string; readonly certificatePem: string };
  readonly madeAtMs: number;
}

export class CertificateHandlers {
  readonly #options: CertificateHandlersOptions;
  readonly #candidates = new Map<string, Candidate>();

  constructor(options: CertificateHandlersOptions) {
    this.#options = options;
  }

  handlers(): DomainHandlers<typeof certificateDomain> {
    const { store, windowsCertificates, settings, subject, clock, audit, installer, rollover, publish } = this.#options;
    return {
      list: async () => ({
        certificates: (await store.list()).sort((a, b) => b.installedInSlots.length - a.installedInSlots.length),
      }),
      show: async ({ slot }, { caller }) => {
        const stored = await store.installed(slot);
        if (stored === undefined) throw new FarkeepError('certificate.none');
        if (caller.kind === 'console') await this.#noteConsole(slot, caller.account, stored.summary.sha256);
        return stored;
      },
      describeGenerate: async () => ({
        subject: formatSubject(subject()),
        keyBits: await settings.keyBits(),
        validYears,
        keyProtection: await store.describeProtection(),
      }),
      generate: async ({ friendlyName, keyBits: wantedBits }, { signal }) => {
        const keyBits = wantedBits ?? (await settings.keyBits());
        const made = await generateSelfSigned({ subject: subject(), keyBits, validYears, signal, clock });
        return this.#keep({
          certificatePem: made.certificatePem,
          chainPem: '',
          privateKey: made.privateKey,
          friendlyName,
          origin: 'generated',
        });
      },
      listPickable: () => listPickableCertificates(store, { clock, windowsCertificates }),
      pick: async ({ pickId }, { signal }) => {
        if (pickId.startsWith(ownStorePrefix)) return this.#pickOwn(pickId.slice(ownStorePrefix.length));
        const found =
          windowsCertificates !== undefined && pickId.startsWith(windowsStorePrefix)
            ? await windowsCertificates.pick(pickId, { signal, clock })
            : await pickCertificate(pickId, systemPickRoots, { signal, clock });
        return this.#keepImported(found, found.friendlyName ?? found.summary.commonName, 'picked');
      },
      importFile: async ({ file, keyFile, password, friendlyName, progressId }, { signal }) => {
        const onProgress =
          progressId === undefined
            ? undefined
            : (share: number) => publish(certificateDomain, 'importProgressed', { progressId, share });
        const read = await importCertificateFile({ file, keyFile, password }, { signal, clock, onProgress });
        return this.#keepImported(read, friendlyName ?? read.friendlyName ?? read.summary.commonName, 'imported');
      },
      store: ({ candidateId }) => this.#store(candidateId),
      install: async ({ slot, ...wanted }, context) => {
        const stored = await installer.install(slot, await this.#storedId(wanted), describeCaller(context));
        // The admin at this console has seen the certificate by installing it.
        if (context.caller.kind === 'console')
          await this.#noteConsole(slot, context.caller.account, stored.summary.sha256);
        return stored;
      },
      getSettings: () => settings.show(),
      setSettings: async ({ keyBits, protection }, context) => {
        // The protection can be refused, and then nothing must change.
        if (protection !== undefined) await this.#protect(protection);
        if (keyBits !== undefined) await settings.setKeyBits(keyBits);
        const now = await settings.show();
        const { keyBits: usedBits, protection: used } = now;
        const event = notable('certificate.settings', { keyBits: usedBits, protection: used.description });
        await audit.add(describeCaller(context), `RSA ${usedBits}`, event);
        return now;
      },
      rename: async ({ certificateId, friendlyName }, context) => {
        const before = await store.get(certificateId);
        const renamed = await store.rename(certificateId, friendlyName);
        await audit.add(
          describeCaller(context),
          before.friendlyName,
          notable('certificate.rename', { name: friendlyName }),
        );
        for (const slot of renamed.installedInSlots)
          publish(certificateDomain, 'installed', { slot, certificate: renamed });
        if (rollover.isAnnounced(certificateId))
          publish(certificateDomain, 'rolloverChanged', { rollover: await rollover.show() });
        return renamed;
      },
      remove: async ({ certificateId }, context) => {
        if (rollover.isAnnounced(certificateId)) {
          throw new FarkeepError('call.conflict', 'This certificate is announced to the tenants', {
            hint: 'Cancel the planned change first.',
          });
        }
        await store.remove(certificateId);
        await audit.add(describeCaller(context), certificateId, notable('certificate.remove'));
        return {};
      },
      usage: async ({ slot, candidateId }) => {
        const candidatePem = candidateId === undefined ? undefined : this.#candidate(candidateId).certificatePem;
        const all = await certificateUsage(slot, candidatePem, {
          ...this.#options,
          nextSha256: rollover.nextSha256,
        });
        return { users: all, total: all.length };
      },
      announceRollover: async ({ switchAt, ...wanted }, context) =>
        rollover.announce(await this.#storedId(wanted), switchAt, describeCaller(context)),
      showRollover: async () => ({ rollover: await rollover.show() }),
      cancelRollover: async (_input, context) => {
        await rollover.cancel(describeCaller(context));
        return {};
      },
    };
  }

  dispose(): void {
    for (const id of [...this.#candidates.keys()]) this.#drop(id);
  }

  async #protect(kind: CertificateSettings['protection']['kind']): Promise<void> {
    const { settings, store, publish } = this.#options;
    await settings.protect(kind);
    for (const slot of certificateSlots) {
      const certificate = await store.installed(slot);
      if (certificate !== undefined) publish(certificateDomain, 'installed', { slot, certificate });
    }
  }

  #keepImported(
    read: ImportedCertificate,
    friendlyName: string,
    origin: 'picked' | 'imported',
  ): Promise<CertificateCandidate> {
    const { certificatePem, chainPem, privateKey, warnings } = read;
    // A file may have no name, or a name with line breaks; the contract needs a displayable name.
    const shownName =
      friendlyName
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, 100) || 'Certificate';
    return this.#keep({ certificatePem, chainPem, privateKey, friendlyName: shownName, origin }, warnings);
  }

  async #keep(content: NewCertificate, warnings: readonly string[] = []): Promise<CertificateCandidate> {
    const candidateId = this.#remember(content);
    const { certificatePem, chainPem, friendlyName } = content;
    return {
      candidateId,
      friendlyName,
      summary: summarize(certificatePem),
      chainLength: splitPemCertificates(chainPem).length,
      warnings: [...warnings],
      keyProtection: await this.#options.store.describeProtection(),
    };
  }

  /** Shows a certificate of Farkeep's own store as a candidate. */
  async #pickOwn(id: string): Promise<CertificateCandidate> {
    const { store } = this.#options;
    const stored = await store.get(id);
    const warning = await store.chainWarning(id);
    return {
      candidateId: this.#remember({ storedId: id, certificatePem: stored.summary.pem }),
      friendlyName: stored.friendlyName,
      summary: stored.summary,
      chainLength: stored.chainLength,
      warnings: warning === null ? [] : [warning],
      keyProtection: stored.keyProtection,
    };
  }

  #remember(content: Candidate['content']): string {
    this.#dropOld();
    for (const id of this.#candidates.keys()) {
      if (this.#candidates.size < maxCandidates) break;
      this.#drop(id);
    }
    const candidateId = newId();
    this.#candidates.set(candidateId, { content, madeAtMs: this.#options.clock.now() });
    return candidateId;
  }

  async #store(candidateId: string): Promise<StoredCertificate> {
    const content = this.#candidate(candidateId);
    const { store } = this.#options;
    const stored = 'storedId' in content ? await store.get(content.storedId) : await store.put(content);
    this.#drop(candidateId);
    return stored;
  }

  #candidate(candidateId: string): Candidate['content'] {
    this.#dropOld();
    const candidate = this.#candidates.get(candidateId);
    if (candidate !== undefined) return candidate.content;
    throw new FarkeepError('call.not-found', 'The certificate was dropped; it waited for more than 30 minutes', {
      hint: 'Generate or import the certificate again.',
    });
  }

  #dropOld(): void {
    const oldest = this.#options.clock.now() - candidateLifeMs;
    for (const [id, { madeAtMs }] of this.#candidates) {
      if (madeAtMs < oldest) this.#drop(id);
    }
  }

  #drop(candidateId: string): void {
    const content = this.#candidates.get(candidateId)?.content;
    this.#candidates.delete(candidateId);
    if (content !== undefined && 'privateKey' in content) content.privateKey.dispose();
  }

  /** Stores the candidate if one is named. @throws call.invalid when neither is named */
  async #storedId({ candidateId, certificateId }: WantedCertificate): Promise<string> {
    const id = candidateId === undefined ? certificateId : (await this.#store(candidateId)).id;
    if (id !== undefined) return id;
    throw new FarkeepError('call.invalid', 'Name the candidate or the stored certificate', { field: 'candidateId' });
  }

  async #noteConsole(slot: CertificateSlot, account: string, sha256: string): Promise<void> {
    const { users, certificateUsageEvents } = this.#options;
    if (await users.noteSeen(slot, 'console', account, sha256)) certificateUsageEvents.usageChanged(slot);
  }
}

function formatSubject({ commonName, organization, organizationalUnit }: SubjectName): string {
  return [
    `CN=${commonName}`,
    ...(organizationalUnit === undefined ? [] : [`OU=${organizationalUnit}`]),
    ...(organization === undefined ? [] : [`O=${organization}`]),
  ].join(', ');
}
