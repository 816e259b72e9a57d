// Owns what the wizard has been told and made so far: pure state, so that "a change drops what was made from it" can be tested.
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
  /** Made or read by the service, not yet stored; belongs to exactly the input above. */
  readonly candidate: CertificateCandidate | null;
  /** Whether a person has touched anything. */
  readonly isDirty: boolean;
}

/** The one made at first start was installed by nobody: there is nothing to keep yet. */
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

/** Any change of input drops the candidate: it was made from other input. */
export function changeDraft(draft: CertificateDraft, change: Partial<DraftInput>): CertificateDraft {
  return { ...draft, ...change, candidate: null, isDirty: true };
}

export function stepIdsOf(type: CertificateType): readonly string[] {
  return type === 'keep' ? ['type', 'summary'] : ['type', type, 'summary'];
}
