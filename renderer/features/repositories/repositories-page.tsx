// Owns the page of cloud repositories.
import { Button, Spinner, ToolbarButton, ToolbarDivider, Tooltip, makeStyles } from '@fluentui/react-components';
import {
  Add20Regular,
  Database32Regular,
  DatabaseArrowUp20Regular,
  Delete20Regular,
  Edit20Regular,
  ShieldCheckmark20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Repository } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';
import { RepositoryWizard } from './repository-wizard.tsx';
import { VerificationResult } from './verification-result.tsx';
import type { Verification } from './verification-result.tsx';
import { VerifyDialog } from './verify-dialog.tsx';

const useStyles = makeStyles({
  working: { display: 'flex', alignItems: 'center', gap: '8px' },
});

function stateOf({ problem, verification }: Repository): 'problem' | 'damaged' | 'good' {
  if (problem !== null) return 'problem';
  return (verification?.findings ?? 0) > 0 ? 'damaged' : 'good';
}

function RepositoryState({ repository }: { readonly repository: Repository }): ReactNode {
  const t = useText();
  const state = stateOf(repository);
  return <StatusBadge tone={state === 'good' ? 'success' : 'danger'}>{t(`repositories.state.${state}`)}</StatusBadge>;
}

function columnsFor(t: TextFunction): readonly TableColumn<Repository>[] {
  return [
    {
      id: 'name',
      title: t('repositories.column.name'),
      width: 'minmax(120px, 1fr)',
      text: ({ name }) => name,
      sortBy: ({ name }) => name,
      cell: ({ name }) => name,
    },
    {
      id: 'state',
      title: t('repositories.column.state'),
      width: '110px',
      sortBy: stateOf,
      cell: (row) => <RepositoryState repository={row} />,
    },
    {
      id: 'folder',
      title: t('repositories.column.folder'),
      isSecondary: true,
      width: 'minmax(160px, 2fr)',
      text: ({ folder }) => folder,
      sortBy: ({ folder }) => folder,
      cell: ({ folder }) => <span title={folder}>{folder}</span>,
    },
    {
      id: 'used',
      title: t('repositories.column.used'),
      width: '100px',
      isNumeric: true,
      sortBy: ({ usedBytes }) => usedBytes,
      cell: ({ usedBytes }) => formatBytes(usedBytes),
    },
    {
      id: 'free',
      title: t('repositories.column.free'),
      width: '100px',
      isNumeric: true,
      sortBy: ({ freeBytes }) => freeBytes ?? 0,
      cell: ({ freeBytes }) => (freeBytes === null ? '–' : formatBytes(freeBytes)),
    },
    {
      id: 'tenants',
      title: t('repositories.column.tenants'),
      width: '90px',
      isNumeric: true,
      sortBy: ({ tenants }) => tenants,
      cell: ({ tenants }) => formatCount(tenants),
    },
    {
      id: 'points',
      title: t('repositories.column.points'),
      isSecondary: true,
      width: '120px',
      isNumeric: true,
      sortBy: ({ points }) => points,
      cell: ({ points }) => formatCount(points),
    },
  ];
}

