// Owns which commands make the snapshot of each target. They run at the start, after a gap, and after the start of a service.
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import { consoleClient, gatewayClients, providerClients, sessionClients, tenantClients } from '../clients.ts';
import type { SessionSide } from '../clients.ts';
import type {
  ConsoleSlice,
  GatewaySlice,
  OpenSession,
  PointsSlice,
  ProviderSlice,
  TenantSlice,
} from './mirror-state.ts';

const sessionsShown = { limit: 10_000 };

/** The calls that fill a mirror. Tests give their own. */
export interface SnapshotSource {
  console(): Promise<Partial<ConsoleSlice>>;
  provider(): Promise<Partial<ProviderSlice>>;
  gateway(): Promise<Partial<GatewaySlice>>;
  tenant(): Promise<Partial<TenantSlice>>;
  points(): Promise<Pick<PointsSlice, 'items' | 'unreachable' | 'unreadable' | 'leftOut'>>;
  pins(): Promise<Pick<TenantSlice, 'pins' | 'leftOut'>>;
  session(side: SessionSide, sessionId: string): Promise<Pick<OpenSession, 'detail' | 'samples' | 'leftOut'>>;
}

export const serviceSnapshots: SnapshotSource = {
  async console() {
    const [info, { roles }, { services }, preferences] = await Promise.all([
      consoleClient.info({}),
      consoleClient.getRoles({}),
      consoleClient.listServices({}),
      consoleClient.getPreferences({}),
    ]);
    return { info, roles, services, preferences };
  },
  async provider() {
    const { gateways, tenants, repositories, certificate, license, sessions } = providerClients;
    const [gatewayList, tenantList, repositoryList, server, provider, { rollover }, licenseSummary, sessionList] =
      await Promise.all([
        gateways.list({}),
        tenants.list({}),
        repositories.list({}),
        certificate.show({ slot: 'server' }),
        certificate.show({ slot: 'provider' }),
        certificate.showRollover({}),
        license.show({}),
        sessions.list(sessionsShown),
      ]);
    return {
      gateways: gatewayList.gateways,
      tenants: tenantList.tenants,
      repositories: repositoryList.repositories,
      certificates: { server, provider },
      rollover,
      license: licenseSummary,
      sessions: sessionList.sessions,
      leftOut: [gatewayList, tenantList, repositoryList, sessionList].flatMap(leftOutOfAnswer),
    };
  },
  async gateway() {
    return { node: await gatewayClients.gatewayNode.status({}) };
  },
  async tenant() {
    const { serviceProviders, jobs, trust, sessions } = tenantClients;
    const [providerList, jobList, promptList, pinList, sessionList] = await Promise.all([
      serviceProviders.list({}),
      jobs.list({}),
      trust.listPrompts({}),
      trust.listPins({}),
      sessions.list(sessionsShown),
    ]);
    return {
      providers: providerList.providers,
      jobs: jobList.jobs,
      prompts: promptList.prompts,
      pins: pinList.pins,
      sessions: sessionList.sessions,
      leftOut: [providerList, jobList, promptList, pinList, sessionList].flatMap(leftOutOfAnswer),
    };
  },
  async points() {
    const answer = await tenantClients.points.list({});
    const { points, unreachable, unreadable } = answer;
    // Newest first, because people mostly look for the newest.
    return { items: points.toReversed(), unreachable, unreadable, leftOut: leftOutOfAnswer(answer) };
  },
  async pins() {
    const answer = await tenantClients.trust.listPins({});
    return { pins: answer.pins, leftOut: leftOutOfAnswer(answer) };
  },
  async session(side, sessionId) {
    const client = sessionClients[side];
    const [detail, { samples }] = await Promise.all([client.show({ sessionId }), client.throughput({ sessionId })]);
    return { detail, samples, leftOut: leftOutOfAnswer(detail) };
  },
};
