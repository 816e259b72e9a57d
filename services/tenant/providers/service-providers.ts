// Owns the service providers that this tenant knows: address, account, what they offered, how the last contact went.
// Opens no connection; the password leaves the vault only through `credentials`.
import type { z } from 'zod';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import type { EventPublisher } from '../../contracts/contract.ts';
import { offeredRepositorySchema, usableGatewaySchema, type ServiceProvider } from '../../contracts/models/tenant.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { describeLeftOut, leftOutOf, rowList } from '../../contracts/row-list.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isSameHost } from '../../kernel/host-name.ts';
import { newId } from '../../kernel/identifier.ts';
import { readCertificate, summarize } from '../../pki/certificate/certificate-summary.ts';
import { gatewayNameMatch } from '../../pki/trust/trust.ts';
import type { TenantRequestOutput } from '../../wire/control-messages.ts';
import type { SecretVault } from '../state/secret-vault.ts';

type OfferedGateways = TenantRequestOutput<'gateways.list'>['gateways'];
type UsableGateway = z.infer<typeof usableGatewaySchema>;

export interface ContactResult {
  readonly certificatePem: string;
  readonly trust: ServiceProvider['trust'];
  readonly repositories: readonly z.infer<typeof offeredRepositorySchema>[];
  readonly gateways: OfferedGateways;
}

const maxProblemLength = 2000;
const offeredRepositories = rowList(offeredRepositorySchema);
const usableGateways = rowList(usableGatewaySchema);

export class ServiceProviders {
  readonly #database: Database;
  readonly #vault: SecretVault;
  readonly #clock: Clock;
  readonly #publish: EventPublisher;

  constructor(options: { database: Database; vault: SecretVault; clock: Clock; publish: EventPublisher }) {
    this.#database = options.database;
    this.#vault = options.vault;
    this.#clock = options.clock;
    this.#publish = options.publish;
  }

  list(): ServiceProvider[] {
    return this.#database.all('SELECT * FROM providers ORDER BY name').map(read);
  }

  get(providerId: string): ServiceProvider {
    const row = this.#database.get('SELECT * FROM providers WHERE id = ?', providerId);
    if (row === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such service provider', { field: 'providerId' });
    }
    return read(row);
  }

  /** The provider that is reached at this address, however it is spelled, as far as this tenant knows. */
  findByAddress(host: string, port: number): ServiceProvider | undefined {
    return this.list().find((provider) =>
      addressesOf(provider).some((address) => address.port === port && isSameHost(address.host, host)),
    );
  }

  /** Whether a provider of this name was added, or one that is reached at a host of this name. */
  isKnown(nameOrHost: string): boolean {
    return this.list().some(
      (provider) =>
        provider.name.toLowerCase() === nameOrHost.toLowerCase() ||
        addressesOf(provider).some(({ host }) => isSameHost(host, nameOrHost)),
    );
  }

