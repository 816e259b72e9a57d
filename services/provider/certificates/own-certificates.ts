// Owns opening the provider's own certificates: certificate store, license, identity for tenants, authority for gateways.
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

/** Folders with private keys, below the service's folder. */
const keyFolders = ['certificates', 'infrastructure'];

export interface OwnCertificates {
  readonly store: CertificateStore;
  readonly license: InstalledLicense;
  readonly identity: ProviderIdentity;
  /** The identity in the form that the control listener needs. */
  readonly serving: ServerIdentity;
  readonly infrastructure: InfrastructureIdentity;
  /** The address that gateways dial; their enrollment tokens contain it. */
  readonly infrastructureHost: string;
}

/** @throws certificate.key-unreadable, storage errors */
export async function openOwnCertificates(
  options: ServiceOptions<ProviderConfig> & { readonly access?: AccessControl },
  parts: ServiceParts,
): Promise<OwnCertificates> {
  const { home, config, logger, clock, publish, keychainKey, access } = options;
  if (config.serviceGroup !== undefined && access !== undefined) {
    // The group must be able to reach the keys; only the owner can read the databases beside them.
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

/** An address that a gateway on this machine can dial when the listener listens on all addresses. */
function dialable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
