// Owns the wizard "Restore": point, items, destination, summary. Finish starts the session and opens it.
import { MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import { History32Regular } from '@fluentui/react-icons';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { formatInstant } from '../../platform/format.ts';
import { goToSession } from '../../platform/navigation-store.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { DataTable } from '../../ui/table/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { DestinationPage } from './destination-page.tsx';
import type { OverwriteRule } from './destination-page.tsx';
import type { Selection } from './item-selection.ts';
import { ItemsPage } from './items-page.tsx';
import { pointColumns } from './point-columns.tsx';
import { usePointTree } from './use-point-tree.ts';

const useStyles = makeStyles({
  notice: { flexShrink: 0 },
  frame: {
    display: 'flex',
    flexGrow: 1,
    minHeight: '200px',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    overflow: 'hidden',
  },
});

const noItems: Selection = new Set();
const shownPaths = 8;

interface RestoreWizardProps {
  readonly pointId: string;
  /** Entries that are already chosen; none means everything. */
  readonly paths: readonly string[];
  readonly onClose: () => void;
}

export function RestoreWizard({
  pointId: initialPointId,
  paths: initialPaths,
  onClose,
}: RestoreWizardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { items: points, unreachable } = useMirror(({ tenant }) => tenant.points);
  const [pointId, setPointId] = useState(initialPointId);
  const [isEverything, setEverything] = useState(initialPaths.length === 0);
  const [selection, setSelection] = useState<Selection>(() => new Set(initialPaths));
  const [destination, setDestination] = useState('');
  const [overwrite, setOverwrite] = useState<OverwriteRule>('never');
  const [errors, setErrors] = useState<Partial<Record<'items' | 'destination', string>>>({});
  const tree = usePointTree(pointId);
  const columns = useMemo(() => pointColumns(t), [t]);
  useEffect(() => void mirror.wantPoints(), []);
  const point = points.find(({ id }) => id === pointId);
  const paths = isEverything ? [] : [...selection];
  const choosePoint = (id: string | null): void => {
    if (id === null || id === pointId) return;
    setPointId(id);
    setSelection(noItems);
  };
  const itemsText = isEverything
    ? t('restoreWizard.items.all')
    : paths.slice(0, shownPaths).join(', ') +
      (paths.length > shownPaths ? ` ${t('usage.more', { count: paths.length - shownPaths })}` : '');

  return (
    <Wizard
      help="restore-files"
      title={t('restoreWizard.title')}
      isDirty={destination !== '' || selection.size > 0}
      onClose={onClose}
      steps={[
        {
          id: 'point',
          title: t('restoreWizard.step.point'),
          intro: t('restoreWizard.point.intro'),
          isNextDisabled: point === undefined,
          content: (
            <>
              {unreachable.map(({ provider, message }) => (
                <MessageBar key={provider} intent="warning" layout="multiline" className={styles.notice}>
                  <MessageBarBody>{t('points.unreachable', { provider, message })}</MessageBarBody>
                </MessageBar>
              ))}
              {point?.isShrunk === true && (
                <MessageBar intent="warning" layout="multiline" className={styles.notice}>
                  <MessageBarBody>{t('points.shrunk.text')}</MessageBarBody>
                </MessageBar>
              )}
              <div className={styles.frame}>
                <DataTable
                  label={t('points.title')}
                  columns={columns.filter(({ id }) => id !== 'warnings')}
                  rows={points}
                  rowKey={({ id }) => id}
                  selectedKey={pointId}
                  onSelect={choosePoint}
                  empty={
                    unreachable.length > 0 ? (
                      <EmptyState
                        icon={<History32Regular />}
                        title={t('points.unknown.title')}
                        text={t('points.unknown.text')}
                        action={{ label: t('points.refresh'), run: () => void mirror.wantPoints({ isForced: true }) }}
                      />
                    ) : (
                      <EmptyState
                        icon={<History32Regular />}
                        title={t('points.empty.title')}
                        text={t('points.empty.text')}
                      />
                    )
                  }
                />
              </div>
            </>
          ),
        },
        {
          id: 'items',
          title: t('restoreWizard.step.items'),
          intro: t('restoreWizard.items.intro'),
          content: (
            <ItemsPage
              tree={tree}
              isEverything={isEverything}
              onEverything={setEverything}
              selection={selection}
              onSelection={setSelection}
              error={errors.items}
            />
          ),
          validate: () => {
            const isMissing = !isEverything && selection.size === 0;
            setErrors(isMissing ? { items: t('restoreWizard.items.none') } : {});
            return !isMissing;
          },
        },
        {
          id: 'destination',
          title: t('restoreWizard.step.destination'),
          content: (
            <DestinationPage
              destination={destination}
              overwrite={overwrite}
              error={errors.destination}
              onDestination={setDestination}
              onOverwrite={setOverwrite}
            />
          ),
          validate: () => {
            const isMissing = destination.trim() === '';
            setErrors(isMissing ? { destination: t('field.required') } : {});
            return !isMissing;
          },
        },
        {
          id: 'summary',
          title: t('restoreWizard.step.summary'),
          intro: t('restoreWizard.summary.intro'),
          content: (
            <>
              <PropertyList
                properties={[
                  {
                    name: t('restoreWizard.summary.point'),
                    value: point === undefined ? '–' : `${point.job}, ${formatInstant(point.createdAt)}`,
                  },
                  { name: t('restoreWizard.summary.items'), value: itemsText },
                  { name: t('restoreWizard.summary.destination'), value: destination.trim() },
                  { name: t('restoreWizard.summary.overwrite'), value: t(`restoreWizard.overwrite.${overwrite}`) },
                ]}
              />
              <ShowCommand
                commands={[
                  commandLine(
                    'restore',
                    pointId,
                    ...paths,
                    '--to',
                    destination.trim(),
                    ...(overwrite === 'never' ? [] : ['--overwrite', overwrite]),
                  ),
                ]}
              />
            </>
          ),
          workLabel: t('restoreWizard.work'),
          work: async (signal) => {
            const input = { pointId, paths, destination: destination.trim(), overwrite };
            const { sessionId } = await tenantClients.points.restore(input, { signal });
            goToSession('tenant', sessionId);
          },
        },
      ]}
    />
  );
}
