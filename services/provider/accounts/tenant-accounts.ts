// Owns the rules about tenant accounts, their quotas and invitations. Sees a password only while it computes the verifier.
import { instantText } from '../../contracts/models/instant-text.ts';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { formatInvitationSecret, splitLoginName } from '../../wire/invitation-login.ts';
import { makeScramVerifier, type ScramVerifier } from '../../wire/scram.ts';
import type { Account, AccountStore, Credential, OpenInvitation, Quota, QuotaLimit } from '../state/account-store.ts';
import type { RepositoryStore } from '../state/repository-store.ts';

export interface QuotaInput {
  readonly repository: string;
  readonly limitBytes: number;
}

export interface TenantAccountsOptions {
  readonly store: AccountStore;
  readonly repositories: Pick<RepositoryStore, 'list'>;
  readonly clock: Clock;
  /** Default: the slow one that protects passwords. */
  readonly makeVerifier?: (password: string) => Promise<ScramVerifier>;
}

export class TenantAccounts {
  readonly #store: AccountStore;
  readonly #repositories: Pick<RepositoryStore, 'list'>;
  readonly #clock: Clock;
  readonly #makeVerifier: (password: string) => Promise<ScramVerifier>;

  constructor({ store, repositories, clock, makeVerifier = makeScramVerifier }: TenantAccountsOptions) {
    this.#store = store;
    this.#repositories = repositories;
    this.#clock = clock;
    this.#makeVerifier = makeVerifier;
  }

  list(): Promise<Account[]> {
    return this.#store.list();
  }

  /** @throws call.not-found */
  async get(tenantId: string): Promise<Account> {
    const account = await this.find(tenantId);
    if (account === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such tenant', { field: 'tenantId' });
    }
    return account;
  }

  find(tenantId: string): Promise<Account | undefined> {
    return this.#store.find(tenantId);
  }

  /** @throws call.conflict for a taken name, call.not-found for an unknown repository */
  async add(input: {
    name: string;
    password: string;
    quotas: readonly QuotaInput[];
    leaseUntil: string | null;
    maxTasks?: number | null | undefined;
  }): Promise<string> {
    const { name, leaseUntil, maxTasks = null } = input;
    // Computing a verifier is slow, so a taken name is refused first.
    if (await this.#store.isNameTaken(name)) throw nameTaken(name);
    const verifier = await this.#makeVerifier(input.password);
    const quotas = await this.#limitsOf(input.quotas);
    const id = newId();
    const isAdded = await this.#store.add({ id, name, createdAt: this.#now(), leaseUntil, maxTasks, verifier, quotas });
    if (!isAdded) throw nameTaken(name);
    return id;
  }

  /** @throws call.not-found for an unknown account or repository; then no change is stored */
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
    await this.get(tenantId);
    const { password, quotas, ...others } = changes;
    await this.#store.change(tenantId, {
      ...others,
      verifier: password === undefined ? undefined : await this.#makeVerifier(password),
      quotas: quotas === undefined ? undefined : await this.#limitsOf(quotas),
    });
  }

  async remove(tenantId: string): Promise<void> {
    await this.get(tenantId);
    await this.#store.remove(tenantId);
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
    const account = await this.get(tenantId);
    const secret = randomBytes(24).toString('base64url');
    const verifier = await this.#makeVerifier(secret);
    const id = newId();
    await this.#store.addInvitation({ id, tenantId, expiresAt, fingerprint, verifier });
    return { userName: account.name, secret: formatInvitationSecret(id, secret) };
  }

  /** Invitations that are still valid, with the thumbprint that they contain; the newest first. */
  openInvitations(): Promise<OpenInvitation[]> {
    return this.#store.openInvitations(this.#now());
  }

  /** Undefined for unknown names. A used or expired invitation counts as unknown. */
  findCredential(userName: string): Promise<Credential | undefined> {
    const { accountName, invitationId } = splitLoginName(userName);
    return this.#store.findCredential(accountName, invitationId, this.#now());
  }

  /**
   * Uses up the invitation and sets the tenant's password. If one of the two changes fails, neither of them is made. @throws login.refused
   */
  async redeemInvitation(invitationId: string, tenantId: string, verifier: ScramVerifier): Promise<void> {
    if (await this.#store.redeemInvitation(invitationId, tenantId, verifier, this.#now())) return;
    throw new FarkeepError('login.refused', 'The invitation was used already or has expired');
  }

  noteLogin(tenantId: string): Promise<void> {
    return this.#store.noteLogin(tenantId, this.#now());
  }

  /** @throws login.disabled, login.lease-expired, call.not-found */
  async requireActive(tenantId: string): Promise<Account> {
    const account = await this.get(tenantId);
    if (!account.isEnabled) throw new FarkeepError('login.disabled', `The account "${account.name}" is disabled`);
    if (account.leaseUntil !== null && Date.parse(account.leaseUntil) <= this.#clock.now()) {
      throw new FarkeepError(
        'login.lease-expired',
        `The lease of "${account.name}" ended on ${instantText(account.leaseUntil)}`,
      );
    }
    return account;
  }

  quotas(tenantId: string): Promise<Quota[]> {
    return this.#store.quotas(tenantId);
  }

  setUsage(tenantId: string, repositoryId: string, usedBytes: number): Promise<void> {
    return this.#store.noteUsage(tenantId, repositoryId, usedBytes);
  }

  async #limitsOf(quotas: readonly QuotaInput[]): Promise<QuotaLimit[]> {
    const repositories = await this.#repositories.list();
    return quotas.map(({ repository, limitBytes }) => {
      const row = repositories.find(({ name }) => name.toLowerCase() === repository.toLowerCase());
      if (row !== undefined) return { repositoryId: row.id, limitBytes };
      throw new FarkeepError('call.not-found', `There is no repository "${repository}"`, { field: 'quotas' });
    });
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

function nameTaken(name: string): FarkeepError {
  return new FarkeepError('call.conflict', `A tenant named "${name}" exists already`, { field: 'name' });
}
