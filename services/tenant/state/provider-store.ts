// Owns the rows of the tenant's service providers. Passwords enter and leave this store only encrypted.
import type { z } from 'zod';
import { isErrorCode, type ErrorCode } from '../../contracts/errors.ts';
import { offeredRepositorySchema, usableGatewaySchema, type ServiceProvider } from '../../contracts/models/tenant.ts';
import { rowList } from '../../contracts/row-list.ts';
import type { Database, Row } from '../../kernel/state/database.ts';

export type OfferedRepository = z.infer<typeof offeredRepositorySchema>;
export type UsableGateway = z.infer<typeof usableGatewaySchema>;

/** The columns that a contact with the provider changes. */
export interface ContactColumns {
  readonly certificatePem: string;
  readonly trust: ServiceProvider['trust'];
  readonly repositories: OfferedRepository[];
  readonly gateways: UsableGateway[];
  readonly lastContactAt: string | null;
  readonly problem: string | null;
  readonly problemCode: ErrorCode | null;
}

/** The columns that a person enters. */
export interface AccountColumns {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly userName: string;
}

export interface StoredProvider extends ContactColumns, AccountColumns {
  readonly id: string;
  readonly addedAt: string;
}

/** A write by a `note` method is lost when the disk refuses it. */
export interface ProviderStore {
  list(): Promise<StoredProvider[]>;
  sealedPassword(providerId: string): Promise<Uint8Array | undefined>;
  /** @returns false when the name is taken */
  add(provider: StoredProvider, sealedPassword: Uint8Array): Promise<boolean>;
  /** Replaces the account; a password or contact that is not given stays. A new name is refused while a session is unfinished. */
  change(
    providerId: string,
    account: AccountColumns,
    replaced: { readonly sealedPassword?: Uint8Array | undefined; readonly contact?: ContactColumns | undefined },
  ): Promise<ChangeOutcome>;
  noteContact(providerId: string, contact: ContactColumns): Promise<void>;
  noteRepositories(providerId: string, repositories: readonly OfferedRepository[]): Promise<void>;
  noteProblem(providerId: string, problem: string, code: ErrorCode): Promise<void>;
  /** Removes the provider unless a job or an unfinished session uses it. */
  removeUnused(providerId: string): Promise<RemovalOutcome>;
}

export type ChangeOutcome = 'changed' | 'name-taken' | 'has-session';

export type RemovalOutcome =
  | { readonly kind: 'removed' }
  | { readonly kind: 'has-job'; readonly jobName: string }
  | { readonly kind: 'has-session' };

const offeredRepositories = rowList(offeredRepositorySchema);
const usableGateways = rowList(usableGatewaySchema);

