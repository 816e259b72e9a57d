// Owns the choice when a new provider identity goes in service: at once, or on an announced date.
import { Field, Input, Radio, RadioGroup, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { LocalMoment } from './switch-date.ts';

export interface WhenDraft extends LocalMoment {
  readonly isAnnounced: boolean;
}

const useStyles = makeStyles({
  group: { marginLeft: '-8px' },
  hint: { margin: '-4px 0 2px 36px', color: tokens.colorNeutralForeground3 },
  moment: { marginLeft: '28px', display: 'flex', gap: '12px', alignItems: 'flex-start' },
  date: { width: '190px' },
  time: { width: '130px' },
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
        className={styles.group}
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
        <div className={styles.moment}>
          <Field className={styles.date} label={t('certificate.when.date')} validationMessage={error ?? null}>
            <Input type="date" value={when.date} onChange={(_event, data) => onChange({ ...when, date: data.value })} />
          </Field>
          <Field className={styles.time} label={t('certificate.when.time')}>
            <Input type="time" value={when.time} onChange={(_event, data) => onChange({ ...when, time: data.value })} />
          </Field>
        </div>
      )}
    </Field>
  );
}
