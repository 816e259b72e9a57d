// Owns one control connection of a tenant on the provider's side: first the login, then requests and reports. Checks each message and
// passes it on.
// Holds no session state. The session manager refuses messages about another tenant's session.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { CountedLog } from '../../kernel/counted-log.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { TokenBucket } from '../../kernel/token-bucket.ts';
import type { ControlConnection } from '../../transport/control-server.ts';
import { isTenantRequest, parseTenantNotification, parseTenantRequest, tellTenant } from '../../wire/control-calls.ts';
import type {
  ProviderNotification,
  ProviderNotificationName,
  TenantRequestInput,
  TenantRequestName,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import type { LoginExchange } from '../accounts/login-exchange.ts';
import type { SessionChannel } from '../sessions/session-channel.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';

type Handlers = {
  readonly [Name in Exclude<TenantRequestName, 'hello' | 'login.start' | 'login.finish' | 'login.set-password'>]: (
    tenantId: string,
    input: TenantRequestInput<Name>,
  ) => Promise<TenantRequestOutput<Name>>;
};

export interface TenantConnectionOptions {
  readonly connection: ControlConnection;
  readonly login: LoginExchange;
  readonly sessions: ProviderSessions;
  readonly logger: Logger;
  readonly handlers: Omit<Handlers, `session.${string}`> & Pick<Handlers, 'session.evidence'>;
  /** The data of this connection that new sessions need. */
  readonly channel: () => SessionChannel;
  readonly onLogin: (tenantId: string) => Promise<void>;
  readonly onClose: () => void;
  /** Returns the bucket that counts all messages of a tenant over all of its connections. */
  readonly bucketOf: (tenantId: string) => TokenBucket;
  readonly refusals: CountedLog;
}

/**
 * Extra cost of requests that need more work than their length shows: a signature, a disk access, a data mover. The unit is one message of
 * 2 KiB.
 */
const costs: Partial<Record<TenantRequestName, number>> = {
  'points.list': 10,
  'points.delete': 20,
  'session.start': 20,
  'session.resume': 20,
  'session.evidence': 40,
};

export class TenantConnection {
  readonly #options: TenantConnectionOptions;
  readonly #handlers: Handlers;

  constructor(options: TenantConnectionOptions) {
    this.#options = options;
    this.#handlers = { ...options.handlers, ...this.#sessionHandlers() };
    const { peer } = options.connection;
    peer.onRequest(async (name, payload, { signal }) => {
      try {
        return await this.#request(name, payload, signal);
      } catch (error) {
        // The connection closes after the answer with the reason was sent.
        if (error instanceof FarkeepError && error.code === 'protocol.malformed') setImmediate(() => this.close(error));
        throw error;
      }
    });
    peer.onNotify((name, payload) => this.#notified(name, payload));
    peer.onClose((error) => {
      const reason = error ?? new FarkeepError('connection.lost', 'The tenant closed the control channel');
      options.sessions.channelLost(peer, reason);
      options.onClose();
    });
  }

  get tenantId(): string | undefined {
    return this.#options.login.tenantId;
  }

  /** Account of a running or complete login. */
  get claimedTenantId(): string | undefined {
    return this.#options.login.claimedTenantId;
  }

  /** Undefined for a connection without a gateway. */
  get gatewayId(): string | undefined {
    return this.#options.connection.gatewayId;
  }

  /** Thumbprint of the certificate that this connection has shown. */
  get shownSha256(): string {
    return this.#options.connection.shownSha256;
  }

  tell<Name extends ProviderNotificationName>(name: Name, payload: ProviderNotification<Name>): void {
    tellTenant(this.#options.connection.peer, name, payload);
  }

  close(reason: FarkeepError): void {
    void this.#options.connection.peer.close(reason);
  }

  async #request(name: string, payload: unknown, signal: AbortSignal): Promise<unknown> {
    const { login, connection, onLogin } = this.#options;
    if (!isTenantRequest(name)) throw new FarkeepError('call.unknown', `There is no request "${name}"`);
    switch (name) {
      case 'hello':
        return login.hello(parseTenantRequest(name, payload));
      case 'login.start':
        return login.start(parseTenantRequest(name, payload), signal);
      case 'login.finish': {
        const answer = await login.finish(parseTenantRequest(name, payload));
        connection.confirmLogin();
        connection.peer.countInto(this.#options.bucketOf(answer.tenantId));
        if (login.tenantId !== undefined) await onLogin(login.tenantId);
        return answer;
      }
      case 'login.set-password': {
        const answer = await login.setPassword(parseTenantRequest(name, payload));
        if (login.tenantId !== undefined) await onLogin(login.tenantId);
        return answer;
      }
      default:
        return this.#authorized(name, payload);
    }
  }

  async #authorized(name: keyof Handlers, payload: unknown): Promise<unknown> {
    const tenantId = this.#options.login.tenantId;
    if (tenantId === undefined) throw new FarkeepError('call.refused', 'Not logged in');
    this.#options.connection.peer.charge(costs[name] ?? 1);
    const handler: (tenantId: string, input: never) => Promise<unknown> = this.#handlers[name];
    // The schema of the same name has parsed the payload. The compiler cannot see this through the table.
    return handler(tenantId, parseTenantRequest(name, payload) as never);
  }

  #notified(name: string, payload: unknown): void {
    const tenantId = this.#options.login.tenantId;
    if (tenantId === undefined) throw new FarkeepError('call.refused', 'A report came before the login');
    const notification = parseTenantNotification(name, payload);
    if (notification === undefined) return;
    const session = this.#options.sessions.find(tenantId, notification.payload.sessionId);
    if (session === undefined) return;
    if (notification.name === 'session.report') session.report(notification.payload);
    else session.tamperedAtTenant(notification.payload);
  }

  #sessionHandlers(): Omit<Pick<Handlers, Extract<keyof Handlers, `session.${string}`>>, 'session.evidence'> {
    const { sessions, channel, logger, refusals } = this.#options;
    return {
      'session.start': async (tenantId, input) => {
        try {
          return await sessions.start(tenantId, input, channel());
        } catch (error) {
          const { code, message: reason } = toFarkeepError(error);
          refusals.note(`session ${tenantId} ${code}`, (times) =>
            logger.info('A session was refused', { tenantId, sessionId: input.sessionId, reason, times }),
          );
          throw error;
        }
      },
      'session.resume': (tenantId, input) => sessions.resume(tenantId, input, channel()),
      'session.pause': (tenantId, input) => sessions.pauseByTenant(tenantId, input),
      'session.cancel': async (tenantId, { sessionId }) => {
        await sessions.cancelByTenant(tenantId, sessionId);
        return {};
      },
      'session.finish': (tenantId, input) => sessions.finish(tenantId, input),
    };
  }
}
