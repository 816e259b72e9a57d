// Owns the tenants domain of the provider service.
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { TenantAccount } from '../../contracts/models/provider.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import type { CertificateUsers } from '../certificates/certificate-users.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { ProviderIdentity } from '../certificates/provider-identity.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';

export interface TenantHandlersOptions {
  readonly accounts: TenantAccounts;
  readonly sessions: ProviderSessions;
  readonly gateways: Gateways;
  readonly identity: ProviderIdentity;
  readonly certificateUsers: CertificateUsers;
  readonly certificateUsageEvents: CertificateUsageEvents;
  /** The moment at which the thumbprint in an invitation becomes invalid, in milliseconds since the epoch. */
  readonly identityChangesAtMs: () => number | undefined;
  readonly providerName: string;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly publish: EventPublisher;
  /** Ends the control connections of an account. */
  readonly disconnect: (tenantId: string, reason: FarkeepError) => void;
  readonly onQuotasChanged: () => void;
  /** Counts the space that an account uses in each of its repositories: a quota may come back to a place that has data. */
  readonly countUsage: (tenantId: string) => Promise<void>;
}

export function tenantHandlers(options: TenantHandlersOptions): DomainHandlers<typeof tenantsDomain> {
  const { accounts, sessions, gateways, identity, providerName, clock, audit, publish, disconnect } = options;
  const changed = async (tenantId: string): Promise<TenantAccount> => {
    const stored = await accounts.get(tenantId);
    const account = { ...stored, activeSessions: sessions.activeSessions(tenantId) };
    publish(tenantsDomain, 'changed', account);
    options.onQuotasChanged();
    return account;
  };
  return {
    list: async () => ({
      tenants: (await accounts.list()).map((account) => ({
        ...account,
        activeSessions: sessions.activeSessions(account.id),
      })),
    }),
    add: async (input, context) => {
      const tenantId = await accounts.add(input);
      await audit.add(describeCaller(context), input.name, notable('tenant.add'));
      return changed(tenantId);
    },
    set: async ({ tenantId, ...changes }, context) => {
      const { name } = await accounts.get(tenantId);
      await accounts.set(tenantId, changes);
      if (changes.quotas !== undefined) await options.countUsage(tenantId);
      await audit.add(describeCaller(context), name, notable('tenant.set', { fields: Object.keys(changes) }));
      const reason = await refusalOf(accounts, tenantId);
      if (reason !== undefined) {
        await sessions.cancelAllOf(tenantId, reason);
        disconnect(tenantId, reason);
      }
      return changed(tenantId);
    },
    remove: async ({ tenantId }, context) => {
      const { name } = await accounts.get(tenantId);
      const reason = new FarkeepError('login.disabled', 'The account was removed');
      // The account is removed before its sessions end. In the opposite order, a new session could start while the old sessions end.
      await accounts.remove(tenantId);
      await audit.add(describeCaller(context), name, notable('tenant.remove'));
      publish(tenantsDomain, 'removed', { tenantId });
      await sessions.cancelAllOf(tenantId, reason);
      disconnect(tenantId, reason);
      await options.certificateUsers.forget('tenant', name);
      options.certificateUsageEvents.usageChanged('provider');
      options.onQuotasChanged();
      return {};
    },
    invite: async ({ tenantId, validMs }, context) => {
      const addresses = gateways
        .rows()
        .filter((row) => row.isEnabled)
        .flatMap((row) => row.addresses);
      if (addresses.length === 0) {
        throw new FarkeepError('gateway.none-usable', 'There is no gateway that the tenant could use', {
          hint: 'Add a gateway first.',
        });
      }
      // An invitation names the certificate in service. After a planned change, the new certificate would look like an attack to the user
      // of the invitation.
      const endsAtMs = Math.min(clock.now() + validMs, options.identityChangesAtMs() ?? Infinity);
      const expiresAt = new Date(endsAtMs).toISOString();
      const fingerprint = identity.sha256;
      const { userName, secret } = await accounts.invite(tenantId, expiresAt, fingerprint);
      options.certificateUsageEvents.usageChanged('provider');
      await audit.add(describeCaller(context), userName, notable('tenant.invite', { expiresAt }));
      return {
        invitation: {
          farkeepInvitation: 1,
          provider: providerName,
          gateways: addresses,
          user: userName,
          secret,
          fingerprint,
          expiresAt,
        },
      };
    },
  };
}

async function refusalOf(accounts: TenantAccounts, tenantId: string): Promise<FarkeepError | undefined> {
  try {
    await accounts.requireActive(tenantId);
    return undefined;
  } catch (error) {
    if (error instanceof FarkeepError) return error;
    throw error;
  }
}
