// Owns the rows of tenant accounts, their quotas and their invitations. Stores verifiers and never a password. Must not contain rules about
// accounts.
import type { TenantAccount } from '../../contracts/models/provider.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { ScramVerifier } from '../../wire/scram.ts';

export type Account = Omit<TenantAccount, 'activeSessions'>;

export interface Quota {
  readonly repositoryId: string;
  readonly repository: string;
  readonly location: RepositoryLocation;
  readonly limitBytes: number;
  readonly usedBytes: number;
}

export interface QuotaLimit {
  readonly repositoryId: string;
  readonly limitBytes: number;
}

export interface NewAccount {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly leaseUntil: string | null;
  readonly maxTasks: number | null;
  readonly verifier: ScramVerifier;
  readonly quotas: readonly QuotaLimit[];
}

/** A missing field stays unchanged. The quotas replace all quotas of the account. */
export interface AccountChanges {
  readonly leaseUntil?: string | null | undefined;
  readonly maxTasks?: number | null | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly verifier?: ScramVerifier | undefined;
  readonly quotas?: readonly QuotaLimit[] | undefined;
}

export interface NewInvitation {
  readonly id: string;
  readonly tenantId: string;
  readonly expiresAt: string;
  readonly fingerprint: string;
  readonly verifier: ScramVerifier;
}

export interface OpenInvitation {
  /** Name of the account. */
  readonly tenant: string;
  readonly fingerprint: string;
  readonly expiresAt: string;
}

/** The account, and the invitation if any, that a login name refers to. */
export interface Credential {
  readonly tenantId: string;
  readonly verifier: ScramVerifier;
  /** Set for the one-time secret of an invitation. */
  readonly invitationId: string | null;
}

export interface AccountStore {
  /** Sorted by name. */
  list(): Promise<Account[]>;
  find(tenantId: string): Promise<Account | undefined>;
  isNameTaken(name: string): Promise<boolean>;
  /** @returns false when the name is taken */
  add(account: NewAccount): Promise<boolean>;
  /** Makes all changes or none. */
  change(tenantId: string, changes: AccountChanges): Promise<void>;
  /** Removes the account with its quotas and invitations. */
  remove(tenantId: string): Promise<void>;
  /** By name of the repository. */
  quotas(tenantId: string): Promise<Quota[]>;
  /** A write that the disk refuses is lost. */
  noteUsage(tenantId: string, repositoryId: string, usedBytes: number): Promise<void>;
  /** A write that the disk refuses is lost. */
  noteLogin(tenantId: string, at: string): Promise<void>;
  addInvitation(invitation: NewInvitation): Promise<void>;
  /** Invitations that are valid at `now` and have a thumbprint; by account, the newest first. */
  openInvitations(now: string): Promise<OpenInvitation[]>;
  /** @param invitationId an invitation that must be valid at `now`; left out: the account's own password */
  findCredential(accountName: string, invitationId: string | undefined, now: string): Promise<Credential | undefined>;
  /**
   * Uses up the invitation and sets the password. If one of the two changes fails, neither of them is made. @returns false when the
   * invitation is not valid at `now`
   */
  redeemInvitation(invitationId: string, tenantId: string, verifier: ScramVerifier, now: string): Promise<boolean>;
}

