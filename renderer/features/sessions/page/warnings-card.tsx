// Owns the list of a session's warnings, each with its file.
import { makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { Instant } from '../../../ui/time/instant.tsx';
import { SimpleTable } from '../../../ui/table/simple-table.tsx';
import { Card } from '../../../ui/card.tsx';

const useStyles = makeStyles({ scroller: { overflowY: 'auto', maxHeight: '260px' } });

export function WarningsCard({ detail: { warnings } }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const rows = warnings.map((warning, index) => ({ ...warning, index }));
  return (
    <Card isCompact title={t('warnings.title')}>
      <div className={styles.scroller} tabIndex={0} role="group" aria-label={t('warnings.title')}>
        <SimpleTable
          label={t('warnings.title')}
          rows={rows}
          rowKey={({ index }) => String(index)}
          columns={[
            { id: 'path', title: t('warnings.path'), isBreakable: true, cell: ({ path }) => path ?? '–' },
            { id: 'message', title: t('warnings.message'), cell: ({ message }) => message },
            { id: 'time', title: t('actions.time'), width: '84px', cell: ({ at }) => <Instant at={at} style="time" /> },
          ]}
        />
      </div>
    </Card>
  );
}
