// Owns a whole instance for tests: provider, gateways, tenant services and data movers in this process, loopback only. Movers can be real
// processes.
// Calls are checked by the contract's schemas, as over a carrier. Must not be used by the product.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { DomainClient, DomainContract } from '../../contracts/contract.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { finalSessionStates } from '../../contracts/models/session.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { domains } from '../../contracts/rpc/domains.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { gatewayConfigSchema } from '../../gateway/config.ts';
import { startGateway, type GatewayService } from '../../gateway/service.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { createLogger, silentLogger, type Logger } from '../../kernel/logger.ts';
import type { RunningService } from '../../kernel/running-service.ts';
import { providerConfigSchema } from '../../provider/state/config.ts';
import { startProvider } from '../../provider/service.ts';
import { tenantConfigSchema } from '../../tenant/state/config.ts';
import { startTenant } from '../../tenant/service.ts';
import { RecordedEvents } from '../recorded-events.ts';
import { startMoverHere } from './mover-here.ts';

export const stackNames = {
  provider: 'northwind',
  account: 'contoso',
  password: 'correct horse battery staple',
  repository: 'main',
} as const;

const quotaBytes = 100 * 2 ** 30;

export interface StackService {
  readonly service: RunningService;
  readonly events: RecordedEvents;
  /** A typed client; the contract checks its inputs and outputs. */
  domain<Domain extends DomainContract>(domain: Domain): DomainClient<Domain>;
}

export interface StackOptions {
  readonly folder: string;
  readonly gateways?: number;
  readonly provider?: Record<string, unknown>;
  readonly tenant?: Record<string, unknown>;
  /** The gateway's address that tenants get, such as a proxy in front of the gateway. */
  readonly addressOf?: (index: number, real: { host: string; port: number }) => Promise<{ host: string; port: number }>;
  readonly quotaBytes?: number;
  readonly repositoryFolder?: string;
  /** Clock of provider and tenants. */
  readonly clock?: Clock;
  /** Clock of the tenants only. */
  readonly tenantClock?: Clock;
  /** Runs movers as child processes, as the product does. By default they run in this process, which is faster. */
  readonly hasMoverProcesses?: boolean;
}

export class Stack {
  readonly folder: string;
  readonly repositoryFolder: string;
  readonly #options: StackOptions;
  readonly #logger: Logger;
  provider: StackService;
  tenant: StackService;
  readonly gateways: GatewayService[] = [];
  readonly gatewayAddresses: { host: string; port: number }[] = [];

  private constructor(options: StackOptions, logger: Logger, provider: StackService, tenant: StackService) {
    this.#options = options;
    this.#logger = logger;
    this.folder = options.folder;
    this.repositoryFolder = options.repositoryFolder ?? path.join(options.folder, 'repository');
    this.provider = provider;
    this.tenant = tenant;
  }

  /** Starts account, repository and enrolled gateways. The tenant does not know the provider yet. */
  static async start(options: StackOptions): Promise<Stack> {
    const logger =
      process.env['FARKEEP_TEST_LOG'] === undefined ? silentLogger : createLogger({ name: 'stack', level: 'debug' });
    const provider = await launchProvider(options, logger);
    const tenant = await launchTenant(options, logger);
    const stack = new Stack(options, logger, provider, tenant);
    await provider.domain(repositoriesDomain).add({ name: stackNames.repository, folder: stack.repositoryFolder });
    await provider.domain(tenantsDomain).add({
      name: stackNames.account,
      password: stackNames.password,
      quotas: [{ repository: stackNames.repository, limitBytes: options.quotaBytes ?? quotaBytes }],
    });
    for (let index = 0; index < (options.gateways ?? 1); index += 1) await stack.addGateway(index);
    return stack;
  }

