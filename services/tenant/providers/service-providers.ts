// Owns the tenant's service providers: address, account, offers, result of the last contact.
// Must not open a connection. The password leaves the vault only through `credentials`.
import type { ErrorCode } from '../../contracts/errors.ts';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import type { EventPublisher } from '../../contracts/contract.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { describeLeftOut, leftOutOf } from '../../contracts/row-list.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isSameHost } from '../../kernel/host-name.ts';
import { newId } from '../../kernel/identifier.ts';
import { readCertificate, summarize } from '../../pki/certificate/certificate-summary.ts';
import { gatewayNameMatch } from '../../pki/trust/trust.ts';
import type { TenantRequestOutput } from '../../wire/control-messages.ts';
import type {
  AccountColumns,
  ContactColumns,
  OfferedRepository,
  ProviderStore,
  StoredProvider,
  UsableGateway,
} from '../state/provider-store.ts';
import type { SecretVault } from '../state/secret-vault.ts';

type OfferedGateways = TenantRequestOutput<'gateways.list'>['gateways'];

export interface ContactResult {
  readonly certificatePem: string;
  readonly trust: ServiceProvider['trust'];
  readonly repositories: readonly OfferedRepository[];
  readonly gateways: OfferedGateways;
}

interface ServiceProvidersOptions {
  readonly store: ProviderStore;
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly publish: EventPublisher;
}

const maxProblemLength = 2000;

/**
 * All providers are in memory, because each trust decision asks for them. Only this process writes them: a change goes to the store and to
 * memory.
 */
export class ServiceProviders {
  readonly #store: ProviderStore;
  readonly #vault: SecretVault;
  readonly #clock: Clock;
  readonly #publish: EventPublisher;
  /** Sorted by name. */
  #providers: readonly ServiceProvider[];

  private constructor(
    { store, vault, clock, publish }: ServiceProvidersOptions,
    providers: readonly ServiceProvider[],
  ) {
    this.#store = store;
    this.#vault = vault;
    this.#clock = clock;
    this.#publish = publish;
    this.#providers = providers;
  }

  static async open(options: ServiceProvidersOptions): Promise<ServiceProviders> {
    return new ServiceProviders(options, (await options.store.list()).map(shown));
  }

  list(): ServiceProvider[] {
    return [...this.#providers];
  }

  get(providerId: string): ServiceProvider {
    const provider = this.#providers.find(({ id }) => id === providerId);
    if (provider === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such service provider', { field: 'providerId' });
    }
    return provider;
  }

  /** The provider at this address in any spelling; undefined when this tenant knows none. */
  findByAddress(host: string, port: number): ServiceProvider | undefined {
    return this.#providers.find((provider) =>
      addressesOf(provider).some((address) => address.port === port && isSameHost(address.host, host)),
    );
  }

