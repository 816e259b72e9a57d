// Owns the bar above every page for each service that has failed: the reason and the next step.
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
} from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { SupervisedService } from '../../services/contracts/models/service.ts';
import { useText } from '../i18n/use-text.ts';
import { consoleClient } from '../platform/clients.ts';
import { openDialog } from '../platform/dialog-store.ts';
import { useMirror } from '../platform/use-mirror.ts';
import { errorSentences } from '../ui/error-sentences.ts';
import { ErrorView } from '../ui/error-view.tsx';
import { useCall } from '../ui/use-call.ts';

const useStyles = makeStyles({
  bar: { borderRadius: 0, flexShrink: 0 },
  body: { whiteSpace: 'normal', overflowWrap: 'anywhere' },
});

export function ServiceFailures(): ReactNode {
  const failed = useMirror(
    useShallow(({ console: { roles, services } }) =>
      services.filter(({ role, state }) => state === 'failed' && roles.includes(role)),
    ),
  );
  return failed.map((service) => <Failure key={service.role} service={service} />);
}

/** Errors that a change of the service's settings can remove. */
const settingsCodes: readonly string[] = ['service.port-in-use', 'service.start-failed', 'config.invalid'];

function Failure({ service }: { readonly service: SupervisedService }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const { role, reason, error } = service;
  const code = error?.code ?? '';
  return (
    <>
      <MessageBar intent="error" layout="multiline" className={styles.bar}>
        <MessageBarBody className={styles.body} role="alert">
          <MessageBarTitle>{t('failure.title', { service: t(`role.${role}.service`) })}</MessageBarTitle>
          {error === null ? reason : errorSentences({ ...error, message: reason ?? error.message })}
        </MessageBarBody>
        <MessageBarActions>
          {settingsCodes.includes(code) && (
            <Button size="small" onClick={() => openDialog({ kind: 'options', tab: 'network', problemRole: role })}>
              {t(code === 'service.port-in-use' ? 'failure.port' : 'failure.network')}
            </Button>
          )}
          <Button
            size="small"
            disabled={call.isBusy}
            onClick={() => void call.run(() => consoleClient.startService({ role }))}
          >
            {t('failure.start')}
          </Button>
        </MessageBarActions>
      </MessageBar>
      {call.error !== null && <ErrorView error={call.error} />}
    </>
  );
}
