// Owns tenant accounts, their quotas and invitations in the provider's database. Sees a password only while it makes a verifier of it.
import { randomBytes } from 'node:crypto';
import type { TenantAccount } from '../../contracts/models/provider.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { formatInvitationSecret, splitLoginName } from '../../wire/invitation-login.ts';
import { makeScramVerifier, type ScramVerifier } from '../../wire/scram.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';

export interface QuotaInput {
  readonly repository: string;
  readonly limitBytes: number;
}

export interface Quota {
  readonly repositoryId: string;
  readonly repository: string;
  readonly location: RepositoryLocation;
  readonly limitBytes: number;
  readonly usedBytes: number;
}

export interface OpenInvitation {
  /** Name of the account. */
  readonly tenant: string;
  readonly fingerprint: string;
  readonly expiresAt: string;
}

/** What a login name stands for. */
export interface Credential {
  readonly tenantId: string;
  readonly verifier: ScramVerifier;
  /** Set for the one-time secret of an invitation. */
  readonly invitationId: string | null;
}

export class TenantAccounts {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  list(): Omit<TenantAccount, 'activeSessions'>[] {
    return this.#database.all('SELECT * FROM tenants ORDER BY name').map((row) => this.#read(row));
  }

  get(tenantId: string): Omit<TenantAccount, 'activeSessions'> {
    const account = this.find(tenantId);
    if (account === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such tenant', { field: 'tenantId' });
    }
    return account;
  }

  find(tenantId: string): Omit<TenantAccount, 'activeSessions'> | undefined {
    const row = this.#database.get('SELECT * FROM tenants WHERE id = ?', tenantId);
    return row === undefined ? undefined : this.#read(row);
  }

