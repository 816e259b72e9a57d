// Owns the login of one control connection: hello, SCRAM-SHA-256-PLUS, exchange of a one-time secret for a password.
// Must not accept other requests before the login is complete. Never sees a password.
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Secret } from '../../kernel/secret.ts';
import {
  controlProtocolVersion,
  knownControlFeatures,
  type TenantRequestInput,
  type TenantRequestOutput,
} from '../../wire/control-messages.ts';
import { ScramServer } from '../../wire/scram.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Credential } from '../state/account-store.ts';
import type { TenantAccounts } from './tenant-accounts.ts';

/** The tenant uses the same limit. */
const maxClockDifferenceMs = 5 * 60_000;

export interface LoginExchangeOptions {
  readonly accounts: TenantAccounts;
  readonly throttle: LoginThrottle;
  readonly unknownUserSecret: Secret;
  readonly channelBinding: Buffer;
  readonly address: string;
  readonly providerName: string;
  readonly software: string;
  readonly clock: Clock;
  /** Called when the clock of a logged-in tenant differs by minutes from the local clock. */
  readonly onClockDiffers: (userName: string, aheadMs: number) => void;
  /** Called for every failed login, for log and audit. */
  readonly onFailure: (userName: string, error: FarkeepError) => void;
}

export class LoginExchange {
  readonly #options: LoginExchangeOptions;
  #hasGreeted = false;
  #scram: ScramServer | undefined;
  #userName = '';
  #credential: Credential | undefined;
  #isFinishing = false;
  #tenantId: string | undefined;
  #mustSetPassword = false;
  #clockAheadMs = 0;

  constructor(options: LoginExchangeOptions) {
    this.#options = options;
  }

  /** Set after a login with the account's own password. */
  get tenantId(): string | undefined {
    return this.#mustSetPassword ? undefined : this.#tenantId;
  }

  /** Account of a running or complete login. Proven only when `tenantId` is set. */
  get claimedTenantId(): string | undefined {
    return this.#credential?.tenantId;
  }

  hello(input: TenantRequestInput<'hello'>): TenantRequestOutput<'hello'> {
    const nowMs = Math.max(0, Math.round(this.#options.clock.now()));
    this.#clockAheadMs = input.clockMs === undefined ? 0 : input.clockMs - nowMs;
    if (input.protocol < controlProtocolVersion) {
      throw new FarkeepError('protocol.version', `The tenant speaks version ${input.protocol} of the control protocol`);
    }
    const supported: readonly string[] = knownControlFeatures;
    const missing = input.features.find((feature) => feature.isRequired && !supported.includes(feature.name));
    if (missing !== undefined) {
      throw new FarkeepError(
        'protocol.feature',
        `The tenant needs "${missing.name}", which this provider does not have`,
      );
    }
    this.#hasGreeted = true;
    return {
      protocol: controlProtocolVersion,
      software: this.#options.software,
      features: knownControlFeatures.map((name) => ({ name, isRequired: false })),
      providerName: this.#options.providerName,
      clockMs: nowMs,
    };
  }

  async start(
    { message }: TenantRequestInput<'login.start'>,
    signal: AbortSignal,
  ): Promise<TenantRequestOutput<'login.start'>> {
    if (!this.#hasGreeted) throw new FarkeepError('protocol.malformed', 'The login came before hello');
    if (this.#scram !== undefined || this.#tenantId !== undefined) {
      throw new FarkeepError('protocol.malformed', 'A connection has one login');
    }
    const { accounts, throttle, unknownUserSecret, channelBinding, address } = this.#options;
    this.#scram = new ScramServer({
      channelBinding,
      unknownUserSecret,
      findVerifier: async (userName) => {
        this.#userName = userName;
        await throttle.pause(userName, address, signal);
        this.#credential = await accounts.findCredential(userName);
        return this.#credential?.verifier;
      },
    });
    return { message: await this.#scram.first(message) };
  }

  async finish({ message }: TenantRequestInput<'login.finish'>): Promise<TenantRequestOutput<'login.finish'>> {
    const { accounts, throttle, address, onFailure, onClockDiffers } = this.#options;
    const scram = this.#scram;
    if (scram === undefined || this.#isFinishing) {
      throw new FarkeepError('protocol.malformed', 'The end of a login came before its start');
    }
    this.#isFinishing = true;
    const outcome = scram.final(message);
    const credential = this.#credential;
    if (!outcome.isAccepted || credential === undefined) {
      const error = outcome.isAccepted ? new FarkeepError('login.refused') : outcome.error;
      throttle.noteFailure(this.#userName, address);
      onFailure(this.#userName, error);
      throw error;
    }
    throttle.noteSuccess(this.#userName);
    await accounts.requireActive(credential.tenantId);
    this.#mustSetPassword = credential.invitationId !== null;
    this.#tenantId = credential.tenantId;
    if (Math.abs(this.#clockAheadMs) > maxClockDifferenceMs) onClockDiffers(this.#userName, this.#clockAheadMs);
    if (!this.#mustSetPassword) await accounts.noteLogin(credential.tenantId);
    return { message: outcome.message, tenantId: credential.tenantId, mustSetPassword: this.#mustSetPassword };
  }

  async setPassword(
    input: TenantRequestInput<'login.set-password'>,
  ): Promise<TenantRequestOutput<'login.set-password'>> {
    const credential = this.#credential;
    if (!this.#mustSetPassword || this.#tenantId === undefined || credential?.invitationId == null) {
      throw new FarkeepError('call.refused', 'Only a login by invitation sets a password here');
    }
    await this.#options.accounts.redeemInvitation(credential.invitationId, credential.tenantId, {
      salt: Buffer.from(input.salt, 'base64'),
      iterations: input.iterations,
      storedKey: Buffer.from(input.storedKey, 'base64'),
      serverKey: Buffer.from(input.serverKey, 'base64'),
    });
    this.#mustSetPassword = false;
    await this.#options.accounts.noteLogin(credential.tenantId);
    return {};
  }
}
