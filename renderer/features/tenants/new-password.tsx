// Owns showing a new password once, with a copy button. The password is in the dialog that shows it and nowhere else.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { CopyButton } from '../../ui/form/copy-button.tsx';

const useStyles = makeStyles({
  row: {
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    padding: '6px 12px',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  password: {
    flexGrow: 1,
    minWidth: 0,
    fontFamily: tokens.fontFamilyMonospace,
    overflowWrap: 'anywhere',
    userSelect: 'text',
  },
});

export function NewPassword({ password }: { readonly password: string }): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <div className={styles.row} role="group" aria-label={t('tenants.password.new')}>
      <div className={styles.password}>{password}</div>
      <CopyButton label={t('tenants.password.copy')} text={password} />
    </div>
  );
}
