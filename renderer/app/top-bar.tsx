// Owns the bar at the top: main menu, name, notification area.
import {
  Button,
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import {
  DocumentArrowDown20Regular,
  DocumentText20Regular,
  Info20Regular,
  Navigation20Regular,
  Power20Regular,
  Ribbon20Regular,
  Settings20Regular,
} from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { consoleClient } from '../platform/clients.ts';
import { openDialog } from '../platform/dialog-store.ts';
import { toErrorInfo } from '../platform/error-info.ts';
import { useHasRole } from '../platform/use-mirror.ts';
import { showToast } from '../ui/toast-store.ts';
import { NotificationArea } from './notification-area.tsx';
import { ProductMark } from '../ui/product-mark.tsx';

const useStyles = makeStyles({
  bar: {
    display: 'flex',
    alignItems: 'center',
    gap: '10px',
    height: '44px',
    flexShrink: 0,
    padding: '0 10px',
    // The menu opens from the header and must be above the page.
    position: 'relative',
    zIndex: 10,
    backgroundColor: tokens.colorNeutralBackground1,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  name: {
    display: 'inline-flex',
    alignItems: 'center',
    gap: '8px',
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase400,
  },
  space: { flexGrow: 1 },
});

/** Errors of desktop functions are shown as toasts, because they belong to no page. */
function tellFailure(error: unknown): void {
  showToast('error', toErrorInfo(error).message);
}

export function TopBar(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isProvider = useHasRole('provider');
  return (
    <header className={styles.bar}>
      <Menu inline>
        <MenuTrigger disableButtonEnhancement>
          <Button appearance="subtle" icon={<Navigation20Regular />} aria-label={t('menu.button')} />
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem icon={<Settings20Regular />} onClick={() => openDialog({ kind: 'options', tab: 'general' })}>
              {t('menu.options')}
            </MenuItem>
            {isProvider && (
              <MenuItem icon={<Ribbon20Regular />} onClick={() => openDialog({ kind: 'license' })}>
                {t('menu.license')}
              </MenuItem>
            )}
            <MenuItem
              icon={<DocumentText20Regular />}
              onClick={() => void consoleClient.showLogFiles({}).catch(tellFailure)}
            >
              {t('menu.logs')}
            </MenuItem>
            <MenuItem icon={<DocumentArrowDown20Regular />} onClick={() => openDialog({ kind: 'diagnostics' })}>
              {t('menu.diagnostics')}
            </MenuItem>
            <MenuItem icon={<Info20Regular />} onClick={() => openDialog({ kind: 'about' })}>
              {t('menu.about')}
            </MenuItem>
            <MenuDivider />
            <MenuItem icon={<Power20Regular />} onClick={() => void consoleClient.quit({}).catch(tellFailure)}>
              {t('menu.exit')}
            </MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      <span className={styles.name}>
        <ProductMark size={22} />
        {t('app.name')}
      </span>
      <span className={styles.space} />
      <NotificationArea />
    </header>
  );
}
