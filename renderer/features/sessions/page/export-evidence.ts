// Owns saving a session's evidence as a file, exactly as the service signed it.
import type { TextFunction } from '../../../i18n/use-text.ts';
import { consoleClient, sessionClients } from '../../../platform/clients.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import { showToast } from '../../../ui/toast-store.ts';

export async function exportEvidence(side: SessionSide, sessionId: string, t: TextFunction): Promise<void> {
  const evidence = await sessionClients[side].evidence({ sessionId });
  const { path } = await consoleClient.saveText({
    title: t('session.evidence.title'),
    suggestedName: `farkeep-evidence-${sessionId.slice(0, 8)}.json`,
    text: `${JSON.stringify(evidence, null, 2)}\n`,
  });
  if (path !== null) showToast('success', t('saved.to', { path }));
}
