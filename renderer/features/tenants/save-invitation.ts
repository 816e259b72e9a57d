// Owns the file of an invitation. The secret in the invitation is never shown.
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { formatInstant } from '../../platform/format.ts';
import { showToast } from '../../ui/toast-store.ts';

export function invitationText(invitation: Invitation): string {
  return `${JSON.stringify(invitation, null, 2)}\n`;
}

export async function saveInvitation(invitation: Invitation, t: TextFunction): Promise<void> {
  const { path } = await consoleClient.saveText({
    title: t('tenants.invitation.save'),
    suggestedName: `farkeep-invitation-${invitation.user}.json`,
    text: invitationText(invitation),
  });
  if (path !== null)
    showToast('success', t('tenants.invitation.saved', { until: formatInstant(invitation.expiresAt) }));
}
