// Owns the window: top bar, navigation, page, status bar. Only the page scrolls.
import { makeStyles, tokens } from '@fluentui/react-components';
import { useRef } from 'react';
import type { ReactNode } from 'react';
import { Navigation } from './navigation.tsx';
import { PageHost } from './page-host.tsx';
import { ServiceFailures } from './service-failures.tsx';
import { StatusBar } from './status-bar.tsx';
import { TopBar } from './top-bar.tsx';
import { TrustNotices } from './trust-notices.tsx';
import { usePageFocus } from './keyboard/use-page-focus.ts';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', height: '100%' },
  middle: { display: 'flex', flexGrow: 1, minHeight: 0 },
  main: {
    flexGrow: 1,
    minWidth: 0,
    display: 'flex',
    flexDirection: 'column',
    backgroundColor: tokens.colorNeutralBackground2,
    // The page gets the focus when it opens. The page shows no outline, because it is no control.
    outlineStyle: 'none',
  },
  page: { flexGrow: 1, minHeight: 0 },
});

export function AppShell(): ReactNode {
  const styles = useStyles();
  const main = useRef<HTMLElement>(null);
  usePageFocus(main);
  return (
    <div className={styles.root}>
      <TopBar />
      <div className={styles.middle}>
        <Navigation />
        <main className={styles.main} ref={main} tabIndex={-1}>
          <ServiceFailures />
          <TrustNotices />
          <div className={styles.page}>
            <PageHost />
          </div>
        </main>
      </div>
      <StatusBar />
    </div>
  );
}
