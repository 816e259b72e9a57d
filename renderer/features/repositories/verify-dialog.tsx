// Owns the question how thoroughly all stored data is checked.
import { Button, Field, Radio, RadioGroup, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Repository } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { commandLine } from '../../platform/command-line.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '14px' },
  text: { margin: 0 },
});

interface VerifyDialogProps {
  readonly repository: Repository;
  readonly onVerify: (isDeep: boolean) => void;
  readonly onClose: () => void;
}

export function VerifyDialog({ repository, onVerify, onClose }: VerifyDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isDeep, setDeep] = useState(false);
  return (
    <DialogFrame
      help="set-up-a-provider"
      title={t('repositories.verify.title', { name: repository.name })}
      onDismiss={onClose}
      footer={
        <>
          <Button
            appearance="primary"
            data-initial-focus
            onClick={() => {
              onClose();
              onVerify(isDeep);
            }}
          >
            {t('repositories.verify.start')}
          </Button>
          <Button onClick={onClose}>{t('word.cancel')}</Button>
        </>
      }
    >
      <div className={styles.content}>
        <p className={styles.text}>{t('repositories.verify.text')}</p>
        <Field label={t('repositories.verify.depth')}>
          <RadioGroup value={isDeep ? 'deep' : 'packs'} onChange={(_event, data) => setDeep(data.value === 'deep')}>
            <Radio value="packs" label={t('repositories.verify.packs')} />
            <Radio value="deep" label={t('repositories.verify.deep')} />
          </RadioGroup>
        </Field>
        <ShowCommand commands={[commandLine('repository', 'verify', repository.name, isDeep ? '--deep' : null)]} />
      </div>
    </DialogFrame>
  );
}