export class SqliteProviderStore implements ProviderStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<StoredProvider[]> {
    return this.#database.all('SELECT * FROM providers ORDER BY name').map(read);
  }

  async sealedPassword(providerId: string): Promise<Uint8Array | undefined> {
    const row = this.#database.get('SELECT sealed_password FROM providers WHERE id = ?', providerId);
    const sealed = row?.['sealed_password'];
    return sealed instanceof Uint8Array ? sealed : undefined;
  }

  async add(provider: StoredProvider, sealedPassword: Uint8Array): Promise<boolean> {
    return this.#database.transaction(() => {
      if (this.#database.get('SELECT id FROM providers WHERE name = ?', provider.name) !== undefined) return false;
      this.#database.run(
        `INSERT INTO providers (id, name, host, port, user_name, sealed_password, added_at, certificate_pem, trust,
           repositories, gateways, last_contact_at, problem, problem_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        provider.id,
        provider.name,
        provider.host,
        provider.port,
        provider.userName,
        sealedPassword,
        provider.addedAt,
        ...columns(provider),
      );
      return true;
    });
  }

  async change(
    providerId: string,
    { name, host, port, userName }: AccountColumns,
    { sealedPassword, contact }: { sealedPassword?: Uint8Array | undefined; contact?: ContactColumns | undefined },
  ): Promise<ChangeOutcome> {
    return this.#database.transaction((): ChangeOutcome => {
      const sameName = this.#database.get('SELECT id FROM providers WHERE name = ?', name);
      if (sameName !== undefined && sameName['id'] !== providerId) return 'name-taken';
      const isRenamed =
        this.#database.get('SELECT id FROM providers WHERE id = ? AND name <> ? COLLATE BINARY', providerId, name) !==
        undefined;
      if (isRenamed && this.#hasSession(providerId)) return 'has-session';
      this.#database.run(
        'UPDATE providers SET name = ?, host = ?, port = ?, user_name = ? WHERE id = ?',
        name,
        host,
        port,
        userName,
        providerId,
      );
      if (sealedPassword !== undefined) {
        this.#database.run('UPDATE providers SET sealed_password = ? WHERE id = ?', sealedPassword, providerId);
      }
      if (contact !== undefined) this.#database.run(contactUpdate, ...columns(contact), providerId);
      return 'changed';
    });
  }

  async noteContact(providerId: string, contact: ContactColumns): Promise<void> {
    this.#database.note(contactUpdate, ...columns(contact), providerId);
  }

  async noteRepositories(providerId: string, repositories: readonly OfferedRepository[]): Promise<void> {
    this.#database.note('UPDATE providers SET repositories = ? WHERE id = ?', JSON.stringify(repositories), providerId);
  }

  async noteProblem(providerId: string, problem: string, code: ErrorCode): Promise<void> {
    this.#database.note('UPDATE providers SET problem = ?, problem_code = ? WHERE id = ?', problem, code, providerId);
  }

  async removeUnused(providerId: string): Promise<RemovalOutcome> {
    return this.#database.transaction((): RemovalOutcome => {
      const job = this.#database.get('SELECT name FROM jobs WHERE provider_id = ?', providerId);
      if (job !== undefined) return { kind: 'has-job', jobName: String(job['name']) };
      if (this.#hasSession(providerId)) return { kind: 'has-session' };
      this.#database.run('DELETE FROM providers WHERE id = ?', providerId);
      return { kind: 'removed' };
    });
  }

  #hasSession(providerId: string): boolean {
    const session = this.#database.get(
      `SELECT id FROM sessions WHERE is_final = 0 AND json_extract(context, '$.providerId') = ?`,
      providerId,
    );
    return session !== undefined;
  }
}

const contactUpdate = `UPDATE providers SET certificate_pem = ?, trust = ?, repositories = ?, gateways = ?, last_contact_at = ?,
  problem = ?, problem_code = ? WHERE id = ?`;

function columns(
  contact: ContactColumns,
): [string, string, string, string, string | null, string | null, string | null] {
  return [
    contact.certificatePem,
    contact.trust,
    JSON.stringify(contact.repositories),
    JSON.stringify(contact.gateways),
    contact.lastContactAt,
    contact.problem,
    contact.problemCode,
  ];
}

/** Never throws: a provider with a damaged row is still listed, can be contacted again, and can be removed. */
function read(row: Row): StoredProvider {
  return {
    id: String(row['id']),
    name: String(row['name']),
    host: String(row['host']),
    port: Number(row['port']),
    userName: String(row['user_name']),
    addedAt: String(row['added_at']),
    certificatePem: String(row['certificate_pem']),
    trust: row['trust'] === 'trusted' ? 'trusted' : 'pinned',
    repositories: readList(offeredRepositories, String(row['repositories'])),
    gateways: readList(usableGateways, String(row['gateways'])),
    lastContactAt: row['last_contact_at'] === null ? null : String(row['last_contact_at']),
    problem: row['problem'] === null ? null : String(row['problem']),
    problemCode: readCode(row['problem_code']),
  };
}

/** A newer version may have stored a code that this version does not know. */
function readCode(value: Row[string] | undefined): ErrorCode | null {
  return typeof value === 'string' && isErrorCode(value) ? value : null;
}

function readList<List>(schema: z.ZodType<List[]>, text: string): List[] {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The next contact writes this field again.
    return [];
  }
}
