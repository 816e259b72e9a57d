// Owns the set-up for `farkeep demo` and for tests: provider, gateways and tenant as real processes on loopback, account, repository,
// enrolled gateways, pinned provider. Keeps everything below one folder and uses only loopback addresses.
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { DomainClient, ServiceRole } from '../contracts/contract.ts';
import type { ServiceProvider } from '../contracts/models/tenant.ts';
import type { StoredCertificate } from '../contracts/models/certificate.ts';
import { certificateDomain } from '../contracts/rpc/certificate.ts';
import { gatewayNodeDomain } from '../contracts/rpc/gateway-node.ts';
import { gatewaysDomain } from '../contracts/rpc/gateways.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../contracts/rpc/service-providers.ts';
import { tenantsDomain } from '../contracts/rpc/tenants.ts';
import { waitUntil } from '../kernel/deadline.ts';
import { writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { makeFolders } from '../kernel/state/make-folders.ts';
import { connectAdmin, type AdminClient } from '../host/carriers/admin-client.ts';
import { parseAddress } from '../host/serve-flags.ts';
import { configFileOf } from '../kernel/state/home-folder.ts';
import { spawnService, type ServiceChild } from '../host/service-child.ts';

/** Reports one finished step, as text for people. */
export type StepReporter = (title: string, detail: string, durationMs: number) => void;

export interface DemoSite {
  readonly root: string;
  readonly provider: DemoService;
  readonly gateways: readonly DemoService[];
  readonly tenant: DemoService;
  /** "host:port" to which tenants connect, one for each gateway. */
  readonly gatewayAddresses: readonly string[];
  readonly certificate: StoredCertificate;
  readonly tenantUser: string;
  readonly passwordFile: string;
  readonly repository: string;
  readonly serviceProvider: ServiceProvider;
  /** Ends tenant, gateways, provider, in this order. Safe to call twice. */
  stop(): Promise<void>;
}

export interface DemoService {
  /** Root folder of this service's own instance, for `--home`. */
  readonly home: string;
  readonly process: ServiceChild;
  readonly client: AdminClient;
}

export const demoNames = { provider: 'demo-provider', tenant: 'demo', repository: 'main' } as const;
const quotaBytes = 2 ** 40;
const stopDeadlineMs = 5_000;
const linkDeadlineMs = 20_000;

/**
 * @param root an empty folder, or one that does not exist yet
 * @throws FarkeepError the first error; everything that was started is ended before
 */
export async function startDemoSite({
  root,
  gatewayCount = 1,
  report,
  onStarted,
  signal,
}: {
  readonly root: string;
  readonly gatewayCount?: number;
  readonly report: StepReporter;
  /** Called at once for each started process, for a caller that must be able to kill all started processes. */
  readonly onStarted?: (child: ServiceChild) => void;
  readonly signal: AbortSignal;
}): Promise<DemoSite> {
  await requireEmpty(root);
  const started: DemoService[] = [];
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const { client } of started) client.close();
    // In this order no service loses another service that it still needs.
    for (const role of ['tenant', 'gateway', 'provider'] as const) {
      const services = started.filter((service) => service.process.role === role);
      await Promise.all(services.map((service) => service.process.stop(stopDeadlineMs)));
    }
  };
  const start = async (role: ServiceRole, folder: string, args: readonly string[]): Promise<DemoService> => {
    const home = path.join(root, folder);
    await makeFolders(home, { mode: 0o700 });
    const logFile = path.join(root, 'log', `${folder}.log`);
    const child = await spawnService({ role, home, args, logFile, signal });
    onStarted?.(child);
    try {
      const service = { home, process: child, client: await connectAdmin({ home, role }) };
      started.push(service);
      return service;
    } catch (error) {
      await child.stop(stopDeadlineMs);
      throw error;
    }
  };

  try {
    const timer = createTimer(report);
    const [provider, tenant, ...gateways] = await settleAll([
      start('provider', 'provider', [
        '--name',
        demoNames.provider,
        '--control',
        '127.0.0.1:0',
        '--infrastructure',
        '127.0.0.1:0',
      ]),
      start('tenant', 'tenant', []),
      ...Array.from({ length: gatewayCount }, (_, index) =>
        start('gateway', `gateway${index + 1}`, ['--name', `gw${index + 1}`, '--listen', '127.0.0.1:0']),
      ),
    ]);
    await rememberConfigurations(provider, gateways);
    timer('Services started', describeProcesses(provider, gateways, tenant));

    const certificate = await provider.client.domain(certificateDomain).show({ slot: 'provider' }, { signal });
    const { sha256, keyType } = certificate.summary;
    timer('Provider certificate', `${keyType}, SHA-256 ${sha256}`);

    await provider.client
      .domain(repositoriesDomain)
      .add({ name: demoNames.repository, folder: path.join(root, 'repository') }, { signal });
    const passwordFile = path.join(root, 'tenant-password');
    const password = randomBytes(18).toString('base64url');
    await writeFileAtomically(passwordFile, `${password}\n`, { mode: 0o600 });
    await provider.client
      .domain(tenantsDomain)
      .add(
        { name: demoNames.tenant, password, quotas: [{ repository: demoNames.repository, limitBytes: quotaBytes }] },
        { signal },
      );
    timer(
      'Repository and account',
      `"${demoNames.repository}", account "${demoNames.tenant}" with a generated password`,
    );

    const gatewayAddresses = gateways.map(({ process: { ready } }) => ready.listeners['gateway'] ?? '');
    for (const [index, gateway] of gateways.entries()) {
      await enroll(provider.client, gateway.client, `gw${index + 1}`, gatewayAddresses[index] ?? '', signal);
    }
    timer(gateways.length === 1 ? 'Gateway enrolled' : 'Gateways enrolled', gatewayAddresses.join(', '));

    const { host = '127.0.0.1', port } = parseAddress('address', gatewayAddresses[0] ?? '');
    const serviceProvider = await tenant.client
      .domain(serviceProvidersDomain)
      .add(
        { name: demoNames.provider, host, port, userName: demoNames.tenant, password, fingerprint: sha256 },
        { signal },
      );
    timer('Provider added at the tenant', `thumbprint compared and pinned; logged in as "${demoNames.tenant}"`);

    return {
      root,
      provider,
      gateways,
      tenant,
      gatewayAddresses,
      certificate,
      tenantUser: demoNames.tenant,
      passwordFile,
      repository: demoNames.repository,
      serviceProvider,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for all promises, also when one promise fails: a started service can be ended only after its promise has settled. */
async function settleAll<First, Second, Rest>(
  work: readonly [Promise<First>, Promise<Second>, ...Promise<Rest>[]],
): Promise<[First, Second, ...Rest[]]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function requireEmpty(root: string): Promise<void> {
  await makeFolders(root, { mode: 0o700 });
  if ((await readdir(root)).length > 0) {
    throw new FarkeepError('call.conflict', `${root} is not empty`, { hint: 'Choose a new folder with --keep.' });
  }
}

/** Writes the chosen ports to configuration files, so that `farkeep serve ROLE --home HOME` starts a service again on the same ports. */
async function rememberConfigurations(provider: DemoService, gateways: readonly DemoService[]): Promise<void> {
  const { control = '', infrastructure = '' } = provider.process.ready.listeners;
  const write = (home: string, role: ServiceRole, config: object): Promise<void> =>
    writeFileAtomically(configFileOf(home, role), `${JSON.stringify(config, null, 2)}\n`);
  await write(provider.home, 'provider', {
    name: demoNames.provider,
    control: parseAddress('control', control),
    infrastructure: parseAddress('infrastructure', infrastructure),
  });
  for (const [index, gateway] of gateways.entries()) {
    const address = gateway.process.ready.listeners['gateway'] ?? '';
    await write(gateway.home, 'gateway', { name: `gw${index + 1}`, listen: [parseAddress('listen', address)] });
  }
}

/** Resolves when the gateway's link is open and the provider shows the gateway as connected. */
export async function enroll(
  provider: AdminClient,
  gateway: AdminClient,
  name: string,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  const { host = '127.0.0.1', port } = parseAddress('address', address);
  const { token } = await provider
    .domain(gatewaysDomain)
    .createEnrollToken({ name, addresses: [{ host, port }] }, { signal });
  const node = gateway.domain(gatewayNodeDomain);
  await node.enroll({ token }, { signal });
  await untilLinked(gateway, node, signal);
  await untilConnected(provider, name, signal);
}

async function untilLinked(
  gateway: AdminClient,
  node: DomainClient<typeof gatewayNodeDomain>,
  signal: AbortSignal,
): Promise<void> {
  await untilEvent(gateway, gatewayNodeDomain.name, signal, 'The gateway did not reach the provider', async () => {
    return (await node.status({})).link === 'connected';
  });
}

async function untilConnected(provider: AdminClient, name: string, signal: AbortSignal): Promise<void> {
  await untilEvent(provider, gatewaysDomain.name, signal, 'The provider does not see the gateway', async () => {
    const { gateways } = await provider.domain(gatewaysDomain).list({});
    return gateways.some((gateway) => gateway.name === name && gateway.state === 'connected');
  });
}

/** Checks at once, and again after every event of the domain. */
async function untilEvent(
  client: AdminClient,
  domain: string,
  signal: AbortSignal,
  failure: string,
  isReached: () => Promise<boolean>,
): Promise<void> {
  await waitUntil({
    limitMs: linkDeadlineMs,
    signal,
    onLate: () => new FarkeepError('call.timeout', `${failure} within ${linkDeadlineMs} ms`),
    onAbort: () => new FarkeepError('call.canceled'),
    look: async () => ((await isReached()) ? true : undefined),
    subscribe: (onEvent) =>
      client.subscribe((event) => {
        if (event.domain === domain) onEvent();
      }),
  });
}

function describeProcesses(provider: DemoService, gateways: readonly DemoService[], tenant: DemoService): string {
  const pids = gateways.map(({ process: { pid } }) => String(pid)).join(', ');
  return `processes: provider ${provider.process.pid}, gateway ${pids}, tenant ${tenant.process.pid}`;
}

/** Reports each step with the time since the previous step. */
export function createTimer(report: StepReporter): (title: string, detail: string) => void {
  let last = performance.now();
  return (title, detail) => {
    const now = performance.now();
    report(title, detail, now - last);
    last = now;
  };
}
