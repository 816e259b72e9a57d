// Owns the error for a certificate that was not accepted, with sentences for its reasons.
import { CallError } from '../../../services/contracts/client.ts';
import { adviceAgainst, reasonsAgainst } from '../../../services/contracts/models/trust-texts.ts';
import type { TrustReason } from '../../../services/contracts/models/trust.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { makeErrorInfo } from '../../platform/error-info.ts';

/** Returns the error for a refused certificate. `reasons` is null if a person saw the certificate and refused it. */
export function trustProblem(reasons: readonly TrustReason[] | null, t: TextFunction): CallError {
  if (reasons === null) return new CallError(makeErrorInfo('trust.refused', t('providerWizard.refused')));
  const words = reasonsAgainst(reasons)
    .map((reason) => t(`trust.reason.${reason}`))
    .join(' ');
  const advice = adviceAgainst(reasons);
  const info = makeErrorInfo(
    advice === undefined ? 'trust.untrusted' : 'trust.refused',
    t('providerWizard.notTrusted', { reasons: words }),
  );
  return new CallError(advice === undefined ? info : { ...info, hint: advice });
}
