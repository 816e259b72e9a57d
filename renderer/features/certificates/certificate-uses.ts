// Owns what a stored certificate is used for. A certificate in use cannot be removed. Pure.
import type { Rollover, StoredCertificate } from '../../../services/contracts/models/certificate.ts';

export type CertificateUse = 'server' | 'provider' | 'announced';

export function certificateUses(
  { id, installedInSlots }: Pick<StoredCertificate, 'id' | 'installedInSlots'>,
  rollover: Pick<Rollover, 'next'> | null,
): CertificateUse[] {
  return [...installedInSlots, ...(rollover?.next.id === id ? (['announced'] as const) : [])];
}
