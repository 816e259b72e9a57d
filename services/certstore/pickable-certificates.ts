// Owns the list of the page Pick Certificate: Farkeep's own store and what other programs keep on this machine.
import type { PickableCertificate } from '../contracts/models/certificate.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { readCertificate } from '../pki/certificate-summary.ts';
import { checkUsable } from '../pki/import-selection.ts';
import { listPickable, type PickRoots, systemPickRoots } from '../pki/pick.ts';
import type { CertificateStore } from './certificate-store.ts';

/** In front of the id of a certificate in Farkeep's own store; other pick ids are for `pickCertificate`. */
export const ownStorePrefix = 'farkeep:';

/** Farkeep's own certificates first, then the others; within each the usable ones first, the rest with the reason. */
export async function listPickableCertificates(
  store: CertificateStore,
  { roots = systemPickRoots, clock = systemClock }: { roots?: PickRoots; clock?: Clock } = {},
): Promise<PickableCertificate[]> {
  const own: PickableCertificate[] = [];
  for (const { id, friendlyName, summary } of await store.list()) {
    own.push({
      pickId: `${ownStorePrefix}${id}`,
      store: 'Farkeep',
      issuedTo: summary.commonName,
      issuedBy: readCertificate(summary.pem).structure.issuerName ?? summary.issuer,
      friendlyName,
      notAfter: summary.notAfter,
      unusableReason: await reasonAgainst(store, id, summary.pem, clock),
    });
  }
  own.sort((a, b) => Number(a.unusableReason !== null) - Number(b.unusableReason !== null));
  return [...own, ...(await listPickable(roots, clock))];
}

async function reasonAgainst(
  store: CertificateStore,
  id: string,
  certificatePem: string,
  clock: Clock,
): Promise<string | null> {
  try {
    await store.checkKey(id);
    checkUsable(readCertificate(certificatePem), [], clock.now());
    return null;
  } catch (error) {
    if (error instanceof FarkeepError) return error.message;
    throw error;
  }
}
