// Owns opening what the provider shows of itself: certificate store, license, identity towards tenants, authority towards gateways.
import { hostname } from 'node:os';
import path from 'node:path';
import type { AccessControl } from '../../certstore/access-control.ts';
import { applyAccess } from '../../certstore/apply-access.ts';
import { CertificateStore } from '../../certstore/certificate-store.ts';
import type { ServiceOptions, ServiceParts } from '../../kernel/running-service.ts';
import { anonymousCommonName } from '../../pki/create/generate.ts';
import type { ServerIdentity } from '../../transport/server-identity.ts';
import { openInfrastructureIdentity, type InfrastructureIdentity } from '../gateways/infrastructure-identity.ts';
import { InstalledLicense } from '../license/license.ts';
import type { ProviderConfig } from '../state/config.ts';
import { ProviderIdentity } from './provider-identity.ts';

/** With private keys, below the service's folder. */
const keyFolders = ['certificates', 'infrastructure'];

export interface OwnCertificates {
  readonly store: CertificateStore;
  readonly license: InstalledLicense;
  readonly identity: ProviderIdentity;
  /** The identity as the control listener takes it. */
  readonly serving: ServerIdentity;
  readonly infrastructure: InfrastructureIdentity;
  /** What gateways dial; their enrollment tokens name it. */
  readonly infrastructureHost: string;
}

/** @throws certificate.key-unreadable, storage errors */
export async function openOwnCertificates(
  options: ServiceOptions<ProviderConfig> & { readonly access?: AccessControl },
  parts: ServiceParts,
): Promise<OwnCertificates> {
  const { home, config, logger, clock, publish, keychainKey, access } = options;
  if (config.serviceGroup !== undefined && access !== undefined) {
    // The group has to get through to the keys; the databases beside them stay the owner's.
    await access.apply(home, 'folder');
    for (const folder of keyFolders) await applyAccess(path.join(home, folder), access);
  }
  const store = parts.use(
    await CertificateStore.open(path.join(home, 'certificates'), { logger, clock, keychainKey, access }),
  );
  const license = await InstalledLicense.open({
    home,
    keyFiles: config.licenseKeyFiles,
    machineName: hostname() || anonymousCommonName(),
    clock,
    logger,
    publish,
  });
  parts.defer(() => license.dispose());
  for (const slot of ['provider', 'server'] as const) {
    await store.ensureSelfSigned(slot, { subject: license.subject(), keyBits: config.certificateKeyBits });
  }
  const { identity, serving } = await ProviderIdentity.open(store);
  const infrastructureHost = config.infrastructureAddress ?? dialable(config.infrastructure.host);
  const names = [infrastructureHost];
  const infrastructure = await openInfrastructureIdentity({ home, names, clock, logger, keychainKey, access });
  parts.use(infrastructure.protection);
  return { store, license, identity, serving, infrastructure, infrastructureHost };
}

/** What a gateway on this machine can dial when the listener takes every address. */
function dialable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
