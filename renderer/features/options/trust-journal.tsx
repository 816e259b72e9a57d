// Owns the trust journal: every entry, and whether its hash chain is intact.
import { Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { trustDomain } from '../../../services/contracts/rpc/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { useMirror } from '../../platform/use-mirror.ts';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { SimpleTable } from '../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { OptionsSection } from './options-section.tsx';

type Journal = CommandOutput<typeof trustDomain, 'journal'>;

const useStyles = makeStyles({
  hash: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere' },
  head: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px' },
  muted: { margin: 0, color: tokens.colorNeutralForeground3 },
});

export function TrustJournal(): ReactNode {
  const t = useText();
  const styles = useStyles();
  // A new entry can change pins, so the list of pins is then fetched again.
  const pins = useMirror(({ tenant }) => tenant.pins);
  const [journal, setJournal] = useState<Journal | null>(null);
  const [error, setError] = useState<ErrorInfo | null>(null);
  useEffect(() => {
    let isGone = false;
    tenantClients.trust
      .journal({})
      .then((answer) => !isGone && setJournal(answer))
      .catch((thrown: unknown) => !isGone && setError(toErrorInfo(thrown)));
    return () => {
      isGone = true;
    };
  }, [pins]);
  return (
    <OptionsSection title={t('journal.title')}>
      {error !== null && <ErrorView error={error} />}
      {journal === null && error === null && <Spinner size="tiny" label={t('word.loading')} />}
      {journal !== null && <LeftOutNotice leftOut={leftOutOfAnswer(journal)} lists={{ entries: 'journal' }} />}
      {journal?.entries.length === 0 && (
        <p className={styles.muted}>
          {t('journal.empty')}. {t('journal.empty.hint')}
        </p>
      )}
      {journal !== null && journal.entries.length > 0 && (
        <>
          <StatusBadge tone={journal.isIntact ? 'success' : 'security'}>
            {journal.isIntact
              ? t('journal.intact', { count: journal.entries.length })
              : t('journal.broken', { sequence: String(journal.brokenAt ?? '?') })}
          </StatusBadge>
          <div className={styles.head}>
            <span className={styles.muted}>{t('journal.head', { count: journal.entries.length })}</span>
            <code className={styles.hash}>{journal.head}</code>
            <CopyButton
              label={t('journal.head.copy')}
              isIconOnly
              size="small"
              text={`${journal.entries.length} ${journal.head}`}
            />
          </div>
          <SimpleTable
            label={t('journal.title')}
            rows={journal.entries.toReversed()}
            rowKey={({ sequence }) => String(sequence)}
            columns={[
              {
                id: 'sequence',
                title: t('journal.sequence'),
                width: '64px',
                cell: ({ sequence }) =>
                  journal.brokenAt !== null && sequence >= journal.brokenAt ? (
                    <StatusBadge tone="security">{sequence}</StatusBadge>
                  ) : (
                    sequence
                  ),
              },
              { id: 'at', title: t('journal.at'), width: '130px', cell: ({ at }) => <Instant at={at} /> },
              {
                id: 'action',
                title: t('journal.action'),
                width: '95px',
                cell: ({ action }) => t(`journal.action.${action}`),
              },
              {
                id: 'identity',
                title: t('journal.identity'),
                width: '165px',
                isBreakable: true,
                cell: ({ identity, address }) => `${identity}, ${address}`,
              },
              {
                id: 'thumbprint',
                title: t('journal.thumbprint'),
                width: '125px',
                cell: ({ sha256 }) => <Thumbprint value={sha256} isShort />,
              },
              { id: 'who', title: t('journal.who'), width: '115px', cell: ({ who }) => who },
              { id: 'note', title: t('journal.note'), isBreakable: true, cell: ({ note }) => note },
            ]}
          />
        </>
      )}
    </OptionsSection>
  );
}
