// Owns the live list of who relies on a certificate. The list is fetched again when the service reports a change.
import { Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { CertificateSlot } from '../../../services/contracts/models/certificate.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { ErrorView } from '../error-view.tsx';
import { Instant } from '../time/instant.tsx';
import { LeftOutNotice } from '../left-out-notice.tsx';
import { SimpleTable } from '../table/simple-table.tsx';
import { StatusBadge } from '../status-badge.tsx';
import type { Tone } from '../status-badge.tsx';

type Usage = CommandOutput<typeof certificateDomain, 'usage'>;
type User = Usage['users'][number];

const tones: Readonly<Record<User['state'], Tone>> = {
  pending: 'neutral',
  informed: 'info',
  updated: 'success',
  're-accepted': 'success',
  failed: 'danger',
};

/** The rows with an open task come first. */
const states: readonly User['state'][] = ['failed', 'pending', 'informed', 're-accepted', 'updated'];

const useStyles = makeStyles({
  counts: { display: 'flex', flexWrap: 'wrap', gap: '4px 16px', marginBottom: '6px' },
  name: { overflowWrap: 'anywhere' },
  note: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  muted: { margin: '8px 0 0 0', color: tokens.colorNeutralForeground3 },
});

interface CertificateUsageBoardProps {
  readonly slot: CertificateSlot;
  /**
   * Identifier of a certificate that is not installed yet. With this identifier, the list shows the effect of a change before the change.
   */
  readonly candidateId?: string;
}

export function CertificateUsageBoard({ slot, candidateId }: CertificateUsageBoardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const revision = useMirror(({ provider }) => provider.usageRevision);
  const inService = useMirror(({ provider }) => provider.certificates[slot]?.id);
  const [usage, setUsage] = useState<Usage | null>(null);
  const [error, setError] = useState<ErrorInfo | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    providerClients.certificate
      .usage({ slot, ...(candidateId === undefined ? {} : { candidateId }) }, { signal: controller.signal })
      .then((answer) => {
        if (controller.signal.aborted) return;
        setUsage(answer);
        setError(null);
      })
      .catch((thrown: unknown) => {
        if (!controller.signal.aborted) setError(toErrorInfo(thrown));
      });
    return () => controller.abort();
  }, [slot, candidateId, revision, inService]);

  if (error !== null) return <ErrorView error={error} />;
  if (usage === null) return <Spinner size="tiny" label={t('word.loading')} />;
  const leftOut = <LeftOutNotice leftOut={leftOutOfAnswer(usage)} lists={{ users: 'users' }} />;
  if (usage.users.length === 0) {
    return (
      <>
        {leftOut}
        {leftOutOfAnswer(usage).length === 0 && <p className={styles.muted}>{t('usage.none')}</p>}
      </>
    );
  }
  const users = usage.users.toSorted((a, b) => states.indexOf(a.state) - states.indexOf(b.state));
  const counts = states.map((state) => ({ state, count: usage.users.filter((user) => user.state === state).length }));
  return (
    <>
      {leftOut}
      <div className={styles.counts} role="status" aria-label={t('usage.counts')}>
        {counts
          .filter(({ count }) => count > 0)
          .map(({ state, count }) => (
            <StatusBadge key={state} tone={tones[state]}>
              {t('usage.count', { count, state: t(`usage.state.${state}`) })}
            </StatusBadge>
          ))}
      </div>
      <SimpleTable
        label={t('usage.title')}
        rows={users}
        rowKey={({ kind, name, seenSha256 }) => `${kind} ${name} ${kind === 'invitation' ? seenSha256 : ''}`}
        columns={[
          {
            id: 'name',
            title: t('usage.name'),
            cell: ({ name, note }) => (
              <>
                <span className={styles.name}>{name}</span>
                {note !== null && <div className={styles.note}>{note}</div>}
              </>
            ),
          },
          { id: 'kind', title: t('usage.kind'), width: '92px', cell: ({ kind }) => t(`usage.kind.${kind}`) },
          {
            id: 'state',
            title: t('usage.state'),
            width: '124px',
            cell: ({ state }) => <StatusBadge tone={tones[state]}>{t(`usage.state.${state}`)}</StatusBadge>,
          },
          {
            id: 'lastSeen',
            title: t('usage.lastSeen'),
            width: '150px',
            cell: ({ lastSeenAt }) => <Instant at={lastSeenAt} otherwise={t('word.never')} />,
          },
        ]}
      />
      {usage.total > usage.users.length && (
        <p className={styles.muted}>{t('usage.more', { count: usage.total - usage.users.length })}</p>
      )}
    </>
  );
}
