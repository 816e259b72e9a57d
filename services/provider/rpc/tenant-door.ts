// Owns the steps of a tenant's control connection: login, allowed requests, recorded data. Must not listen for connections.
import type { EventPublisher } from '../../contracts/contract.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import type { Clock } from '../../kernel/clock.ts';
import { CountedLog } from '../../kernel/counted-log.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { ControlConnection } from '../../transport/control-server.ts';
import { LoginExchange } from '../accounts/login-exchange.ts';
import { LoginThrottle } from '../accounts/login-throttle.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { CertificateUsageEvents } from '../certificates/certificate-usage-events.ts';
import type { CertificateUsers } from '../certificates/certificate-users.ts';
import type { RolloverPlan } from '../certificates/rollover.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import type { SessionChannel } from '../sessions/session-channel.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { OpenConnections } from './open-connections.ts';
import { TenantConnection, type TenantConnectionOptions } from './tenant-connection.ts';

export interface TenantDoorOptions {
  readonly accounts: TenantAccounts;
  readonly sessions: ProviderSessions;
  readonly connections: OpenConnections;
  readonly certificateUsers: CertificateUsers;
  readonly certificateUsageEvents: CertificateUsageEvents;
  /** The answer to a tenant about a planned change of the certificate; known only after the listener has started. */
  readonly rolloverAnswer: RolloverPlan['answerFor'];
  readonly requests: Omit<TenantConnectionOptions['handlers'], 'certificate.status'>;
  readonly channelOf: (connection: ControlConnection) => SessionChannel;
  readonly unknownUserSecret: Secret;
  readonly providerName: string;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
}

export class TenantDoor {
  readonly #options: TenantDoorOptions;
  readonly #throttle: LoginThrottle;
  readonly #refusals: CountedLog;

  constructor(options: TenantDoorOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.clock);
    this.#refusals = new CountedLog(options.clock);
  }

  take(connection: ControlConnection): void {
    const { accounts, sessions, connections, certificateUsers, certificateUsageEvents, logger, publish } =
      this.#options;
    const { requests, rolloverAnswer, channelOf } = this.#options;
    const { shownSha256 } = connection;
    const tenantConnection: TenantConnection = new TenantConnection({
      connection,
      login: this.#loginOf(connection),
      sessions,
      logger,
      handlers: {
        ...requests,
        'certificate.status': async (tenantId, report) => {
          const { name } = await accounts.get(tenantId);
          if (await certificateUsers.noteReport(name, report)) {
            certificateUsageEvents.usageChanged('provider');
            certificateUsageEvents.countsChanged();
          }
          return rolloverAnswer(shownSha256);
        },
      },
      channel: () => channelOf(connection),
      onLogin: async (tenantId) => {
        const account = await accounts.get(tenantId);
        publish(tenantsDomain, 'changed', { ...account, activeSessions: sessions.activeSessions(tenantId) });
        if (await certificateUsers.noteSeen('provider', 'tenant', account.name, shownSha256)) {
          certificateUsageEvents.usageChanged('provider');
        }
      },
      onClose: () => connections.remove(tenantConnection),
      bucketOf: (tenantId) => connections.bucketOf(tenantId),
      refusals: this.#refusals,
    });
    connections.add(tenantConnection);
  }

  #loginOf(connection: ControlConnection): LoginExchange {
    const { accounts, unknownUserSecret, providerName, clock, logger } = this.#options;
    return new LoginExchange({
      accounts,
      throttle: this.#throttle,
      unknownUserSecret,
      channelBinding: connection.channelBinding,
      address: connection.remoteAddress,
      providerName,
      software: 'Farkeep',
      clock,
      onClockDiffers: (userName, aheadMs) =>
        logger.warn('The clock of a tenant differs from the clock of this machine', {
          userName,
          aheadMinutes: Math.round(aheadMs / 60_000),
        }),
      onFailure: (typedName, error) => this.#noteRefusal(connection.remoteAddress, typedName, error),
    });
  }

  #noteRefusal(address: string, typedName: string, error: FarkeepError): void {
    const { audit, logger } = this.#options;
    // A stranger chose this name: it is shortened, and characters that control a terminal are removed.
    const userName = typedName.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 64);
    this.#refusals.note(`login ${address} ${error.code}`, (times) => {
      logger.warn('Login refused', { userName, address, reason: error.code, times });
      void audit.addRefusal(`${userName} (${address})`, userName, error.code, times);
    });
  }
}
