// Owns the list of all domains; dispatcher tables, clients and the bridge derive from it.
import { certificateDomain } from './certificate.ts';
import { consoleDomain } from './console.ts';
import { gatewayNodeDomain } from './gateway-node.ts';
import { gatewaysDomain } from './gateways.ts';
import { jobsDomain } from './jobs.ts';
import { licenseDomain } from './license.ts';
import { pointsDomain } from './points.ts';
import { repositoriesDomain } from './repositories.ts';
import { serviceDomain } from './service.ts';
import { serviceProvidersDomain } from './service-providers.ts';
import { sessionsDomain } from './sessions.ts';
import { tenantsDomain } from './tenants.ts';
import { trustDomain } from './trust.ts';

export const domains = {
  service: serviceDomain,
  certificate: certificateDomain,
  license: licenseDomain,
  gateways: gatewaysDomain,
  gatewayNode: gatewayNodeDomain,
  tenants: tenantsDomain,
  repositories: repositoriesDomain,
  sessions: sessionsDomain,
  serviceProviders: serviceProvidersDomain,
  trust: trustDomain,
  jobs: jobsDomain,
  points: pointsDomain,
  console: consoleDomain,
} as const;

export type DomainKey = keyof typeof domains;
