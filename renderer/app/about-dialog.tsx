// Owns the About dialog: versions and folders.
import { Button, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { useMirror } from '../platform/use-mirror.ts';
import { CopyButton } from '../ui/form/copy-button.tsx';
import { DialogFrame } from '../ui/dialog/dialog-frame.tsx';
import { PropertyList } from '../ui/property-list.tsx';

const useStyles = makeStyles({ intro: { margin: '0 0 16px 0' } });

export function AboutDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const info = useMirror(({ console }) => console.info);
  const rows =
    info === null
      ? []
      : [
          { name: t('about.version'), value: info.version },
          { name: t('about.electron'), value: info.electron },
          { name: t('about.chromium'), value: info.chromium },
          { name: t('about.home'), value: info.home },
          { name: t('about.logs'), value: info.logFolder },
        ];
  return (
    <DialogFrame
      help="getting-started"
      title={t('about.title')}
      onDismiss={onClose}
      footer={
        <>
          <CopyButton
            label={t('word.copy')}
            text={() => rows.map(({ name, value }) => `${name}: ${value}`).join('\n')}
          />
          <Button appearance="primary" onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <p className={styles.intro}>{t('about.intro')}</p>
      <PropertyList properties={rows} />
    </DialogFrame>
  );
}