  async addGateway(index: number): Promise<void> {
    const home = path.join(this.folder, `gateway${index}`);
    await mkdir(home, { recursive: true });
    const gateway = await startGateway({
      home,
      config: gatewayConfigSchema.parse({ name: `gw${index}`, listen: [{ host: '127.0.0.1', port: 0 }] }),
      logger: this.#logger,
      clock: systemClock,
      version: 'test',
    });
    this.gateways.push(gateway);
    const [real] = gateway.addresses;
    if (real === undefined) throw new Error('The gateway does not listen');
    const address = (await this.#options.addressOf?.(index, real)) ?? { host: real.host, port: real.port };
    this.gatewayAddresses.push(address);
    const { gateway: made, token } = await this.provider
      .domain(gatewaysDomain)
      .createEnrollToken({ name: `gw${index}`, addresses: [address], isOnThisComputer: true });
    await gateway.enroll({ token, replace: false });
    await this.provider.events.waitFor(
      gatewaysDomain,
      'changed',
      (changed) => changed.id === made.id && changed.state === 'connected',
    );
  }

  /** SHA-256 of the installed provider certificate. */
  async fingerprint(): Promise<string> {
    return (await this.provider.domain(certificateDomain).show({ slot: 'provider' })).summary.sha256;
  }

  addressOf(index: number): { host: string; port: number } {
    const address = this.gatewayAddresses[index];
    if (address === undefined) throw new Error(`There is no gateway ${index}`);
    return address;
  }

  /** The tenant adds the provider by its thumbprint. */
  async addProvider(): Promise<ServiceProvider> {
    return this.tenant.domain(serviceProvidersDomain).add({
      name: stackNames.provider,
      ...this.addressOf(0),
      userName: stackNames.account,
      password: stackNames.password,
      fingerprint: await this.fingerprint(),
    });
  }

  async addJob(providerId: string, sourcePath: string, { name = 'documents', streams = 2 } = {}): Promise<string> {
    const job = await this.tenant
      .domain(jobsDomain)
      .add({ name, sourcePaths: [sourcePath], providerId, repository: stackNames.repository, streams });
    return job.id;
  }

  /** Runs a job to its end. */
  async runJob(jobId: string, timeoutMs?: number): Promise<SessionDetail> {
    const { sessionId } = await this.tenant.domain(jobsDomain).run({ jobId });
    return this.untilEnded(sessionId, timeoutMs);
  }

  async restore(
    pointId: string,
    destination: string,
    paths: string[] = [],
    timeoutMs?: number,
  ): Promise<SessionDetail> {
    const { sessionId } = await this.tenant.domain(pointsDomain).restore({ pointId, destination, paths });
    return this.untilEnded(sessionId, timeoutMs);
  }

  async untilEnded(sessionId: string, timeoutMs = 25_000): Promise<SessionDetail> {
    const show = (): Promise<SessionDetail> => this.tenant.domain(sessionsDomain).show({ sessionId });
    try {
      await this.tenant.events.waitFor(
        sessionsDomain,
        'changed',
        ({ id, state }) => id === sessionId && finalSessionStates.includes(state),
        timeoutMs,
      );
    } catch (error) {
      // The error shows the state of the session that did not end.
      const { state, attempt, steps, actions } = await show();
      throw new Error(JSON.stringify({ state, attempt, steps, actions }, null, 1), { cause: error });
    }
    return show();
  }

  async untilEndedAtProvider(sessionId: string): Promise<SessionDetail> {
    await this.provider.events.waitFor(
      sessionsDomain,
      'changed',
      ({ id, state }) => id === sessionId && finalSessionStates.includes(state),
    );
    return this.provider.domain(sessionsDomain).show({ sessionId });
  }

  async restartProvider(): Promise<void> {
    await this.stopProvider();
    this.provider = await launchProvider(this.#options, this.#logger, portsOf(this.provider));
  }

  async stopProvider(): Promise<void> {
    await this.provider.service.stop(2000);
  }

  async restartTenant(): Promise<void> {
    await this.tenant.service.stop(2000);
    this.tenant = await launchTenant(this.#options, this.#logger);
  }

  /** Starts another tenant service; the caller must stop it. */
  startAnotherTenant(folderName: string): Promise<StackService> {
    return launchTenant(this.#options, this.#logger, folderName);
  }

  /** Accepts the prompt of a probe after a comparison, as an admin would. */
  async acceptByPrompt(): Promise<void> {
    const { prompt } = await this.tenant.domain(serviceProvidersDomain).probe(this.addressOf(0));
    if (prompt === null) throw new Error('There was no prompt to accept');
    await this.tenant.domain(trustDomain).answerPrompt({ promptId: prompt.id, answer: 'accept', isCompared: true });
  }

  async stop(): Promise<void> {
    await this.tenant.service.stop(2000);
    await Promise.all(this.gateways.map((gateway) => gateway.stop(0)));
    await this.provider.service.stop(2000);
  }
}

function portsOf({ service }: StackService): Record<string, unknown> {
  const port = (name: string): number => Number(service.listeners[name]?.split(':').at(-1));
  return {
    control: { host: '127.0.0.1', port: port('control') },
    infrastructure: { host: '127.0.0.1', port: port('infrastructure') },
  };
}

async function launchProvider(
  options: StackOptions,
  logger: Logger,
  ports: Record<string, unknown> = {
    control: { host: '127.0.0.1', port: 0 },
    infrastructure: { host: '127.0.0.1', port: 0 },
  },
): Promise<StackService> {
  const home = path.join(options.folder, 'provider');
  await mkdir(home, { recursive: true });
  const events = new RecordedEvents();
  const config = providerConfigSchema.parse({
    name: stackNames.provider,
    certificateKeyBits: 2048,
    ...ports,
    ...options.provider,
  });
  const service = await startProvider({
    home,
    config,
    logger: logger.child({ role: 'provider' }),
    clock: options.clock ?? systemClock,
    publish: events.publish,
    ...(options.hasMoverProcesses === true ? {} : { startMover: startMoverHere }),
  });
  return { service, events, domain: (domain) => clientOf(domain, service) };
}

async function launchTenant(options: StackOptions, logger: Logger, folderName = 'tenant'): Promise<StackService> {
  const home = path.join(options.folder, folderName);
  await mkdir(home, { recursive: true });
  const events = new RecordedEvents();
  const service = await startTenant({
    home,
    config: tenantConfigSchema.parse({ retryIntervalMs: 200, retryWindowMs: 30_000, ...options.tenant }),
    logger: logger.child({ role: 'tenant' }),
    clock: options.tenantClock ?? options.clock ?? systemClock,
    publish: events.publish,
    ...(options.hasMoverProcesses === true ? {} : { startMover: startMoverHere }),
  });
  return { service, events, domain: (domain) => clientOf(domain, service) };
}

type AnyHandler = (input: unknown, context: unknown) => unknown;

/** A typed client of a service in this process. */
export function clientOf<Domain extends DomainContract>(domain: Domain, service: RunningService): DomainClient<Domain> {
  const key = Object.entries(domains).find(([, contract]) => (contract as DomainContract) === domain)?.[0] ?? '';
  const handlers = (service.domains as Record<string, Record<string, AnyHandler> | undefined>)[key];
  if (handlers === undefined) throw new Error(`This service does not serve ${domain.name}`);
  const methods = Object.entries(domain.commands).map(([command, contract]) => [
    command,
    async (input: unknown, { signal = new AbortController().signal }: { signal?: AbortSignal } = {}) => {
      const output = await handlers[command]?.(contract.input.parse(input), {
        signal,
        correlationId: 'test',
        caller: { kind: 'command line', account: 'tester' },
      });
      return contract.output.parse(output);
    },
  ]);
  return Object.fromEntries(methods) as DomainClient<Domain>;
}