export function RepositoriesPage(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<Repository | null>(null);
  const [editing, setEditing] = useState<Repository | null>(null);
  const [asking, setAsking] = useState<Repository | null>(null);
  const [rebuilding, setRebuilding] = useState<Repository | null>(null);
  const [verified, setVerified] = useState<{ readonly name: string; readonly result: Verification | null } | null>(
    null,
  );
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-repository' });
  const verify = async ({ id, name }: Repository, isDeep: boolean): Promise<void> => {
    setVerified({ name, result: null });
    const isDone = await call.run(async (signal) => {
      const result = await providerClients.repositories.verify({ repositoryId: id, isDeep }, { signal });
      setVerified({ name, result });
    });
    if (!isDone) setVerified(null);
  };
  const rebuild = async ({ id, name }: Repository): Promise<void> => {
    const { tenants, points } = await providerClients.repositories.rebuildCatalogue({ repositoryId: id });
    showToast('success', t('repositories.rebuilt', { name, tenants, points }));
  };
  return (
    <>
      <ListPage
        title={t('repositories.title')}
        loaded={slice}
        onRetry={() => void mirror.refetch('provider')}
        columns={columns}
        rows={slice.repositories}
        leftOut={{ leftOut: slice.leftOut, lists: { repositories: 'repositories' } }}
        rowKey={({ id }) => id}
        notices={
          <>
            {call.error !== null && <ErrorView error={call.error} />}
            {verified?.result === null && (
              <div className={styles.working} role="status">
                <Spinner size="tiny" />
                {t('repositories.verifying', { name: verified.name })}
                <Button size="small" onClick={call.cancel}>
                  {t('word.cancel')}
                </Button>
              </div>
            )}
            {verified !== null && verified.result !== null && (
              <VerificationResult name={verified.name} result={verified.result} onClose={() => setVerified(null)} />
            )}
          </>
        }
        commands={(selected) => (
          <>
            <ToolbarButton icon={<Add20Regular />} onClick={add}>
              {t('repositories.add')}
            </ToolbarButton>
            <ToolbarDivider />
            <ToolbarButton icon={<Edit20Regular />} disabled={selected === null} onClick={() => setEditing(selected)}>
              {t('repositories.edit')}
            </ToolbarButton>
            <ToolbarButton
              icon={<ShieldCheckmark20Regular />}
              disabled={selected === null || call.isBusy}
              onClick={() => setAsking(selected)}
            >
              {t('repositories.verify')}
            </ToolbarButton>
            <ToolbarButton
              icon={<DatabaseArrowUp20Regular />}
              disabled={selected === null}
              onClick={() => setRebuilding(selected)}
            >
              {t('repositories.rebuild')}
            </ToolbarButton>
            <RemoveButton repository={selected} onClick={() => setRemoving(selected)} />
          </>
        )}
        details={(selected, close) => (
          <DetailsPane title={selected.name} onClose={close}>
            <RepositoryState repository={selected} />
            {selected.problem !== null && <span>{selected.problem}</span>}
            {stateOf(selected) === 'damaged' && (
              <span>{t('repositories.damaged.known', { count: selected.verification?.findings ?? 0 })}</span>
            )}
            <PropertyList
              isStacked
              properties={[
                { name: t('repositories.column.folder'), value: selected.folder },
                { name: t('repositories.column.used'), value: formatBytes(selected.usedBytes) },
                {
                  name: t('repositories.column.free'),
                  value: selected.freeBytes === null ? '–' : formatBytes(selected.freeBytes),
                },
                { name: t('repositories.column.tenants'), value: formatCount(selected.tenants) },
                { name: t('repositories.column.points'), value: formatCount(selected.points) },
                {
                  name: t('repositories.verifiedAt'),
                  value: <Instant at={selected.verification?.at ?? null} otherwise={t('word.never')} />,
                },
                { name: t('repositories.created'), value: <Instant at={selected.createdAt} /> },
              ]}
            />
          </DetailsPane>
        )}
        empty={
          <EmptyState
            icon={<Database32Regular />}
            title={t('repositories.empty.title')}
            text={t('repositories.empty.text')}
            action={{ label: t('repositories.add'), run: add }}
          />
        }
      />
      {editing !== null && <RepositoryWizard repository={editing} onClose={() => setEditing(null)} />}
      {asking !== null && (
        <VerifyDialog
          repository={asking}
          onVerify={(isDeep) => void verify(asking, isDeep)}
          onClose={() => setAsking(null)}
        />
      )}
      {rebuilding !== null && (
        <ConfirmDialog
          title={t('repositories.rebuild.title', { name: rebuilding.name })}
          text={t('repositories.rebuild.text')}
          confirmLabel={t('repositories.rebuild.confirm')}
          onConfirm={() => rebuild(rebuilding)}
          onClose={() => setRebuilding(null)}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t('repositories.remove.title', { name: removing.name })}
          text={[
            t('repositories.remove.text'),
            t('repositories.remove.kept', {
              used: formatBytes(removing.usedBytes),
              points: removing.points,
              folder: removing.folder,
            }),
          ].join('\n\n')}
          confirmLabel={t('repositories.remove.confirm')}
          onConfirm={() => providerClients.repositories.remove({ repositoryId: removing.id })}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

interface RemoveButtonProps {
  readonly repository: Repository | null;
  readonly onClick: () => void;
}

/** A repository in the quota of a tenant cannot be removed. The button shows this before the user answers the question. */
function RemoveButton({ repository, onClick }: RemoveButtonProps): ReactNode {
  const t = useText();
  const button = { icon: <Delete20Regular />, children: t('repositories.remove'), onClick };
  if (repository === null || repository.tenants === 0)
    return <ToolbarButton {...button} disabled={repository === null} />;
  return (
    <Tooltip relationship="description" content={t('repositories.remove.inUse', { count: repository.tenants })}>
      <ToolbarButton {...button} disabledFocusable />
    </Tooltip>
  );
}