  async add(input: {
    name: string;
    password: string;
    quotas: readonly QuotaInput[];
    leaseUntil: string | null;
    maxTasks?: number | null | undefined;
  }): Promise<string> {
    this.#refuseTakenName(input.name);
    const verifier = await makeScramVerifier(input.password);
    this.#refuseTakenName(input.name);
    const id = newId();
    this.#database.transaction(() => {
      this.#database.run(
        `INSERT INTO tenants (id, name, is_enabled, created_at, lease_until, max_tasks, salt, iterations, stored_key,
           server_key) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        input.name,
        this.#now(),
        input.leaseUntil,
        input.maxTasks ?? null,
        ...columns(verifier),
      );
      this.#setQuotas(id, input.quotas);
    });
    return id;
  }

  async set(
    tenantId: string,
    changes: {
      password?: string | undefined;
      quotas?: readonly QuotaInput[] | undefined;
      leaseUntil?: string | null | undefined;
      isEnabled?: boolean | undefined;
      maxTasks?: number | null | undefined;
    },
  ): Promise<void> {
    this.get(tenantId);
    const verifier = changes.password === undefined ? undefined : await makeScramVerifier(changes.password);
    this.#database.transaction(() => {
      if (verifier !== undefined) this.#setVerifier(tenantId, verifier);
      if (changes.quotas !== undefined) this.#setQuotas(tenantId, changes.quotas);
      if (changes.leaseUntil !== undefined) {
        this.#database.run('UPDATE tenants SET lease_until = ? WHERE id = ?', changes.leaseUntil, tenantId);
      }
      if (changes.maxTasks !== undefined) {
        this.#database.run('UPDATE tenants SET max_tasks = ? WHERE id = ?', changes.maxTasks, tenantId);
      }
      if (changes.isEnabled !== undefined) {
        this.#database.run('UPDATE tenants SET is_enabled = ? WHERE id = ?', changes.isEnabled ? 1 : 0, tenantId);
      }
    });
  }

  remove(tenantId: string): void {
    this.get(tenantId);
    this.#database.run('DELETE FROM tenants WHERE id = ?', tenantId);
  }

  /**
   * @param fingerprint thumbprint of the provider identity that the invitation file names
   * @returns the login name and the one-time secret to put into the invitation file
   */
  async invite(
    tenantId: string,
    expiresAt: string,
    fingerprint: string,
  ): Promise<{ userName: string; secret: string }> {
    const account = this.get(tenantId);
    const secret = randomBytes(24).toString('base64url');
    const verifier = await makeScramVerifier(secret);
    const id = newId();
    this.#database.run(
      `INSERT INTO invitations (id, tenant_id, expires_at, fingerprint, salt, iterations, stored_key, server_key)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      tenantId,
      expiresAt,
      fingerprint,
      ...columns(verifier),
    );
    return { userName: account.name, secret: formatInvitationSecret(id, secret) };
  }

  /** Invitations that could still be used, with the thumbprint that they carry; the newest first. */
  openInvitations(): OpenInvitation[] {
    return this.#database
      .all(
        `SELECT tenants.name, fingerprint, expires_at FROM invitations JOIN tenants ON tenants.id = tenant_id
         WHERE used_at IS NULL AND expires_at > ? AND fingerprint IS NOT NULL ORDER BY tenants.name, expires_at DESC`,
        this.#now(),
      )
      .map((row) => ({
        tenant: String(row['name']),
        fingerprint: String(row['fingerprint']),
        expiresAt: String(row['expires_at']),
      }));
  }

  /** Undefined for unknown names; an invitation that was used or is over counts as unknown. */
  findCredential(userName: string): Credential | undefined {
    const { accountName, invitationId } = splitLoginName(userName);
    const account = this.#database.get('SELECT * FROM tenants WHERE name = ?', accountName);
    if (account === undefined) return undefined;
    const tenantId = String(account['id']);
    if (invitationId === undefined) return { tenantId, verifier: readVerifier(account), invitationId: null };
    const invitation = this.#database.get(
      'SELECT * FROM invitations WHERE id = ? AND tenant_id = ? AND used_at IS NULL AND expires_at > ?',
      invitationId,
      tenantId,
      this.#now(),
    );
    return invitation === undefined ? undefined : { tenantId, verifier: readVerifier(invitation), invitationId };
  }

  /** Uses up the invitation and sets the password that the tenant chose, both or nothing. */
  redeemInvitation(invitationId: string, tenantId: string, verifier: ScramVerifier): void {
    this.#database.transaction(() => {
      const { changes } = this.#database.run(
        'UPDATE invitations SET used_at = ? WHERE id = ? AND tenant_id = ? AND used_at IS NULL AND expires_at > ?',
        this.#now(),
        invitationId,
        tenantId,
        this.#now(),
      );
      if (changes === 0) throw new FarkeepError('login.refused', 'The invitation was used already or is over');
      this.#setVerifier(tenantId, verifier);
    });
  }

  noteLogin(tenantId: string): void {
    this.#database.note('UPDATE tenants SET last_login_at = ? WHERE id = ?', this.#now(), tenantId);
  }

  /** @throws login.disabled, login.lease-expired, call.not-found */
  requireActive(tenantId: string): Omit<TenantAccount, 'activeSessions'> {
    const account = this.get(tenantId);
    if (!account.isEnabled) throw new FarkeepError('login.disabled', `The account "${account.name}" is disabled`);
    if (account.leaseUntil !== null && Date.parse(account.leaseUntil) <= this.#clock.now()) {
      throw new FarkeepError('login.lease-expired', `The lease of "${account.name}" ended on ${account.leaseUntil}`);
    }
    return account;
  }

  quotas(tenantId: string): Quota[] {
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

  setUsage(tenantId: string, repositoryId: string, usedBytes: number): void {
    this.#database.note(
      'UPDATE quotas SET used_bytes = ? WHERE tenant_id = ? AND repository_id = ?',
      usedBytes,
      tenantId,
      repositoryId,
    );
  }

  #setVerifier(tenantId: string, verifier: ScramVerifier): void {
    this.#database.run(
      'UPDATE tenants SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE id = ?',
      ...columns(verifier),
      tenantId,
    );
  }

  #setQuotas(tenantId: string, quotas: readonly QuotaInput[]): void {
    const kept: string[] = [];
    for (const { repository, limitBytes } of quotas) {
      const row = this.#database.get('SELECT id FROM repositories WHERE name = ?', repository);
      if (row === undefined) {
        throw new FarkeepError('call.not-found', `There is no repository "${repository}"`, { field: 'quotas' });
      }
      const repositoryId = String(row['id']);
      kept.push(repositoryId);
      this.#database.run(
        `INSERT INTO quotas (tenant_id, repository_id, limit_bytes) VALUES (?, ?, ?)
         ON CONFLICT (tenant_id, repository_id) DO UPDATE SET limit_bytes = excluded.limit_bytes`,
        tenantId,
        repositoryId,
        limitBytes,
      );
    }
    for (const { repositoryId } of this.quotas(tenantId)) {
      if (!kept.includes(repositoryId)) {
        this.#database.run('DELETE FROM quotas WHERE tenant_id = ? AND repository_id = ?', tenantId, repositoryId);
      }
    }
  }

  #refuseTakenName(name: string): void {
    if (this.#database.get('SELECT id FROM tenants WHERE name = ?', name) === undefined) return;
    throw new FarkeepError('call.conflict', `A tenant named "${name}" exists already`, { field: 'name' });
  }

  #read(row: Row): Omit<TenantAccount, 'activeSessions'> {
    const id = String(row['id']);
    return {
      id,
      name: String(row['name']),
      isEnabled: row['is_enabled'] === 1,
      createdAt: String(row['created_at']),
      leaseUntil: row['lease_until'] === null ? null : String(row['lease_until']),
      lastLoginAt: row['last_login_at'] === null ? null : String(row['last_login_at']),
      maxTasks: row['max_tasks'] === null ? null : Number(row['max_tasks']),
      quotas: this.quotas(id).map(({ repository, limitBytes, usedBytes }) => ({ repository, limitBytes, usedBytes })),
    };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
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
