// Owns the two trust prompts. Refuse is the default. A certificate can be accepted only after a comparison.
import { Button, Checkbox, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { ShieldQuestion24Regular, Warning20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { SyntheticEvent, ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { TrustPrompt } from '../../../services/contracts/models/trust.ts';
import type { trustDomain } from '../../../services/contracts/rpc/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatInstant } from '../../platform/format.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { errorSentences } from '../../ui/error-sentences.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';
import { canAccept } from './acceptance.ts';
import { ComparisonTable } from './comparison-table.tsx';
import { ReasonList } from './reason-list.tsx';

type ThumbprintCheck = CommandOutput<typeof trustDomain, 'verifyThumbprint'>;

const useStyles = makeStyles({
  intro: { margin: 0, color: tokens.colorNeutralForeground2 },
  why: {
    display: 'flex',
    gap: '10px',
    margin: '10px 0',
    padding: '8px 12px',
    borderRadius: tokens.borderRadiusMedium,
    border: `1px solid ${tokens.colorPaletteDarkOrangeBorder1}`,
    backgroundColor: tokens.colorPaletteDarkOrangeBackground1,
    '& svg': { flexShrink: 0, color: tokens.colorPaletteDarkOrangeForeground1 },
  },
  whyText: { margin: 0 },
  verify: { display: 'flex', alignItems: 'flex-start', gap: '8px' },
  field: { flexGrow: 1 },
  // The typed thumbprint is as wide as the presented thumbprint beside it. So a whole SHA-256 with its colons is visible.
  mono: { fontFamily: tokens.fontFamilyMonospace, '& input': { fontSize: tokens.fontSizeBase200 } },
  verifyButton: { marginTop: '26px' },
  compared: { marginLeft: '-8px' },
  space: { flexGrow: 1 },
});

interface TrustPromptDialogProps {
  readonly prompt: TrustPrompt;
  readonly onAnswered: (answer: 'accept' | 'refuse') => void;
  /** Esc gives no answer. A waiting job keeps waiting, and the prompt stays in the notification area. */
  readonly onPostpone: () => void;
}

export function TrustPromptDialog({ prompt, onAnswered, onPostpone }: TrustPromptDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { trust } = tenantClients;
  const isChanged = prompt.kind === 'changed';
  const [pasted, setPasted] = useState('');
  const [check, setCheck] = useState<ThumbprintCheck | null>(null);
  const [isCompared, setCompared] = useState(false);
  const verifying = useCall();
  const answering = useCall();

  const verify = (event: SyntheticEvent): void => {
    event.preventDefault();
    setCheck(null);
    void verifying.run(async () => setCheck(await trust.verifyThumbprint({ promptId: prompt.id, pasted })));
  };
  const answer = async (choice: 'accept' | 'refuse'): Promise<void> => {
    const isDone = await answering.run(() => trust.answerPrompt({ promptId: prompt.id, answer: choice, isCompared }));
    if (!isDone) return;
    showToast(
      choice === 'accept' ? 'success' : 'info',
      t(choice === 'accept' ? 'trust.accepted' : 'trust.refused', { identity: prompt.identity }),
    );
    onAnswered(choice);
  };
  const isMismatch = check?.isMatch === false;
  const titleKey = isChanged ? 'trust.changed.title' : 'trust.untrusted.title';
  const place = {
    gateway: `${prompt.gateway.host}:${prompt.gateway.port}`,
    time: formatInstant(prompt.raisedAt, 'time'),
  };
  const malformed = verifying.error?.code === 'trust.thumbprint-malformed' ? verifying.error : null;

  const outcome =
    malformed !== null
      ? { validationState: 'error' as const, validationMessage: errorSentences(malformed) }
      : check === null
        ? { hint: t('trust.paste.hint') }
        : check.isMatch
          ? {
              validationState: 'success' as const,
              validationMessage: t(check.algorithm === 'SHA-1' ? 'trust.match.sha1' : 'trust.match'),
            }
          : { validationState: 'error' as const, validationMessage: t('trust.noMatch') };

  return (
    <DialogFrame
      help="connect-to-a-provider"
      title={t(titleKey, { identity: prompt.identity })}
      width="wide"
      isAlert
      onDismiss={prompt.waitingJob === null ? () => void answer('refuse') : onPostpone}
      pinned={
        <>
          <form className={styles.verify} onSubmit={verify}>
            <Field className={styles.field} label={t('trust.paste')} {...outcome}>
              <Input
                className={styles.mono}
                value={pasted}
                spellCheck={false}
                onChange={(_event, data) => {
                  setPasted(data.value);
                  setCheck(null);
                  verifying.clearError();
                }}
              />
            </Field>
            <Button className={styles.verifyButton} type="submit" disabled={pasted.trim() === '' || verifying.isBusy}>
              {t('trust.verify')}
            </Button>
          </form>
          <Checkbox
            className={styles.compared}
            label={t('trust.compared')}
            checked={isCompared}
            disabled={isMismatch}
            onChange={(_event, data) => setCompared(data.checked === true)}
          />
          {verifying.error !== null && malformed === null && <ErrorView error={verifying.error} />}
          {answering.error !== null && <ErrorView error={answering.error} />}
        </>
      }
      footer={
        <>
          <Button
            onClick={() =>
              openDialog({
                kind: 'view-certificate',
                title: t('certificate.view.title', { name: prompt.identity }),
                certificate: prompt.presented,
              })
            }
          >
            {t('trust.view')}
          </Button>
          <span className={styles.space} />
          {prompt.waitingJob !== null && <Button onClick={onPostpone}>{t('trust.later')}</Button>}
          <Button disabled={!canAccept(check, isCompared) || answering.isBusy} onClick={() => void answer('accept')}>
            {t(isChanged ? 'trust.acceptNew' : 'trust.accept')}
          </Button>
          <Button
            appearance="primary"
            data-initial-focus
            disabled={answering.isBusy}
            onClick={() => void answer('refuse')}
          >
            {t('trust.refuse')}
          </Button>
        </>
      }
    >
      <p className={styles.intro}>
        {t(isChanged ? 'trust.changed.intro' : 'trust.untrusted.intro', place)}{' '}
        {prompt.waitingJob !== null && t('trust.job.waits', { job: prompt.waitingJob })}
      </p>
      {prompt.announcedFor !== null && (
        <p className={styles.intro}>{t('trust.announcedEarly', { date: formatInstant(prompt.announcedFor) })}</p>
      )}
      {!isChanged && <ReasonList reasons={prompt.reasons} />}
      <div className={styles.why}>
        {isChanged ? <Warning20Regular aria-hidden /> : <ShieldQuestion24Regular aria-hidden />}
        <p className={styles.whyText}>
          <strong>{t(isChanged ? 'trust.changed.why.title' : 'trust.untrusted.why.title')}</strong>{' '}
          {t(isChanged ? 'trust.changed.why' : 'trust.untrusted.why')}
        </p>
      </div>
      <ComparisonTable prompt={prompt} />
    </DialogFrame>
  );
}
