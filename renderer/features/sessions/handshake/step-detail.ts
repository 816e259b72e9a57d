// Owns replacing reason codes in a step's detail by sentences. Services name the codes, people read sentences. Pure.
import { trustReasons } from '../../../../services/contracts/models/trust.ts';
import type { TextFunction } from '../../../i18n/use-text.ts';

/** "Trusted by pin: pin.match" becomes "Trusted by pin: It equals the pinned certificate." */
export function stepDetail(detail: string, t: TextFunction): string {
  const words = detail.split(/(\s+|,\s*)/);
  return words
    .map((word) => {
      const reason = trustReasons.find((candidate) => candidate === word);
      return reason === undefined ? word : t(`trust.reason.${reason}`);
    })
    .join('')
    .replaceAll('.,', '.');
}
