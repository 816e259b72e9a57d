// Owns the typed clients, one for each target and domain. Every call of the renderer uses them.
import { createDomainClient } from '../../services/contracts/client.ts';
import { certificateDomain } from '../../services/contracts/rpc/certificate.ts';
import { consoleDomain } from '../../services/contracts/rpc/console.ts';
import { gatewayNodeDomain } from '../../services/contracts/rpc/gateway-node.ts';
import { gatewaysDomain } from '../../services/contracts/rpc/gateways.ts';
import { licenseDomain } from '../../services/contracts/rpc/license.ts';
import { jobsDomain } from '../../services/contracts/rpc/jobs.ts';
import { pointsDomain } from '../../services/contracts/rpc/points.ts';
import { repositoriesDomain } from '../../services/contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../../services/contracts/rpc/service-providers.ts';
import { serviceDomain } from '../../services/contracts/rpc/service.ts';
import { sessionsDomain } from '../../services/contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../services/contracts/rpc/tenants.ts';
import { trustDomain } from '../../services/contracts/rpc/trust.ts';
import { sendTo } from './bridge.ts';

const toConsole = sendTo('console');
const toProvider = sendTo('provider');
const toGateway = sendTo('gateway');
const toTenant = sendTo('tenant');

export const consoleClient = createDomainClient(consoleDomain, toConsole);

export const providerClients = {
  service: createDomainClient(serviceDomain, toProvider),
  certificate: createDomainClient(certificateDomain, toProvider),
  license: createDomainClient(licenseDomain, toProvider),
  gateways: createDomainClient(gatewaysDomain, toProvider),
  tenants: createDomainClient(tenantsDomain, toProvider),
  repositories: createDomainClient(repositoriesDomain, toProvider),
  sessions: createDomainClient(sessionsDomain, toProvider),
};

export const gatewayClients = {
  service: createDomainClient(serviceDomain, toGateway),
  gatewayNode: createDomainClient(gatewayNodeDomain, toGateway),
};

export const tenantClients = {
  service: createDomainClient(serviceDomain, toTenant),
  serviceProviders: createDomainClient(serviceProvidersDomain, toTenant),
  trust: createDomainClient(trustDomain, toTenant),
  jobs: createDomainClient(jobsDomain, toTenant),
  points: createDomainClient(pointsDomain, toTenant),
  sessions: createDomainClient(sessionsDomain, toTenant),
};

/** The clients for the sessions of both sides. */
export type SessionSide = 'provider' | 'tenant';

export const sessionClients = { provider: providerClients.sessions, tenant: tenantClients.sessions } as const;
