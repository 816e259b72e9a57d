// Owns the input and the results of the wizard so far. Pure, so that tests can check the rule "a change drops the candidate".
import type { CertificateCandidate, StoredCertificate } from '../../../services/contracts/models/certificate.ts';

export const certificateTypes = ['keep', 'generate', 'pick', 'import'] as const;
export type CertificateType = (typeof certificateTypes)[number];

export interface CertificateDraft {
  readonly type: CertificateType;
  readonly friendlyName: string;
  readonly pickId: string | null;
  readonly file: string;
  readonly keyFile: string;
  readonly password: string;
  /** The certificate that the service made or read from exactly this input. The certificate is not stored yet. */
  readonly candidate: CertificateCandidate | null;
  /** Whether the user has changed any input. */
  readonly isDirty: boolean;
}

/** No person installed the certificate of the first start, so there is nothing to keep yet. */
export function canKeep(installed: StoredCertificate | null): boolean {
  return installed !== null && installed.origin !== 'generated-at-first-start';
}

export function newDraft(installed: StoredCertificate | null, friendlyName: string): CertificateDraft {
  return {
    type: canKeep(installed) ? 'keep' : 'generate',
    friendlyName,
    pickId: null,
    file: '',
    keyFile: '',
    password: '',
    candidate: null,
    isDirty: false,
  };
}

type DraftInput = Pick<CertificateDraft, 'type' | 'friendlyName' | 'pickId' | 'file' | 'keyFile' | 'password'>;

/** Any change of the input drops the candidate, because the candidate was made from other input. */
export function changeDraft(draft: CertificateDraft, change: Partial<DraftInput>): CertificateDraft {
  return { ...draft, ...change, candidate: null, isDirty: true };
}

export function stepIdsOf(type: CertificateType): readonly string[] {
  return type === 'keep' ? ['type', 'summary'] : ['type', type, 'summary'];
}
