// Owns the page Certificate Type: four types, each with a one-line explanation.
import { Radio, RadioGroup, makeStyles, tokens } from '@fluentui/react-components';
import { Info16Regular } from '@fluentui/react-icons';
import { useId, useState } from 'react';
import type { ReactNode } from 'react';
import type { CertificateSlot } from '../../../services/contracts/models/certificate.ts';
import type { TextKey } from '../../i18n/texts.ts';
import { useText } from '../../i18n/use-text.ts';
import { CertificateUsageBoard } from '../../ui/certificate/certificate-usage-board.tsx';
import { certificateTypes } from './certificate-draft.ts';
import type { CertificateType } from './certificate-draft.ts';

const useStyles = makeStyles({
  // Aligns the radio circles with the text above.
  group: { display: 'flex', flexDirection: 'column', gap: '6px', marginLeft: '-8px' },
  choice: { display: 'flex', flexDirection: 'column' },
  hint: { margin: '-4px 0 0 36px', color: tokens.colorNeutralForeground3 },
  note: {
    display: 'flex',
    gap: '10px',
    padding: '10px 12px',
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground3,
    color: tokens.colorNeutralForeground2,
    '& svg': { flexShrink: 0, marginTop: '2px' },
  },
  noteText: { margin: 0 },
  link: {
    appearance: 'none',
    border: 'none',
    background: 'none',
    padding: 0,
    marginTop: '4px',
    font: 'inherit',
    color: tokens.colorBrandForegroundLink,
    cursor: 'pointer',
    textDecorationLine: 'underline',
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
});

/** Scrolls the list of certificate users into view when its table is drawn. */
function bringIntoSight(element: HTMLElement | null): (() => void) | undefined {
  if (element === null) return undefined;
  const observer = new ResizeObserver(() => {
    if (element.querySelector('table') === null) return;
    element.previousElementSibling?.scrollIntoView({ block: 'start' });
    observer.disconnect();
  });
  observer.observe(element);
  return () => observer.disconnect();
}

interface TypePageProps {
  readonly slot: CertificateSlot;
  readonly type: CertificateType;
  readonly isKeepPossible: boolean;
  readonly isAnnouncing: boolean;
  readonly onChange: (type: CertificateType) => void;
}

export function TypePage({ slot, type, isKeepPossible, isAnnouncing, onChange }: TypePageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const baseId = useId();
  const [isUsageShown, setUsageShown] = useState(false);
  const hintOf = (candidate: CertificateType): TextKey =>
    candidate !== 'keep' || isKeepPossible
      ? `certificate.type.${candidate}.hint`
      : isAnnouncing
        ? 'certificate.type.keep.announcing'
        : 'certificate.type.keep.none';
  return (
    <>
      <RadioGroup
        className={styles.group}
        aria-label={t('certificate.type.label')}
        value={type}
        onChange={(_event, data) => {
          const chosen = certificateTypes.find((candidate) => candidate === data.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {certificateTypes.map((candidate) => (
          <div key={candidate} className={styles.choice}>
            <Radio
              value={candidate}
              label={t(`certificate.type.${candidate}`)}
              disabled={candidate === 'keep' && !isKeepPossible}
              input={{ 'aria-describedby': `${baseId}-${candidate}` }}
            />
            <p id={`${baseId}-${candidate}`} className={styles.hint}>
              {t(hintOf(candidate))}
            </p>
          </div>
        ))}
      </RadioGroup>
      <div className={styles.note}>
        <Info16Regular aria-hidden />
        <div>
          <p className={styles.noteText}>
            {t(isAnnouncing ? 'certificate.type.note.announcing' : 'certificate.type.note')}
          </p>
          <button
            type="button"
            className={styles.link}
            aria-expanded={isUsageShown}
            onClick={() => setUsageShown(!isUsageShown)}
          >
            {t(isUsageShown ? 'certificate.type.who.hide' : 'certificate.type.who')}
          </button>
        </div>
      </div>
      {isUsageShown && (
        <div ref={bringIntoSight}>
          <CertificateUsageBoard slot={slot} />
        </div>
      )}
    </>
  );
}
