// Owns the Options dialog: General and Security. A change takes effect at once, so there is no Apply button.
import { Button, Tab, TabList, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { OptionsTab } from '../../platform/dialog-store.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { GeneralTab } from './general-tab.tsx';
import { SecurityTab } from './security-tab.tsx';

const useStyles = makeStyles({
  // The dialog keeps its size when another tab is chosen.
  panel: {
    height: 'clamp(280px, calc(100vh - 260px), 700px)',
    overflowY: 'auto',
    // Heads of tables stay at the top while the content scrolls. With a padding, rows would be visible above them.
    '& > *': { paddingTop: '16px' },
  },
});

interface OptionsDialogProps {
  readonly initialTab: OptionsTab;
  readonly onClose: () => void;
}

export function OptionsDialog({ initialTab, onClose }: OptionsDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [tab, setTab] = useState<OptionsTab>(initialTab);
  return (
    <DialogFrame
      help="run-as-a-service"
      title={t('options.title')}
      width="wide"
      onDismiss={onClose}
      footer={
        <Button appearance="primary" onClick={onClose}>
          {t('word.close')}
        </Button>
      }
    >
      <TabList
        aria-label={t('options.title')}
        selectedValue={tab}
        onTabSelect={(_event, data) => setTab(data.value === 'security' ? 'security' : 'general')}
      >
        <Tab value="general" id="options-tab-general">
          {t('options.tab.general')}
        </Tab>
        <Tab value="security" id="options-tab-security">
          {t('options.tab.security')}
        </Tab>
      </TabList>
      <div className={styles.panel} role="tabpanel" aria-labelledby={`options-tab-${tab}`} tabIndex={0}>
        {tab === 'general' ? <GeneralTab /> : <SecurityTab />}
      </div>
    </DialogFrame>
  );
}
