// Owns the dialog with all certificates that the provider service stores: view, rename, remove.
import { Button, Spinner, Toolbar, ToolbarButton, Tooltip, makeStyles, tokens } from '@fluentui/react-components';
import { Certificate32Regular, Delete20Regular, Eye20Regular, Rename20Regular } from '@fluentui/react-icons';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { StoredCertificate } from '../../../services/contracts/models/certificate.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { useMirror } from '../../platform/use-mirror.ts';
import { ValidityBadge } from '../../ui/certificate/certificate-validity.tsx';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { DataTable } from '../../ui/table/data-table.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { RenameDialog } from './rename-dialog.tsx';
import { certificateUses } from './certificate-uses.ts';
import type { CertificateUse } from './certificate-uses.ts';

type Stored = CommandOutput<typeof certificateDomain, 'list'>;

const useStyles = makeStyles({
  frame: {
    display: 'flex',
    height: 'clamp(220px, calc(100vh - 320px), 480px)',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    overflow: 'hidden',
  },
  text: { margin: '0 0 8px 0' },
});

interface Row extends StoredCertificate {
  readonly uses: readonly CertificateUse[];
}

function columnsFor(t: TextFunction): readonly TableColumn<Row>[] {
  const usesText = ({ uses }: Row): string =>
    uses.map((use) => t(`storedCertificates.use.${use}`)).join(', ') || t('storedCertificates.use.none');
  return [
    {
      id: 'name',
      title: t('certificate.row.name'),
      width: 'minmax(140px, 2fr)',
      text: ({ friendlyName }) => friendlyName,
      sortBy: ({ friendlyName }) => friendlyName,
      cell: ({ friendlyName }) => friendlyName,
    },
    {
      id: 'subject',
      title: t('certificate.row.issuedTo'),
      width: 'minmax(140px, 2fr)',
      text: ({ summary }) => summary.subject,
      sortBy: ({ summary }) => summary.subject,
      cell: ({ summary }) => summary.subject,
    },
    {
      id: 'thumbprint',
      title: t('certificate.row.sha256'),
      width: '170px',
      text: ({ summary }) => summary.sha256,
      cell: ({ summary }) => <Thumbprint value={summary.sha256} isShort />,
    },
    {
      id: 'expires',
      title: t('certificate.row.expires'),
      width: '180px',
      sortBy: ({ summary }) => summary.notAfter,
      cell: ({ summary }) => <ValidityBadge certificate={summary} />,
    },
    {
      id: 'uses',
      title: t('storedCertificates.uses'),
      width: 'minmax(120px, 1fr)',
      text: usesText,
      sortBy: usesText,
      cell: usesText,
    },
  ];
}

export function StoredCertificatesDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const installed = useMirror(({ provider }) => provider.certificates);
  const rollover = useMirror(({ provider }) => provider.rollover);
  const [stored, setStored] = useState<Stored | null>(null);
  const [error, setError] = useState<ErrorInfo | null>(null);
  const [selectedId, setSelectedId] = useState<string | null>(null);
  const [renaming, setRenaming] = useState<StoredCertificate | null>(null);
  const [removing, setRemoving] = useState<StoredCertificate | null>(null);
  /** Counts the changes that this dialog has made. */
  const [changes, setChanges] = useState(0);
  const columns = useMemo(() => columnsFor(t), [t]);
  useEffect(() => {
    let isGone = false;
    providerClients.certificate
      .list({})
      .then((answer) => {
        if (isGone) return;
        setStored(answer);
        setError(null);
      })
      .catch((thrown: unknown) => !isGone && setError(toErrorInfo(thrown)));
    return () => {
      isGone = true;
    };
  }, [installed, rollover, changes]);
  const rows = useMemo<readonly Row[]>(
    () => (stored?.certificates ?? []).map((row) => ({ ...row, uses: certificateUses(row, rollover) })),
    [stored, rollover],
  );
  const selected = rows.find(({ id }) => id === selectedId) ?? null;
  const view = (row: StoredCertificate): void =>
    openDialog({
      kind: 'view-certificate',
      title: t('certificate.view.own', { name: row.friendlyName }),
      certificate: row.summary,
    });
  const remove = { icon: <Delete20Regular />, children: t('storedCertificates.remove') };
  return (
    <DialogFrame
      help="change-a-certificate"
      title={t('storedCertificates.title')}
      width="wide"
      onDismiss={onClose}
      footer={
        <Button appearance="primary" data-initial-focus onClick={onClose}>
          {t('word.close')}
        </Button>
      }
    >
      <p className={styles.text}>{t('storedCertificates.text')}</p>
      {error !== null && <ErrorView error={error} />}
      <Toolbar size="small" aria-label={t('commands.label')}>
        <ToolbarButton
          icon={<Eye20Regular />}
          disabled={selected === null}
          onClick={() => selected !== null && view(selected)}
        >
          {t('storedCertificates.view')}
        </ToolbarButton>
        <ToolbarButton icon={<Rename20Regular />} disabled={selected === null} onClick={() => setRenaming(selected)}>
          {t('storedCertificates.rename')}
        </ToolbarButton>
        {selected === null || selected.uses.length === 0 ? (
          <ToolbarButton {...remove} disabled={selected === null} onClick={() => setRemoving(selected)} />
        ) : (
          <Tooltip
            relationship="description"
            content={t(
              selected.uses.includes('announced') ? 'storedCertificates.announced' : 'storedCertificates.inService',
            )}
          >
            <ToolbarButton {...remove} disabledFocusable />
          </Tooltip>
        )}
      </Toolbar>
      {stored === null && error === null && <Spinner size="tiny" label={t('word.loading')} />}
      {stored !== null && (
        <>
          <LeftOutNotice leftOut={leftOutOfAnswer(stored)} lists={{ certificates: 'certificates' }} />
          <div className={styles.frame}>
            <DataTable
              label={t('storedCertificates.title')}
              columns={columns}
              rows={rows}
              rowKey={({ id }) => id}
              selectedKey={selectedId}
              onSelect={setSelectedId}
              onOpen={view}
              empty={
                <EmptyState
                  icon={<Certificate32Regular />}
                  title={t('storedCertificates.empty')}
                  text={t('storedCertificates.text')}
                />
              }
            />
          </div>
        </>
      )}
      {renaming !== null && (
        <RenameDialog
          certificate={renaming}
          onRenamed={() => setChanges((count) => count + 1)}
          onClose={() => setRenaming(null)}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t('storedCertificates.remove.title', { name: removing.friendlyName })}
          text={t('storedCertificates.remove.text', { thumbprint: removing.summary.sha256 })}
          confirmLabel={t('storedCertificates.remove.confirm')}
          onConfirm={async () => {
            await providerClients.certificate.remove({ certificateId: removing.id });
            setSelectedId(null);
            setChanges((count) => count + 1);
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </DialogFrame>
  );
}
