// Owns "Show command": the equivalent command line, without secrets, with a copy button.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { WindowConsole20Regular } from '@fluentui/react-icons';
import { useId, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { CopyButton } from './copy-button.tsx';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', alignItems: 'flex-start', gap: '8px' },
  panel: {
    alignSelf: 'stretch',
    display: 'flex',
    alignItems: 'flex-start',
    gap: '8px',
    padding: '8px 8px 8px 12px',
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground3,
  },
  code: {
    margin: 0,
    flexGrow: 1,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    lineHeight: '20px',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
    paddingTop: '2px',
  },
});

export function ShowCommand({ commands }: { readonly commands: readonly string[] }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const panelId = useId();
  const [isShown, setShown] = useState(false);
  const text = commands.join('\n');
  return (
    <div className={styles.root}>
      <Button
        appearance="subtle"
        size="small"
        icon={<WindowConsole20Regular />}
        aria-expanded={isShown}
        aria-controls={isShown ? panelId : undefined}
        onClick={() => setShown(!isShown)}
      >
        {isShown ? t('command.hide') : t('command.show')}
      </Button>
      {isShown && (
        <div id={panelId} className={styles.panel} role="group" aria-label={t('command.title')}>
          <pre className={styles.code}>{text}</pre>
          <CopyButton text={text} label={t('command.copy')} isIconOnly size="small" />
        </div>
      )}
    </div>
  );
}
