// Owns the card "Handshake and keys": which attempt, diagram or table, and who can read now.
import { Select, Tab, TabList, makeStyles, tokens } from '@fluentui/react-components';
import { memo, useState } from 'react';
import type { ReactNode } from 'react';
import type { HandshakeStep, SessionState } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { HandshakeDiagram } from './handshake-diagram.tsx';
import { HandshakeTable } from './handshake-table.tsx';
import { attemptsOf } from './handshake-layout.ts';
import { ReadingLine } from './reading-line.tsx';
import { Card } from '../../../ui/card.tsx';
import { movementOf } from '../state/shown-state.ts';
import { whoCanRead } from './who-can-read.ts';

const useStyles = makeStyles({
  aside: { display: 'flex', alignItems: 'center', gap: '8px' },
  select: { minWidth: '150px' },
  reading: { borderTop: `1px solid ${tokens.colorNeutralStroke3}`, marginTop: '6px', paddingTop: '6px' },
});

interface HandshakeCardProps {
  readonly steps: readonly HandshakeStep[];
  /** The current attempt, or the last one. */
  readonly attempt: number;
  readonly gateway: string | null;
  readonly state: SessionState;
}

/** Gets only the needed parts of a session, so that figures that change ten times a second do not redraw the diagram. */
export const HandshakeCard = memo(function HandshakeCard({
  steps,
  attempt: currentAttempt,
  gateway,
  state,
}: HandshakeCardProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [view, setView] = useState<'diagram' | 'table'>('diagram');
  const [chosen, setChosen] = useState<number | null>(null);
  const attempts = attemptsOf(steps);
  const latest = attempts[0] ?? currentAttempt;
  // The latest attempt, until the user chooses an earlier one.
  const attempt = chosen ?? latest;
  return (
    <Card
      isCompact
      title={t('handshake.title')}
      aside={
        <div className={styles.aside}>
          {attempts.length > 1 && (
            <Select
              size="small"
              className={styles.select}
              aria-label={t('handshake.attempt')}
              value={String(attempt)}
              onChange={(_event, data) => setChosen(Number(data.value) === latest ? null : Number(data.value))}
            >
              {attempts.map((number) => (
                <option key={number} value={String(number)}>
                  {t(number === latest ? 'handshake.attempt.latest' : 'handshake.attempt.option', { attempt: number })}
                </option>
              ))}
            </Select>
          )}
          <TabList
            size="small"
            aria-label={t('handshake.view')}
            selectedValue={view}
            onTabSelect={(_event, data) => setView(data.value === 'table' ? 'table' : 'diagram')}
          >
            <Tab value="diagram">{t('handshake.asDiagram')}</Tab>
            <Tab value="table">{t('handshake.asTable')}</Tab>
          </TabList>
        </div>
      }
    >
      {view === 'diagram' ? (
        <HandshakeDiagram
          key={attempt}
          steps={steps}
          attempt={attempt}
          gateway={gateway}
          hasEnded={movementOf(state) === 'ended'}
        />
      ) : (
        <HandshakeTable steps={steps} attempt={attempt} />
      )}
      <div className={styles.reading}>
        <ReadingLine reading={whoCanRead(steps, latest, state)} />
      </div>
    </Card>
  );
});