export class SqliteAccountStore implements AccountStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<Account[]> {
    return this.#database.all('SELECT * FROM tenants ORDER BY name').map((row) => this.#read(row));
  }

  async find(tenantId: string): Promise<Account | undefined> {
    const row = this.#database.get('SELECT * FROM tenants WHERE id = ?', tenantId);
    return row === undefined ? undefined : this.#read(row);
  }

  async isNameTaken(name: string): Promise<boolean> {
    return this.#isNameTaken(name);
  }

  async add(account: NewAccount): Promise<boolean> {
    return this.#database.transaction(() => {
      if (this.#isNameTaken(account.name)) return false;
      this.#database.run(
        `INSERT INTO tenants (id, name, is_enabled, created_at, lease_until, max_tasks, salt, iterations, stored_key,
           server_key) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
        account.id,
        account.name,
        account.createdAt,
        account.leaseUntil,
        account.maxTasks,
        ...columns(account.verifier),
      );
      this.#setQuotas(account.id, account.quotas);
      return true;
    });
  }

  async change(tenantId: string, { leaseUntil, maxTasks, isEnabled, verifier, quotas }: AccountChanges): Promise<void> {
    this.#database.transaction(() => {
      if (verifier !== undefined) this.#setVerifier(tenantId, verifier);
      if (quotas !== undefined) this.#setQuotas(tenantId, quotas);
      if (leaseUntil !== undefined) {
        this.#database.run('UPDATE tenants SET lease_until = ? WHERE id = ?', leaseUntil, tenantId);
      }
      if (maxTasks !== undefined) {
        this.#database.run('UPDATE tenants SET max_tasks = ? WHERE id = ?', maxTasks, tenantId);
      }
      if (isEnabled !== undefined) {
        this.#database.run('UPDATE tenants SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, tenantId);
      }
    });
  }

  async remove(tenantId: string): Promise<void> {
    this.#database.run('DELETE FROM tenants WHERE id = ?', tenantId);
  }

  async quotas(tenantId: string): Promise<Quota[]> {
    return this.#quotas(tenantId);
  }

  async noteUsage(tenantId: string, repositoryId: string, usedBytes: number): Promise<void> {
    this.#database.note(
      'UPDATE quotas SET used_bytes = ? WHERE tenant_id = ? AND repository_id = ?',
      usedBytes,
      tenantId,
      repositoryId,
    );
  }

  async noteLogin(tenantId: string, at: string): Promise<void> {
    this.#database.note('UPDATE tenants SET last_login_at = ? WHERE id = ?', at, tenantId);
  }

  async addInvitation({ id, tenantId, expiresAt, fingerprint, verifier }: NewInvitation): Promise<void> {
    this.#database.run(
      `INSERT INTO invitations (id, tenant_id, expires_at, fingerprint, salt, iterations, stored_key, server_key)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      tenantId,
      expiresAt,
      fingerprint,
      ...columns(verifier),
    );
  }

  async openInvitations(now: string): Promise<OpenInvitation[]> {
    return this.#database
      .all(
        `SELECT tenants.name, fingerprint, expires_at FROM invitations JOIN tenants ON tenants.id = tenant_id
         WHERE used_at IS NULL AND expires_at > ? AND fingerprint IS NOT NULL ORDER BY tenants.name, expires_at DESC`,
        now,
      )
      .map((row) => ({
        tenant: String(row['name']),
        fingerprint: String(row['fingerprint']),
        expiresAt: String(row['expires_at']),
      }));
  }

  async findCredential(
    accountName: string,
    invitationId: string | undefined,
    now: string,
  ): Promise<Credential | undefined> {
    const account = this.#database.get('SELECT * FROM tenants WHERE name = ?', accountName);
    if (account === undefined) return undefined;
    const tenantId = String(account['id']);
    if (invitationId === undefined) return { tenantId, verifier: readVerifier(account), invitationId: null };
    const invitation = this.#database.get(
      'SELECT * FROM invitations WHERE id = ? AND tenant_id = ? AND used_at IS NULL AND expires_at > ?',
      invitationId,
      tenantId,
      now,
    );
    return invitation === undefined ? undefined : { tenantId, verifier: readVerifier(invitation), invitationId };
  }

  async redeemInvitation(
    invitationId: string,
    tenantId: string,
    verifier: ScramVerifier,
    now: string,
  ): Promise<boolean> {
    return this.#database.transaction(() => {
      const { changes } = this.#database.run(
        'UPDATE invitations SET used_at = ?1 WHERE id = ?2 AND tenant_id = ?3 AND used_at IS NULL AND expires_at > ?1',
        now,
        invitationId,
        tenantId,
      );
      if (changes === 0) return false;
      this.#setVerifier(tenantId, verifier);
      return true;
    });
  }

  #isNameTaken(name: string): boolean {
    return this.#database.get('SELECT id FROM tenants WHERE name = ?', name) !== undefined;
  }

  #setVerifier(tenantId: string, verifier: ScramVerifier): void {
    this.#database.run(
      'UPDATE tenants SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE id = ?',
      ...columns(verifier),
      tenantId,
    );
  }

  #setQuotas(tenantId: string, quotas: readonly QuotaLimit[]): void {
    for (const { repositoryId, limitBytes } of quotas) {
      this.#database.run(
        `INSERT INTO quotas (tenant_id, repository_id, limit_bytes) VALUES (?, ?, ?)
         ON CONFLICT (tenant_id, repository_id) DO UPDATE SET limit_bytes = excluded.limit_bytes`,
        tenantId,
        repositoryId,
        limitBytes,
      );
    }
    for (const { repositoryId } of this.#quotas(tenantId)) {
      if (quotas.some((quota) => quota.repositoryId === repositoryId)) continue;
      this.#database.run('DELETE FROM quotas WHERE tenant_id = ? AND repository_id = ?', tenantId, repositoryId);
    }
  }

  #quotas(tenantId: string): Quota[] {
    return this.#database
      .all(
        `SELECT quotas.*, repositories.name, repositories.folder FROM quotas
         JOIN repositories ON repositories.id = quotas.repository_id WHERE tenant_id = ? ORDER BY repositories.name`,
        tenantId,
      )
      .map((row) => ({
        repositoryId: String(row['repository_id']),
        repository: String(row['name']),
        location: folderLocation(String(row['folder'])),
        limitBytes: Number(row['limit_bytes']),
        usedBytes: Number(row['used_bytes']),
      }));
  }

  #read(row: Row): Account {
    const id = String(row['id']);
    return {
      id,
      name: String(row['name']),
      isEnabled: row['is_enabled'] === 1,
      createdAt: String(row['created_at']),
      leaseUntil: row['lease_until'] === null ? null : String(row['lease_until']),
      lastLoginAt: row['last_login_at'] === null ? null : String(row['last_login_at']),
      maxTasks: row['max_tasks'] === null ? null : Number(row['max_tasks']),
      quotas: this.#quotas(id).map(({ repository, limitBytes, usedBytes }) => ({ repository, limitBytes, usedBytes })),
    };
  }
}

function columns(verifier: ScramVerifier): [Buffer, number, Buffer, Buffer] {
  return [verifier.salt, verifier.iterations, verifier.storedKey, verifier.serverKey];
}

function readVerifier(row: Row): ScramVerifier {
  return {
    salt: blob(row['salt']),
    iterations: Number(row['iterations']),
    storedKey: blob(row['stored_key']),
    serverKey: blob(row['server_key']),
  };
}

function blob(value: Row[string] | undefined): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0);
}
