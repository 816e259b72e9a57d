// Owns the confirmation dialog for deleting a restore point. The dialog names the data that is lost and the data that stays.
import type { ReactNode } from 'react';
import type { RestorePoint, UnreadablePoint } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { formatBytes, formatCount, formatInstant } from '../../platform/format.ts';
import { mirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';

export type Deletion =
  | { readonly kind: 'readable'; readonly point: RestorePoint }
  | { readonly kind: 'unreadable'; readonly point: UnreadablePoint };

export function DeletePointDialog({
  deletion,
  onClose,
}: {
  readonly deletion: Deletion;
  readonly onClose: () => void;
}): ReactNode {
  const t = useText();
  const pointId = deletion.point.id ?? '';
  return (
    <ConfirmDialog
      title={t('points.delete.title')}
      text={textOf(deletion, t)}
      confirmLabel={t('points.delete.confirm')}
      onConfirm={async () => {
        await tenantClients.points.delete({ pointId });
        await mirror.wantPoints({ isForced: true });
      }}
      onClose={onClose}
    />
  );
}

function textOf(deletion: Deletion, t: ReturnType<typeof useText>): string {
  if (deletion.kind === 'unreadable') {
    const { id, providerName, reason } = deletion.point;
    return t('points.delete.unreadable', { id: id ?? '', provider: providerName, reason });
  }
  const { job, createdAt, sourceBytes, files } = deletion.point;
  return t('points.delete.text', {
    job,
    created: formatInstant(createdAt),
    size: formatBytes(sourceBytes),
    files: formatCount(files),
  });
}
