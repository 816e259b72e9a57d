// Owns the list of steps of a longer task. Each step has an icon and a text: done, in progress, not started, failed or not complete.
import { Spinner, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { CheckmarkCircle20Filled, Circle20Regular, ErrorCircle20Filled, Warning20Filled } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

/** `incomplete`: the task continued although this step was not complete. */
export type StepState = 'done' | 'failed' | 'incomplete' | 'running' | 'waiting';

export interface ListedStep {
  readonly id: string;
  readonly title: string;
  readonly state: StepState;
}

const marks: Readonly<Record<StepState, ReactNode>> = {
  done: <CheckmarkCircle20Filled />,
  failed: <ErrorCircle20Filled />,
  incomplete: <Warning20Filled />,
  running: <Spinner size="extra-tiny" />,
  waiting: <Circle20Regular />,
};

const useStyles = makeStyles({
  list: { listStyleType: 'none', margin: 0, padding: 0 },
  item: {
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    minHeight: '32px',
    color: tokens.colorNeutralForeground1,
  },
  toCome: { color: tokens.colorNeutralForeground3 },
  mark: { width: '20px', display: 'inline-flex', justifyContent: 'center' },
  done: { color: tokens.colorPaletteGreenForeground1 },
  failed: { color: tokens.colorPaletteRedForeground1 },
  incomplete: { color: tokens.colorPaletteDarkOrangeForeground1 },
  running: {},
  waiting: {},
});

interface StepListProps {
  readonly label: string;
  readonly steps: readonly ListedStep[];
  readonly className?: string;
}

export function StepList({ label, steps, className }: StepListProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <ol className={mergeClasses(styles.list, className)} aria-label={label}>
      {steps.map(({ id, title, state }) => (
        <li key={id} className={mergeClasses(styles.item, state === 'waiting' && styles.toCome)}>
          <span className={mergeClasses(styles.mark, styles[state])} aria-hidden>
            {marks[state]}
          </span>
          <span>
            {title}
            <span className="visually-hidden">, {t(`step.${state}`)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
