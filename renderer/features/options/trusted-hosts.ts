// Owns the export and import of trusted hosts, to move them between computers. Certificates only. An import never replaces a pin.
import type { TextFunction } from '../../i18n/use-text.ts';
import { consoleClient, tenantClients } from '../../platform/clients.ts';
import { showToast } from '../../ui/toast-store.ts';

export async function exportTrustedHosts(t: TextFunction): Promise<void> {
  const { text, count } = await tenantClients.trust.exportHosts({});
  const { path } = await consoleClient.saveText({
    title: t('pins.export.title'),
    suggestedName: 'farkeep-trusted-hosts.json',
    text,
  });
  if (path !== null) showToast('success', t('pins.exported', { count, path }));
}

/** The result, in a sentence or two. Null if no file was chosen. */
export async function importTrustedHosts(t: TextFunction): Promise<string | null> {
  const { path } = await consoleClient.chooseFile({
    title: t('pins.import.title'),
    filters: [{ name: t('pins.filter'), extensions: ['json'] }],
  });
  if (path === null) return null;
  const { text } = await consoleClient.readTextFile({ path });
  const { added, known, conflicts } = await tenantClients.trust.importHosts({ text });
  const list = (names: readonly string[]): string => (names.length === 0 ? t('word.none') : names.join(', '));
  const outcome = t('pins.imported', { added: list(added), known: list(known) });
  return conflicts.length === 0 ? outcome : `${outcome} ${t('pins.conflicts', { conflicts: list(conflicts) })}`;
}
