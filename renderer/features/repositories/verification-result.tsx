// Owns the result of checking all stored data: what is damaged, which restore points are affected, and the next step.
import { Button, MessageBar, MessageBarActions, MessageBarBody, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { repositoriesDomain } from '../../../services/contracts/rpc/repositories.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { formatCount } from '../../platform/format.ts';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { SimpleTable } from '../../ui/table/simple-table.tsx';

export type Verification = CommandOutput<typeof repositoriesDomain, 'verify'>;

const useStyles = makeStyles({ body: { whiteSpace: 'normal' } });

/** Returns one sentence for each thing that happened to the damaged blocks, and for each next step. */
function nextSteps({ damaged, settled, soundAgainBlocks, markingProblem }: Verification, t: TextFunction): string[] {
  const lost = damaged.reduce((sum, { lostBlocks }) => sum + lostBlocks, 0);
  const texts: string[] = [];
  if (markingProblem !== null) texts.push(t('repositories.damaged.notMarked', { reason: markingProblem }));
  else if (lost > 0) texts.push(t('repositories.damaged.next', { count: lost }));
  else if (damaged.some(({ pack }) => pack !== undefined)) texts.push(t('repositories.damaged.noneLost'));
  if (settled.length > 0) texts.push(t('repositories.settled', { count: settled.length }));
  if (soundAgainBlocks > 0) texts.push(t('repositories.soundAgain', { count: soundAgainBlocks }));
  return texts;
}

interface VerificationResultProps {
  readonly name: string;
  readonly result: Verification;
  readonly onClose: () => void;
}

export function VerificationResult({ name, result, onClose }: VerificationResultProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const rows = result.damaged.map((damage, index) => ({ ...damage, index }));
  return (
    <>
      <MessageBar intent={result.ok ? 'success' : 'error'} layout="multiline">
        <MessageBarBody className={styles.body} role="status">
          {result.ok
            ? t('repositories.verified', { name, packs: result.packs, points: result.points })
            : t('repositories.damaged', { name, count: result.damaged.length })}
          {nextSteps(result, t).map((text) => (
            <div key={text}>{text}</div>
          ))}
        </MessageBarBody>
        <MessageBarActions>
          <Button size="small" onClick={onClose}>
            {t('word.close')}
          </Button>
        </MessageBarActions>
      </MessageBar>
      <LeftOutNotice leftOut={leftOutOfAnswer(result)} lists={{ damaged: 'findings', settled: 'findings' }} />
      {rows.length > 0 && (
        <SimpleTable
          label={t('repositories.damaged', { name, count: rows.length })}
          rows={rows}
          rowKey={({ index }) => String(index)}
          columns={[
            {
              id: 'what',
              title: t('repositories.damaged.what'),
              isBreakable: true,
              cell: ({ pack, manifest }) => pack ?? manifest ?? '–',
            },
            { id: 'reason', title: t('repositories.damaged.reason'), cell: ({ reason }) => reason },
            {
              id: 'blocks',
              title: t('repositories.damaged.blocks'),
              cell: ({ lostBlocks }) => formatCount(lostBlocks),
            },
            {
              id: 'points',
              title: t('repositories.damaged.points'),
              isBreakable: true,
              cell: ({ points }) => points.join(', ') || t('word.none'),
            },
          ]}
        />
      )}
    </>
  );
}
