// Owns the frame of the whole app: theme, texts, the start of the mirror, and the choice between first start and shell.
import { FluentProvider, Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { IntlProvider } from 'react-intl';
import { FirstStartPage } from '../features/first-start/first-start-page.tsx';
import { texts } from '../i18n/texts.ts';
import { useText } from '../i18n/use-text.ts';
import { startAt } from '../platform/navigation-store.ts';
import { parseRoute } from '../platform/route.ts';
import { mirror, startMirror, useMirror } from '../platform/use-mirror.ts';
import { themes } from '../ui/app-theme.ts';
import { ErrorView } from '../ui/error-view.tsx';
import { ThemeNameContext } from '../ui/theme-name.tsx';
import { AppShell } from './app-shell.tsx';
import { CloseRequestDialog } from './close-request-dialog.tsx';
import { DialogHost } from './dialog-host.tsx';
import { ToastArea } from './toast-area.tsx';
import { TrustPromptHost } from './trust-prompt-host.tsx';
import { useDesktopRequests } from './use-desktop-requests.ts';
import { useShortcuts } from './keyboard/use-shortcuts.ts';
import { useHelpKey } from './keyboard/use-help-key.ts';
import { useThemeName } from './use-theme-name.ts';

const useStyles = makeStyles({
  root: {
    height: '100vh',
    backgroundColor: tokens.colorNeutralBackground2,
    color: tokens.colorNeutralForeground1,
  },
  center: { height: '100%', display: 'flex', alignItems: 'center', justifyContent: 'center', padding: '24px' },
  failure: { maxWidth: '560px' },
});

export function App(): ReactNode {
  const themeName = useThemeName();
  const styles = useStyles();
  return (
    <IntlProvider locale="en-US" messages={texts}>
      <ThemeNameContext value={themeName}>
        <FluentProvider theme={themes[themeName]}>
          {/* The class is not on FluentProvider, which passes its classes on to every portal: a dialog would then cover the window. */}
          <div className={styles.root}>
            <Start />
          </div>
        </FluentProvider>
      </ThemeNameContext>
    </IntlProvider>
  );
}

let isStarted = false;

function Start(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const load = useMirror(({ console }) => console.load);
  const loadError = useMirror(({ console }) => console.loadError);
  const hasRoles = useMirror(({ console }) => console.roles.length > 0);
  const [isSettingUp, setSettingUp] = useState(false);
  useDesktopRequests();
  useShortcuts();
  useHelpKey();

  useEffect(() => {
    // React's strict mode mounts twice, but the mirror must start once.
    if (isStarted) return;
    isStarted = true;
    void startMirror().then(() => {
      const { preferences } = mirror.store.getState().console;
      if (preferences !== null) startAt(parseRoute(preferences.lastPage));
    });
  }, []);

  const isReady = load === 'ready';
  useEffect(() => {
    if (isReady) document.documentElement.dataset['ready'] = 'true';
  }, [isReady]);

  if (load === 'failed' && loadError !== null) {
    return (
      <main className={styles.center}>
        <div className={styles.failure}>
          <h1>{t('app.failed')}</h1>
          <ErrorView error={loadError} action={{ label: t('word.retry'), run: () => void mirror.start() }} />
        </div>
      </main>
    );
  }
  if (!isReady) {
    return (
      <main className={styles.center}>
        <Spinner label={t('app.connecting')} />
      </main>
    );
  }
  return (
    <>
      {hasRoles && !isSettingUp ? <AppShell /> : <FirstStartPage onBusyChange={setSettingUp} />}
      <DialogHost />
      <TrustPromptHost />
      <CloseRequestDialog />
      <ToastArea />
    </>
  );
}
