// Owns the button "?" of wizards and dialogs. It opens a page of the built-in help above the dialog.
import { Button, makeStyles } from '@fluentui/react-components';
import { QuestionCircle20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import type { HelpPage } from '../../platform/help-pages.ts';

const useStyles = makeStyles({
  // Drawn at the top, but the last control of the dialog: the first control gets the focus when the dialog opens.
  corner: { position: 'absolute', top: '14px', right: '16px' },
});

export function HelpButton({ page }: { readonly page: HelpPage }): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <Button
      className={styles.corner}
      type="button"
      appearance="subtle"
      icon={<QuestionCircle20Regular />}
      aria-label={t('help.open')}
      title={t('help.open')}
      onClick={() => openDialog({ kind: 'help', page })}
    />
  );
}
