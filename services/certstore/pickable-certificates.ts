// Owns the list of the page Pick Certificate: Farkeep's own store and the certificates of other programs on this machine.
import type { PickableCertificate, UnreadableStore } from '../contracts/models/certificate.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { readCertificate } from '../pki/certificate/certificate-summary.ts';
import { checkUsable } from '../pki/import/import-selection.ts';
import { listPickable, shownOf, type PickRoots, systemPickRoots } from '../pki/import/pick.ts';
import type { CertificateStore } from './certificate-store.ts';
import { type WindowsCertificates, windowsStoreName } from './windows-certificates.ts';

/** Prefix of the pick id of a certificate in Farkeep's own store; other pick ids belong to `WindowsCertificates` and `pickCertificate`. */
export const ownStorePrefix = 'farkeep:';

interface PickSources {
  readonly roots?: PickRoots;
  readonly clock?: Clock;
  readonly windowsCertificates?: WindowsCertificates | undefined;
}

/**
 * Lists Farkeep's own certificates first, then the certificates of other programs. In each part the usable certificates come first, and
 * each unusable certificate has a reason. Another program reads the Windows store. If this program fails, all other certificates are still
 * listed.
 */
export async function listPickableCertificates(
  store: CertificateStore,
  { roots = systemPickRoots, clock = systemClock, windowsCertificates }: PickSources = {},
): Promise<{ certificates: PickableCertificate[]; unreadableStores: UnreadableStore[] }> {
  const own: PickableCertificate[] = [];
  for (const { id, friendlyName, summary, installedInSlots } of await store.list()) {
    const unusableReason = await reasonAgainst(store, id, summary.pem, clock);
    own.push({
      pickId: `${ownStorePrefix}${id}`,
      store: 'Farkeep',
      issuedTo: summary.commonName,
      issuedBy: readCertificate(summary.pem).structure.issuerName ?? summary.issuer,
      friendlyName,
      notAfter: summary.notAfter,
      unusableReason,
      ...shownOf(summary),
      installedInSlots,
      warning: unusableReason === null ? await warningAbout(store, id) : null,
    });
  }
  own.sort((a, b) => Number(a.unusableReason !== null) - Number(b.unusableReason !== null));
  const unreadableStores: UnreadableStore[] = [];
  const ofWindows = await windowsCertificates?.list(clock).catch((error: unknown) => {
    if (!(error instanceof FarkeepError)) throw error;
    unreadableStores.push({ store: windowsStoreName, reason: error.message });
    return [];
  });
  return { certificates: [...own, ...(ofWindows ?? []), ...(await listPickable(roots, clock))], unreadableStores };
}

async function warningAbout(store: CertificateStore, id: string): Promise<string | null> {
  try {
    return await store.chainWarning(id);
  } catch (error) {
    // One certificate that cannot serve must not hide the others.
    if (error instanceof FarkeepError) return error.message;
    throw error;
  }
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