  refuseTakenName(name: string): void {
    if (this.#database.get('SELECT id FROM providers WHERE name = ?', name) === undefined) return;
    throw new FarkeepError('call.conflict', `A service provider named "${name}" exists already`, { field: 'name' });
  }

  credentials(providerId: string): { userName: string; password: string } {
    const row = this.#database.get('SELECT user_name, sealed_password FROM providers WHERE id = ?', providerId);
    const sealed = row?.['sealed_password'];
    if (!(sealed instanceof Uint8Array)) throw new FarkeepError('call.not-found', 'There is no such service provider');
    return { userName: String(row?.['user_name']), password: this.#vault.open(sealed, purpose(providerId)) };
  }

  add(
    input: { name: string; host: string; port: number; userName: string; password: string },
    contact: ContactResult,
  ): ServiceProvider {
    this.refuseTakenName(input.name);
    const id = newId();
    const now = new Date(this.#clock.now()).toISOString();
    this.#database.run(
      `INSERT INTO providers (id, name, host, port, user_name, sealed_password, added_at, certificate_pem, trust,
         repositories, gateways, last_contact_at, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      input.name,
      input.host,
      input.port,
      input.userName,
      this.#vault.seal(input.password, purpose(id)),
      now,
      ...contactColumns(contact),
      now,
      notUsedOf(contact),
    );
    return this.#published(id);
  }

  noteContact(providerId: string, contact: ContactResult): ServiceProvider {
    this.#database.note(
      `UPDATE providers SET certificate_pem = ?, trust = ?, repositories = ?, gateways = ?, last_contact_at = ?,
         problem = ? WHERE id = ?`,
      ...contactColumns(contact),
      new Date(this.#clock.now()).toISOString(),
      notUsedOf(contact),
      providerId,
    );
    return this.#published(providerId);
  }

  noteRepositories(providerId: string, repositories: ContactResult['repositories']): void {
    this.#database.note('UPDATE providers SET repositories = ? WHERE id = ?', JSON.stringify(repositories), providerId);
    this.#published(providerId);
  }

  noteProblem(providerId: string, problem: string): void {
    this.#database.note(
      'UPDATE providers SET problem = ? WHERE id = ?',
      problem.slice(0, maxProblemLength),
      providerId,
    );
    this.#published(providerId);
  }

  /** @throws call.conflict while a job or a running session uses it */
  remove(providerId: string): void {
    const provider = this.get(providerId);
    const job = this.#database.get('SELECT name FROM jobs WHERE provider_id = ?', providerId);
    if (job !== undefined) {
      throw new FarkeepError('call.conflict', `The job "${String(job['name'])}" uses "${provider.name}"`, {
        hint: 'Remove its jobs first.',
      });
    }
    const session = this.#database.get(
      `SELECT id FROM sessions WHERE is_final = 0 AND json_extract(context, '$.providerId') = ?`,
      providerId,
    );
    if (session !== undefined) {
      throw new FarkeepError('call.conflict', `A session with "${provider.name}" is running`, {
        hint: 'Wait until the session has ended, or stop it.',
      });
    }
    this.#database.run('DELETE FROM providers WHERE id = ?', providerId);
    this.#publish(serviceProvidersDomain, 'removed', { providerId });
  }

  #published(providerId: string): ServiceProvider {
    const provider = this.get(providerId);
    this.#publish(serviceProvidersDomain, 'changed', provider);
    return provider;
  }
}

/** Each address of each gateway, in the provider's order, with what keeps it from being used. */
export function judgeGateways(contact: ContactResult): UsableGateway[] {
  const certificate = readCertificate(contact.certificatePem);
  return contact.gateways.flatMap(({ name, addresses, isConnected }) =>
    addresses.map(({ host, port }) => {
      const isCovered = gatewayNameMatch(certificate, host, contact.trust === 'pinned') !== 'not-covered';
      const reason = isCovered
        ? isConnected
          ? null
          : 'It has no link to the provider right now'
        : `The certificate does not cover "${host}"; the provider has to install one that does, or give the gateway a covered name`;
      return { name, host, port, isUsable: isCovered, reason };
    }),
  );
}

function addressesOf({ host, port, gateways }: ServiceProvider): { readonly host: string; readonly port: number }[] {
  return [{ host, port }, ...gateways];
}

function contactColumns(contact: ContactResult): [string, string, string, string] {
  return [
    contact.certificatePem,
    contact.trust,
    JSON.stringify(contact.repositories),
    JSON.stringify(judgeGateways(contact)),
  ];
}

/** Descriptions (for people) of the rows that were left out of the answer. */
function notUsedOf({ repositories, gateways }: ContactResult): string | null {
  const lists = [
    ['What it tells of its repositories', leftOutOf(repositories)],
    ['What it tells of its gateways', leftOutOf(gateways)],
  ] as const;
  const texts = lists.flatMap(([list, leftOut]) => (leftOut === undefined ? [] : [describeLeftOut(list, leftOut)]));
  return texts.length === 0 ? null : texts.join('; ');
}

function purpose(providerId: string): string {
  return `password of provider ${providerId}`;
}

/** Never throws: a provider with a damaged row is still listed, can be contacted again, and can be removed. */
function read(row: Row): ServiceProvider {
  return {
    id: String(row['id']),
    name: String(row['name']),
    host: String(row['host']),
    port: Number(row['port']),
    userName: String(row['user_name']),
    addedAt: String(row['added_at']),
    certificate: readSummary(String(row['certificate_pem'])),
    trust: row['trust'] === 'trusted' ? 'trusted' : 'pinned',
    repositories: readList(offeredRepositories, String(row['repositories'])),
    gateways: readList(usableGateways, String(row['gateways'])),
    lastContactAt: row['last_contact_at'] === null ? null : String(row['last_contact_at']),
    problem: row['problem'] === null ? null : String(row['problem']),
  };
}

function readList<List>(schema: z.ZodType<List[]>, text: string): List[] {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The next contact writes the field again.
    return [];
  }
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
