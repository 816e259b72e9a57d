// Owns the page of restore points from every provider that answers, newest first.
import { Button, MessageBar, MessageBarActions, MessageBarBody } from '@fluentui/react-components';
import {
  ArrowClockwise20Regular,
  ArrowUndo20Regular,
  Delete20Regular,
  DocumentSearch20Regular,
  History32Regular,
} from '@fluentui/react-icons';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { RestorePoint } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { goTo } from '../../platform/navigation-store.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { RefusedLoginNotices } from '../../ui/refused-login-notices.tsx';
import { DeletePointDialog, type Deletion } from './delete-point-dialog.tsx';
import { FindDialog } from './find-dialog.tsx';
import { JobLink, ProviderLink, SessionLink } from './point-links.tsx';
import { pointColumns } from './point-columns.tsx';

/** A longer list would push the readable points off the page. When the user deletes an unreadable point, the next one appears. */
const maxUnreadableShown = 5;

export function PointsPage(): ReactNode {
  const t = useText();
  const points = useMirror(({ tenant }) => tenant.points);
  const isTenantReady = useMirror(({ tenant }) => tenant.load === 'ready');
  const [finding, setFinding] = useState<RestorePoint | null>(null);
  const [deleting, setDeleting] = useState<Deletion | null>(null);
  const columns = useMemo(() => pointColumns(t), [t]);
  useEffect(() => {
    if (isTenantReady) void mirror.wantPoints();
  }, [isTenantReady]);
  const restore = ({ id }: RestorePoint): void => openDialog({ kind: 'restore', pointId: id });
  const refresh = (): void => void mirror.wantPoints({ isForced: true });
  const commands: readonly ListCommand<RestorePoint>[] = [
    {
      id: 'restore',
      label: t('points.restore'),
      icon: <ArrowUndo20Regular />,
      needs: 'one',
      key: 'Enter',
      run: ([point]) => point !== undefined && restore(point),
    },
    {
      id: 'find',
      label: t('points.find'),
      icon: <DocumentSearch20Regular />,
      needs: 'one',
      run: ([point]) => setFinding(point ?? null),
    },
    {
      id: 'delete',
      label: t('points.delete'),
      icon: <Delete20Regular />,
      needs: 'one',
      key: 'Delete',
      run: ([point]) => point !== undefined && setDeleting({ kind: 'readable', point }),
    },
    {
      id: 'refresh',
      label: t('points.refresh'),
      icon: <ArrowClockwise20Regular />,
      needs: 'nothing',
      place: 'bar',
      canRun: () => points.load !== 'loading',
      run: refresh,
    },
  ];
  return (
    <>
      <ListPage
        title={t('points.title')}
        kind="points"
        loaded={points}
        onRetry={refresh}
        columns={columns}
        rows={points.items}
        leftOut={{
          leftOut: points.leftOut,
          lists: { points: 'points', unreadable: 'points', unreachable: 'problems' },
        }}
        rowKey={({ id }) => id}
        notices={[
          <RefusedLoginNotices key="refused" />,
          ...points.unreachable.map(({ provider, message }) => (
            <MessageBar key={provider} intent="warning" layout="multiline">
              <MessageBarBody>{t('points.unreachable', { provider, message })}</MessageBarBody>
            </MessageBar>
          )),
          ...points.unreadable.slice(0, maxUnreadableShown).map((unreadable, index) => (
            <MessageBar key={unreadable.id ?? `unreadable ${index}`} intent="warning" layout="multiline">
              <MessageBarBody>
                {t('points.unreadable', { provider: unreadable.providerName, reason: unreadable.reason })}
              </MessageBarBody>
              {unreadable.id !== null && (
                <MessageBarActions>
                  <Button size="small" onClick={() => setDeleting({ kind: 'unreadable', point: unreadable })}>
                    {t('points.delete')}
                  </Button>
                </MessageBarActions>
              )}
            </MessageBar>
          )),
        ]}
        commands={commands}
        details={(selected, close) => (
          <DetailsPane title={selected.job} onClose={close}>
            {selected.isShrunk === true && <StatusBadge tone="warning">{t('points.shrunk.text')}</StatusBadge>}
            <PropertyList
              isStacked
              properties={[
                { name: t('points.column.job'), value: <JobLink point={selected} /> },
                { name: t('points.session'), value: <SessionLink point={selected} /> },
                { name: t('points.column.created'), value: <Instant at={selected.createdAt} /> },
                { name: t('points.column.size'), value: formatBytes(selected.sourceBytes) },
                { name: t('points.column.files'), value: formatCount(selected.files) },
                { name: t('points.column.warnings'), value: formatCount(selected.warnings) },
                {
                  name: t('points.column.provider'),
                  value: <ProviderLink point={selected} />,
                },
                { name: t('points.column.repository'), value: selected.repository },
                { name: t('points.encrypted'), value: t(selected.encrypted ? 'word.yes' : 'word.no') },
                { name: t('points.id'), value: selected.id },
              ]}
            />
          </DetailsPane>
        )}
        empty={
          points.unreachable.length > 0 ? (
            <EmptyState
              icon={<History32Regular />}
              title={t('points.unknown.title')}
              text={t('points.unknown.text')}
              action={{ label: t('points.refresh'), run: refresh }}
            />
          ) : (
            <EmptyState
              icon={<History32Regular />}
              title={t('points.empty.title')}
              text={t('points.empty.text')}
              action={{ label: t('points.empty.action'), run: () => goTo('tenant/jobs') }}
            />
          )
        }
      />
      {finding !== null && <FindDialog point={finding} onClose={() => setFinding(null)} />}
      {deleting !== null && <DeletePointDialog deletion={deleting} onClose={() => setDeleting(null)} />}
    </>
  );
}