  /** Whether a provider with this name, or with an address at this host, was added. */
  isKnown(nameOrHost: string): boolean {
    return this.#providers.some(
      (provider) =>
        provider.name.toLowerCase() === nameOrHost.toLowerCase() ||
        addressesOf(provider).some(({ host }) => isSameHost(host, nameOrHost)),
    );
  }

  /** @param exceptId the provider that may have the name @throws call.conflict */
  refuseTakenName(name: string, exceptId?: string): void {
    const holder = this.#providers.find((provider) => provider.name.toLowerCase() === name.toLowerCase());
    if (holder !== undefined && holder.id !== exceptId) throw nameTaken(name);
  }

  async credentials(providerId: string): Promise<{ userName: string; password: string }> {
    const { userName } = this.get(providerId);
    const sealed = await this.#store.sealedPassword(providerId);
    if (sealed === undefined) throw new FarkeepError('call.not-found', 'There is no such service provider');
    return { userName, password: this.#vault.open(sealed, purpose(providerId)) };
  }

  /** @throws call.conflict for a taken name */
  async add(
    input: { name: string; host: string; port: number; userName: string; password: string },
    contact: ContactResult,
  ): Promise<ServiceProvider> {
    const { name, host, port, userName, password } = input;
    this.refuseTakenName(name);
    const id = newId();
    const row = { id, name, host, port, userName, addedAt: this.#now(), ...this.#columnsOf(contact) };
    if (!(await this.#store.add(row, this.#vault.seal(password, purpose(id))))) throw nameTaken(name);
    this.#providers = [...this.#providers, shown(row)].sort(byName);
    return this.#published(id);
  }

  /**
   * Replaces the account in one write. Without a password, the saved one stays. Without a contact, the offers of the last one stay.
   * @throws call.conflict for a taken name, and for a new name while a session is unfinished
   */
  async replace(
    providerId: string,
    { password, ...account }: AccountColumns & { readonly password?: string | undefined },
    contact?: ContactResult,
  ): Promise<ServiceProvider> {
    const { name } = this.get(providerId);
    const sealedPassword = password === undefined ? undefined : this.#vault.seal(password, purpose(providerId));
    const columns = contact === undefined ? undefined : this.#columnsOf(contact);
    const outcome = await this.#store.change(providerId, account, { sealedPassword, contact: columns });
    if (outcome === 'name-taken') throw nameTaken(account.name);
    if (outcome === 'has-session') {
      throw new FarkeepError('call.conflict', `A session with "${name}" is running, so it cannot be renamed now`, {
        field: 'name',
        hint: 'Wait until the session has ended, or stop it.',
      });
    }
    const changed = this.#change(providerId, {
      ...account,
      ...(columns === undefined ? {} : shownContact(columns)),
    });
    this.#providers = this.#providers.toSorted(byName);
    return changed;
  }

  async noteContact(providerId: string, contact: ContactResult): Promise<ServiceProvider> {
    const columns = this.#columnsOf(contact);
    await this.#store.noteContact(providerId, columns);
    return this.#change(providerId, shownContact(columns));
  }

  async noteRepositories(providerId: string, repositories: ContactResult['repositories']): Promise<void> {
    await this.#store.noteRepositories(providerId, repositories);
    this.#change(providerId, { repositories: [...repositories] });
  }

  async noteProblem(providerId: string, { code, message }: { code: ErrorCode; message: string }): Promise<void> {
    const text = message.slice(0, maxProblemLength);
    await this.#store.noteProblem(providerId, text, code);
    this.#change(providerId, { problem: text, problemCode: code });
  }

  /** @throws call.conflict while a job or a running session uses the provider */
  async remove(providerId: string): Promise<void> {
    const { name } = this.get(providerId);
    const outcome = await this.#store.removeUnused(providerId);
    if (outcome.kind === 'has-job') {
      throw new FarkeepError('call.conflict', `The job "${outcome.jobName}" uses "${name}"`, {
        hint: 'Remove the jobs of this provider first.',
      });
    }
    if (outcome.kind === 'has-session') {
      throw new FarkeepError('call.conflict', `A session with "${name}" is running`, {
        hint: 'Wait until the session has ended, or stop it.',
      });
    }
    this.#providers = this.#providers.filter(({ id }) => id !== providerId);
    this.#publish(serviceProvidersDomain, 'removed', { providerId });
  }

  #columnsOf(contact: ContactResult): ContactColumns {
    return {
      certificatePem: contact.certificatePem,
      trust: contact.trust,
      // A copy without the list of left-out rows: `problem` already reports them.
      repositories: [...contact.repositories],
      gateways: judgeGateways(contact),
      lastContactAt: this.#now(),
      problem: notUsedOf(contact),
      problemCode: null,
    };
  }

  #change(providerId: string, changes: Partial<ServiceProvider>): ServiceProvider {
    this.#providers = this.#providers.map((row) => (row.id === providerId ? { ...row, ...changes } : row));
    return this.#published(providerId);
  }

  #published(providerId: string): ServiceProvider {
    const provider = this.get(providerId);
    this.#publish(serviceProvidersDomain, 'changed', provider);
    return provider;
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

function nameTaken(name: string): FarkeepError {
  return new FarkeepError('call.conflict', `A service provider named "${name}" exists already`, { field: 'name' });
}

function byName(left: ServiceProvider, right: ServiceProvider): number {
  return left.name.toLowerCase() < right.name.toLowerCase() ? -1 : 1;
}

/** Each address of each gateway, in the provider's order, with the reason if it cannot be used. */
export function judgeGateways(contact: ContactResult): UsableGateway[] {
  const certificate = readCertificate(contact.certificatePem);
  return contact.gateways.flatMap(({ name, addresses, isConnected }) =>
    addresses.map(({ host, port }) => {
      const isCovered = gatewayNameMatch(certificate, host, contact.trust === 'pinned') !== 'not-covered';
      const reason = isCovered
        ? isConnected
          ? null
          : 'The gateway has no link to the provider right now'
        : `The certificate does not cover "${host}"; the provider has to install one that does, or give the gateway a covered name`;
      return { name, host, port, isUsable: isCovered, reason };
    }),
  );
}

function addressesOf({ host, port, gateways }: ServiceProvider): { readonly host: string; readonly port: number }[] {
  return [{ host, port }, ...gateways];
}

/** Descriptions (for people) of the rows that were left out of the answer. */
function notUsedOf({ repositories, gateways }: ContactResult): string | null {
  const lists = [
    ['Its list of repositories', leftOutOf(repositories)],
    ['Its list of gateways', leftOutOf(gateways)],
  ] as const;
  const texts = lists.flatMap(([list, leftOut]) => (leftOut === undefined ? [] : [describeLeftOut(list, leftOut)]));
  return texts.length === 0 ? null : texts.join('; ');
}

function purpose(providerId: string): string {
  return `password of provider ${providerId}`;
}

function shown({ certificatePem, ...row }: StoredProvider): ServiceProvider {
  return { ...row, certificate: readSummary(certificatePem) };
}

function shownContact({ certificatePem, ...others }: ContactColumns): Partial<ServiceProvider> {
  return { ...others, certificate: readSummary(certificatePem) };
}

function readSummary(pem: string): CertificateSummary {
  try {
    return summarize(pem);
  } catch {
    return unreadableCertificate;
  }
}

const unreadableCertificate: CertificateSummary = {
  subject: 'cannot be read',
  issuer: '',
  commonName: '',
  isSelfSigned: false,
  notBefore: new Date(0).toISOString(),
  notAfter: new Date(0).toISOString(),
  serialNumber: '',
  dnsNames: [],
  ipAddresses: [],
  keyType: '',
  signatureAlgorithm: '',
  sha256: '',
  sha1: '',
  sha256Words: [],
  isAuthority: false,
  hasServerAuth: false,
  pem: '',
};
