// Owns choosing when a new provider identity goes in service: at once, or on an announced date.
import { Field, Input, Radio, RadioGroup, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

export interface WhenDraft {
  readonly isAnnounced: boolean;
  /** As the browser's date field writes it: "2027-01-31". */
  readonly date: string;
}

const useStyles = makeStyles({
  hint: { margin: '-4px 0 2px 32px', color: tokens.colorNeutralForeground3 },
  date: { marginLeft: '32px', width: '220px' },
});

interface WhenChoiceProps {
  readonly when: WhenDraft;
  readonly error: string | undefined;
  readonly onChange: (when: WhenDraft) => void;
}

export function WhenChoice({ when, error, onChange }: WhenChoiceProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <Field label={t('certificate.when')}>
      <RadioGroup
        value={when.isAnnounced ? 'later' : 'now'}
        onChange={(_event, data) => onChange({ ...when, isAnnounced: data.value === 'later' })}
      >
        <div>
          <Radio value="now" label={t('certificate.when.now')} input={{ 'aria-describedby': 'when-now' }} />
          <p id="when-now" className={styles.hint}>
            {t('certificate.when.now.hint')}
          </p>
        </div>
        <div>
          <Radio value="later" label={t('certificate.when.later')} input={{ 'aria-describedby': 'when-later' }} />
          <p id="when-later" className={styles.hint}>
            {t('certificate.when.later.hint')}
          </p>
        </div>
      </RadioGroup>
      {when.isAnnounced && (
        <Field className={styles.date} label={t('certificate.when.date')} validationMessage={error ?? null}>
          <Input type="date" value={when.date} onChange={(_event, data) => onChange({ ...when, date: data.value })} />
        </Field>
      )}
    </Field>
  );
}
