// Owns opening an invitation file: the system's dialog, reading, and the messages about a file that is no valid invitation.
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { showToast } from '../../ui/toast-store.ts';
import { readInvitation } from './provider-draft.ts';

/** Never rejects. Null if the user chose none, or if the file cannot be used; a message gives the reason. */
export async function openInvitation(t: TextFunction): Promise<Invitation | null> {
  try {
    const { path } = await consoleClient.chooseFile({
      title: t('providerWizard.invitation.choose'),
      filters: [{ name: t('providerWizard.invitation.filter'), extensions: ['json'] }],
    });
    if (path === null) return null;
    const { text } = await consoleClient.readTextFile({ path });
    const reading = readInvitation(text, Date.now());
    if (reading.kind === 'read') return reading.invitation;
    showToast(
      'error',
      t(reading.kind === 'expired' ? 'providerWizard.invitation.expired' : 'providerWizard.invitation.invalid'),
    );
  } catch (error) {
    showToast('error', toErrorInfo(error).message);
  }
  return null;
}
