// Owns the list of steps at the left of a wizard: done, current, not started. It is no navigation.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Checkmark12Filled } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { stepStates } from './wizard-steps.ts';
import type { StepState } from './wizard-steps.ts';

const useStyles = makeStyles({
  list: {
    listStyle: 'none',
    margin: 0,
    padding: '20px 12px 20px 20px',
    width: '212px',
    flexShrink: 0,
    backgroundColor: tokens.colorNeutralBackground2,
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    overflowY: 'auto',
  },
  item: {
    display: 'flex',
    gap: '10px',
    alignItems: 'flex-start',
    position: 'relative',
    paddingBottom: '18px',
    color: tokens.colorNeutralForeground3,
    lineHeight: '20px',
    ':not(:last-child)::before': {
      content: '""',
      position: 'absolute',
      left: '9px',
      top: '22px',
      bottom: '-2px',
      width: '2px',
      backgroundColor: tokens.colorNeutralStroke2,
    },
  },
  current: { color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
  done: {
    color: tokens.colorNeutralForeground2,
    ':not(:last-child)::before': { backgroundColor: tokens.colorBrandStroke1 },
  },
  mark: {
    width: '20px',
    height: '20px',
    flexShrink: 0,
    borderRadius: '50%',
    display: 'inline-flex',
    alignItems: 'center',
    justifyContent: 'center',
    fontSize: '12px',
    fontWeight: tokens.fontWeightSemibold,
    border: `1.5px solid ${tokens.colorNeutralStroke1}`,
    backgroundColor: tokens.colorNeutralBackground1,
    zIndex: 1,
  },
  currentMark: { border: `2px solid ${tokens.colorBrandStroke1}`, color: tokens.colorBrandForeground1 },
  doneMark: {
    backgroundColor: tokens.colorBrandBackground,
    color: tokens.colorNeutralForegroundOnBrand,
    borderTopColor: tokens.colorBrandBackground,
    borderRightColor: tokens.colorBrandBackground,
    borderBottomColor: tokens.colorBrandBackground,
    borderLeftColor: tokens.colorBrandBackground,
  },
});

const stateTexts = { done: 'wizard.state.done', current: 'wizard.state.current', next: 'wizard.state.next' } as const;

interface WizardStepListProps {
  readonly steps: readonly { readonly id: string; readonly title: string }[];
  readonly currentId: string;
}

export function WizardStepList({ steps, currentId }: WizardStepListProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const states = stepStates({ stepIds: steps.map(({ id }) => id), currentId });
  const itemStyle: Readonly<Record<StepState, string>> = { done: styles.done, current: styles.current, next: '' };
  const markStyle: Readonly<Record<StepState, string>> = {
    done: styles.doneMark,
    current: styles.currentMark,
    next: '',
  };
  return (
    <ol className={styles.list} aria-label={t('wizard.steps')}>
      {steps.map(({ id, title }, index) => {
        const state = states[index] ?? 'next';
        return (
          <li
            key={id}
            className={mergeClasses(styles.item, itemStyle[state])}
            aria-current={state === 'current' ? 'step' : undefined}
          >
            <span className={mergeClasses(styles.mark, markStyle[state])} aria-hidden>
              {state === 'done' ? <Checkmark12Filled /> : index + 1}
            </span>
            <span>
              {title}
              <span className="visually-hidden">, {t(stateTexts[state])}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
