// Owns the page of cloud repositories.
import { Button, Spinner, makeStyles } from '@fluentui/react-components';
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
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import type { ListFilter } from '../../ui/table/list-filter.ts';
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
      width: 'minmax(200px, 1fr)',
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
      width: '120px',
      isNumeric: true,
      sortBy: ({ points }) => points,
      cell: ({ points }) => formatCount(points),
    },
  ];
}

const states = ['good', 'damaged', 'problem'] as const;

function filtersFor(t: TextFunction): readonly ListFilter<Repository>[] {
  return states.map((id) => ({
    id,
    label: t(`repositories.state.${id}`),
    isMatch: (row: Repository) => stateOf(row) === id,
  }));
}

function removeQuestion(rows: readonly Repository[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? {
        title: t('repositories.remove.title', { name: only.name }),
        text: [
          t('repositories.remove.text'),
          t('repositories.remove.kept', {
            used: formatBytes(only.usedBytes),
            points: only.points,
            folder: only.folder,
          }),
        ].join('\n\n'),
        confirmLabel: t('repositories.remove.confirm'),
      }
    : {
        title: t('repositories.removeMany.title', { count: rows.length }),
        text: t('repositories.removeMany.text'),
        confirmLabel: t('repositories.removeMany.confirm'),
      };
}

export function RepositoriesPage(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<readonly Repository[]>([]);
  const [editing, setEditing] = useState<Repository | null>(null);
  const [asking, setAsking] = useState<Repository | null>(null);
  const [rebuilding, setRebuilding] = useState<Repository | null>(null);
  const [verified, setVerified] = useState<{ readonly name: string; readonly result: Verification | null } | null>(
    null,
  );
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const filters = useMemo(() => filtersFor(t), [t]);
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
  const commands: readonly ListCommand<Repository>[] = [
    { id: 'add', label: t('repositories.add'), icon: <Add20Regular />, needs: 'nothing', run: add },
    {
      id: 'edit',
      label: t('repositories.edit'),
      icon: <Edit20Regular />,
      needs: 'one',
      key: 'F2',
      run: ([repository]) => setEditing(repository ?? null),
    },
    {
      id: 'verify',
      label: t('repositories.verify'),
      icon: <ShieldCheckmark20Regular />,
      needs: 'one',
      canRun: () => !call.isBusy,
      run: ([repository]) => setAsking(repository ?? null),
    },
    {
      id: 'rebuild',
      label: t('repositories.rebuild'),
      icon: <DatabaseArrowUp20Regular />,
      needs: 'one',
      run: ([repository]) => setRebuilding(repository ?? null),
    },
    {
      id: 'remove',
      label: t('repositories.remove'),
      icon: <Delete20Regular />,
      needs: 'some',
      key: 'Delete',
      // A repository in the quota of a tenant cannot be removed. The button shows this before the user answers the question.
      obstacle: (rows) => {
        const used = rows.find(({ tenants }) => tenants > 0);
        return used === undefined ? null : t('repositories.remove.inUse', { count: used.tenants });
      },
      run: setRemoving,
    },
  ];
  return (
    <>
      <ListPage
        title={t('repositories.title')}
        kind="repositories"
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
        commands={commands}
        filters={filters}
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
      {removing.length > 0 && (
        <ConfirmRows
          rows={removing}
          nameOf={({ name }) => name}
          ask={(rows) => removeQuestion(rows, t)}
          onConfirm={({ id }) => providerClients.repositories.remove({ repositoryId: id })}
          onClose={() => setRemoving([])}
        />
      )}
    </>
  );
}
