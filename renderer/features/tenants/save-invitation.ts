// Owns making an invitation and saving it as a file. The secret in the invitation is never shown.
import type { TextFunction } from '../../i18n/use-text.ts';
import { consoleClient, providerClients } from '../../platform/clients.ts';
import { showToast } from '../../ui/toast-store.ts';

export async function saveInvitation(
  tenant: { readonly id: string; readonly name: string },
  t: TextFunction,
): Promise<void> {
  const { invitation } = await providerClients.tenants.invite({ tenantId: tenant.id });
  const { path } = await consoleClient.saveText({
    title: t('tenants.invitation.save'),
    suggestedName: `farkeep-invitation-${tenant.name}.json`,
    text: `${JSON.stringify(invitation, null, 2)}\n`,
  });
  if (path !== null) showToast('success', t('tenants.invitation.saved'));
}
