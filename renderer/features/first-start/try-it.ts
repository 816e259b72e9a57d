// Owns the steps of "Try it on this computer": real services, one after another, up to the first running session. Draws nothing.
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import type { MirrorState } from '../../platform/mirror/mirror-state.ts';
import { consoleClient, gatewayClients, providerClients, tenantClients } from '../../platform/clients.ts';
import { mirror } from '../../platform/use-mirror.ts';
import { gatewayListenAddress } from '../../ui/form/gateway-address.ts';
import { generatePassword } from '../../ui/form/generate-password.ts';

export const tryItSteps = [
  'roles',
  'services',
  'sample',
  'repository',
  'gateway',
  'tenant',
  'provider',
  'job',
  'run',
] as const;
export type TryItStep = (typeof tryItSteps)[number];

export interface TryItNames {
  readonly repository: string;
  readonly gateway: string;
  readonly tenant: string;
  readonly job: string;
  readonly noListener: string;
  readonly linkLate: string;
  readonly serviceLate: string;
}

const startDeadlineMs = 60_000;
const linkDeadlineMs = 30_000;
const quotaBytes = 10_000_000_000;
const roles = ['provider', 'gateway', 'tenant'] as const;

/** Resolves when the mirror shows the condition. No service is asked repeatedly. */
function waitForMirror(isThere: (state: MirrorState) => boolean, deadlineMs: number, late: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isThere(mirror.store.getState())) {
      resolve();
      return;
    }
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(late));
    }, deadlineMs);
    const unsubscribe = mirror.store.subscribe((state) => {
      if (!isThere(state)) return;
      clearTimeout(timer);
      unsubscribe();
      resolve();
    });
  });
}

/** Uses the results of an earlier try again: a second try after a failure continues where the first one ended. */
export async function tryIt(
  names: TryItNames,
  onStep: (step: TryItStep) => void,
): Promise<{ readonly sessionId: string }> {
  onStep('roles');
  await consoleClient.setRoles({ roles: [...roles] });

  onStep('services');
  const areUp = (state: MirrorState): boolean =>
    roles.every((role) => {
      const service = state.console.services.find((candidate) => candidate.role === role);
      return service?.state === 'running' || service?.state === 'degraded';
    });
  await waitForMirror(areUp, startDeadlineMs, names.serviceLate);

  onStep('sample');
  const { sourcePath, repositoryPath } = await consoleClient.prepareSample({});

  onStep('repository');
  const { repositories } = await providerClients.repositories.list({});
  if (!repositories.some(({ name }) => name === names.repository)) {
    await providerClients.repositories.add({ name: names.repository, folder: repositoryPath });
  }

  onStep('gateway');
  await enrollGateway(names);

  onStep('tenant');
  const invitation = await inviteTenant(names);

  onStep('provider');
  const { providers } = await tenantClients.serviceProviders.list({});
  const known = providers.find(({ userName }) => userName === names.tenant);
  const provider = known ?? (await tenantClients.serviceProviders.accept({ invitation }));

  onStep('job');
  const { jobs } = await tenantClients.jobs.list({});
  const job =
    jobs.find(({ name }) => name === names.job) ??
    (await tenantClients.jobs.add({
      name: names.job,
      sourcePaths: [sourcePath],
      providerId: provider.id,
      repository: names.repository,
    }));

  onStep('run');
  return tenantClients.jobs.run({ jobId: job.id });
}

async function enrollGateway(names: TryItNames): Promise<void> {
  const { isEnrolled } = await gatewayClients.gatewayNode.status({});
  if (!isEnrolled) {
    const address = gatewayListenAddress(mirror.store.getState());
    if (address === null) throw new Error(names.noListener);
    const { token } = await providerClients.gateways.createEnrollToken({ name: names.gateway, addresses: [address] });
    await gatewayClients.gatewayNode.enroll({ token });
  }
  const isLinked = ({ gateway, provider }: MirrorState): boolean =>
    gateway.node?.link === 'connected' || provider.gateways.some(({ state }) => state === 'connected');
  await waitForMirror(isLinked, linkDeadlineMs, names.linkLate);
}

async function inviteTenant(names: TryItNames): Promise<Invitation> {
  const { tenants } = await providerClients.tenants.list({});
  const tenant =
    tenants.find(({ name }) => name === names.tenant) ??
    (await providerClients.tenants.add({
      name: names.tenant,
      password: generatePassword(),
      quotas: [{ repository: names.repository, limitBytes: quotaBytes }],
    }));
  const { invitation } = await providerClients.tenants.invite({ tenantId: tenant.id });
  return invitation;
}
