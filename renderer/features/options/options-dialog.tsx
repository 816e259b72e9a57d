// Owns the Options dialog: General, Security, Network and Notifications. A change takes effect at once, so there is no Apply button. Only
// the Network tab has buttons for it, because a change starts a service again.
import { Button, Tab, TabList, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { useText } from '../../i18n/use-text.ts';
import { optionsTabs } from '../../platform/dialog-store.ts';
import type { OptionsTab } from '../../platform/dialog-store.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { GeneralTab } from './general-tab.tsx';
import { NetworkTab } from './network-tab.tsx';
import { NotificationsTab } from './notifications-tab.tsx';
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
  /** The role whose addresses the Network tab checks at once. */
  readonly problemRole: ServiceRole | null;
  readonly onClose: () => void;
}

export function OptionsDialog({ initialTab, problemRole, onClose }: OptionsDialogProps): ReactNode {
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
        onTabSelect={(_event, data) => setTab(optionsTabs.find((name) => name === data.value) ?? 'general')}
      >
        {optionsTabs.map((name) => (
          <Tab key={name} value={name} id={`options-tab-${name}`}>
            {t(`options.tab.${name}`)}
          </Tab>
        ))}
      </TabList>
      <div className={styles.panel} role="tabpanel" aria-labelledby={`options-tab-${tab}`} tabIndex={0}>
        {tab === 'general' && <GeneralTab />}
        {tab === 'security' && <SecurityTab />}
        {tab === 'network' && <NetworkTab problemRole={problemRole} />}
        {tab === 'notifications' && <NotificationsTab />}
      </div>
    </DialogFrame>
  );
}
