// Owns the list of the page Pick Certificate: Farkeep's own store and what other programs keep on this machine, and reading one of them.
import type { PickableCertificate } from '../contracts/models/certificate.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { readCertificate } from '../pki/certificate-summary.ts';
import type { ImportOptions } from '../pki/import.ts';
import { checkUsable } from '../pki/import-selection.ts';
import { listPickable, pickCertificate, type PickRoots, systemPickRoots } from '../pki/pick.ts';
import type { CertificateStore, NewCertificate } from './certificate-store.ts';

const storePrefix = 'store:';

/** Farkeep's own certificates first, then the others; within each the usable ones first, the rest with the reason. */
export async function listPickableCertificates(
  store: CertificateStore,
  { roots = systemPickRoots, clock = systemClock }: { roots?: PickRoots; clock?: Clock } = {},
): Promise<PickableCertificate[]> {
  const own: PickableCertificate[] = [];
  for (const { id, friendlyName, summary } of await store.list()) {
    own.push({
      pickId: `${storePrefix}${id}`,
      store: 'Farkeep',
      issuedTo: summary.commonName,
      issuedBy: readCertificate(summary.pem).structure.issuerName ?? summary.issuer,
      friendlyName,
      notAfter: summary.notAfter,
      unusableReason: await reasonAgainst(store, id, clock),
    });
  }
  own.sort((a, b) => Number(a.unusableReason !== null) - Number(b.unusableReason !== null));
  return [...own, ...(await listPickable(roots, clock))];
}

/**
 * Reads what was picked, with its key, for a candidate. Dispose the key.
 * @throws FarkeepError 'call.not-found' | 'certificate.*'
 */
export async function loadPickedCertificate(
  store: CertificateStore,
  pickId: string,
  { roots = systemPickRoots, ...options }: { roots?: PickRoots } & ImportOptions = {},
): Promise<NewCertificate & { readonly warnings: readonly string[] }> {
  if (pickId.startsWith(storePrefix)) {
    const loaded = await store.load(pickId.slice(storePrefix.length));
    checkUsable(readCertificate(loaded.certificatePem), [], (options.clock ?? systemClock).now());
    return { ...loaded, warnings: [] };
  }
  const picked = await pickCertificate(pickId, roots, options);
  return {
    certificatePem: picked.certificatePem,
    chainPem: picked.chainPem,
    privateKey: picked.privateKey,
    friendlyName: picked.friendlyName ?? picked.summary.commonName,
    origin: 'picked',
    warnings: picked.warnings,
  };
}

async function reasonAgainst(store: CertificateStore, id: string, clock: Clock): Promise<string | null> {
  try {
    const loaded = await store.load(id);
    loaded.privateKey.dispose();
    checkUsable(readCertificate(loaded.certificatePem), [], clock.now());
    return null;
  } catch (error) {
    if (error instanceof FarkeepError) return error.message;
    throw error;
  }
}
