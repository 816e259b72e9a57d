// Owns the page Pick Certificate: the certificates on this computer, and why some of them cannot be used.
import { SearchBox, Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { Certificate32Regular } from '@fluentui/react-icons';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { CertificateSlot, PickableCertificate } from '../../../services/contracts/models/certificate.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { formatInstant } from '../../platform/format.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { DataTable } from '../../ui/table/data-table.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';

type Pickable = CommandOutput<typeof certificateDomain, 'listPickable'>;

const useStyles = makeStyles({
  frame: {
    display: 'flex',
    flexGrow: 1,
    minHeight: '220px',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    overflow: 'hidden',
  },
  search: { maxWidth: 'none' },
  note: { margin: 0, minHeight: '40px', color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  reason: { display: 'block' },
  error: { color: tokens.colorPaletteRedForeground1 },
});

function columnsFor(t: TextFunction): readonly TableColumn<PickableCertificate>[] {
  return [
    {
      id: 'issuedTo',
      title: t('certificate.pick.issuedTo'),
      width: 'minmax(124px, 2fr)',
      text: ({ issuedTo }) => issuedTo,
      sortBy: ({ issuedTo }) => issuedTo,
      cell: ({ issuedTo }) => issuedTo,
    },
    {
      id: 'expires',
      title: t('certificate.pick.expires'),
      width: '116px',
      sortBy: ({ notAfter }) => notAfter,
      cell: ({ notAfter }) => formatInstant(notAfter, 'date'),
    },
    {
      id: 'friendlyName',
      title: t('certificate.pick.friendlyName'),
      width: 'minmax(114px, 1fr)',
      text: ({ friendlyName }) => friendlyName,
      sortBy: ({ friendlyName }) => friendlyName,
      cell: ({ friendlyName }) => friendlyName,
    },
    {
      id: 'issuedBy',
      title: t('certificate.pick.issuedBy'),
      width: 'minmax(104px, 1fr)',
      text: ({ issuedBy }) => issuedBy,
      sortBy: ({ issuedBy }) => issuedBy,
      cell: ({ issuedBy }) => issuedBy,
    },
    {
      id: 'thumbprint',
      title: t('certificate.pick.thumbprint'),
      width: '140px',
      text: ({ sha256, names }) => [sha256 ?? '', ...(names ?? [])].join(' '),
      cell: ({ sha256 }) => (sha256 === undefined ? '–' : <Thumbprint value={sha256} isShort />),
    },
  ];
}

/** What people must know before they choose the row. */
function pickNotes(
  { installedInSlots = [], warning, unusableReason }: PickableCertificate,
  t: TextFunction,
): readonly string[] {
  const slots = installedInSlots.map((slot) => t(`storedCertificates.use.${slot}`)).join(', ');
  return [
    ...(slots === '' ? [] : [t('certificate.pick.inService', { slots })]),
    ...(unusableReason === null ? [] : [t('certificate.pick.reason', { reason: unusableReason })]),
    ...(warning == null ? [] : [t('certificate.pick.warning', { warning })]),
  ];
}

interface PickPageProps {
  readonly slot: CertificateSlot;
  readonly pickId: string | null;
  readonly onChange: (certificate: PickableCertificate | null) => void;
  readonly error: string | undefined;
}

export function PickPage({ slot, pickId, onChange, error }: PickPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [answer, setAnswer] = useState<Pickable | null>(null);
  const [loadError, setLoadError] = useState<ErrorInfo | null>(null);
  const [search, setSearch] = useState('');
  const columns = useMemo(() => columnsFor(t), [t]);
  useEffect(() => {
    let isGone = false;
    providerClients.certificate
      .listPickable({ slot })
      .then((pickable) => !isGone && setAnswer(pickable))
      .catch((thrown: unknown) => !isGone && setLoadError(toErrorInfo(thrown)));
    return () => {
      isGone = true;
    };
  }, [slot]);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The wizard gives the focus to the page before the list is there, and Next needs a selection.
    if (answer !== null) frame.current?.querySelector<HTMLElement>('[role="grid"]')?.focus();
  }, [answer]);
  if (loadError !== null) return <ErrorView error={loadError} />;
  if (answer === null) {
    return (
      <div tabIndex={-1} data-first-focus>
        <Spinner label={t('word.loading')} />
      </div>
    );
  }
  const { certificates, unreadableStores } = answer;
  const selected = certificates.find((certificate) => certificate.pickId === pickId);
  return (
    <>
      <SearchBox
        className={styles.search}
        aria-label={t('certificate.pick.search')}
        placeholder={t('word.search')}
        value={search}
        onChange={(_event, data) => setSearch(data.value)}
      />
      <LeftOutNotice
        leftOut={leftOutOfAnswer(answer)}
        lists={{ certificates: 'certificates', unreadableStores: 'stores' }}
      />
      <div className={styles.frame} ref={frame}>
        <DataTable
          label={t('certificate.pick.table')}
          columns={columns}
          rows={certificates}
          rowKey={(row) => row.pickId}
          selectedKey={pickId}
          onSelect={(key) => onChange(certificates.find((certificate) => certificate.pickId === key) ?? null)}
          isRowDisabled={({ unusableReason }) => unusableReason !== null}
          noteOf={(row) => pickNotes(row, t).join(' ') || null}
          search={search}
          empty={
            <EmptyState
              icon={<Certificate32Regular />}
              title={search === '' ? t('certificate.pick.empty') : t('table.noMatch', { text: search })}
              text={search === '' ? t('certificate.pick.empty.hint') : t('table.noMatchHint')}
            />
          }
        />
      </div>
      <p className={styles.note} role="status">
        {unreadableStores.map(({ store, reason }) => (
          <span key={store} className={styles.reason}>
            {t('certificate.pick.unreadableStore', { reason })}
          </span>
        ))}
        {error !== undefined && <span className={styles.error}>{error} </span>}
        {selected !== undefined && (
          <>
            {t('certificate.pick.selected', {
              issuedTo: selected.issuedTo,
              issuedBy: selected.issuedBy,
              store: selected.store,
            })}
            {selected.names !== undefined && selected.names.length > 0 && (
              <span className={styles.reason}>{t('certificate.pick.names', { names: selected.names.join(', ') })}</span>
            )}
            {selected.sha256 !== undefined && (
              <span className={styles.reason}>
                <Thumbprint value={selected.sha256} />
              </span>
            )}
            {pickNotes(selected, t).map((note) => (
              <span key={note} className={styles.reason}>
                {note}
              </span>
            ))}
          </>
        )}
      </p>
    </>
  );
}
