// Owns the question after a backup with much less data than the last good run: accept the smaller amount, or check the sources.
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
} from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { tenantClients } from '../../../platform/clients.ts';
import { goToSession } from '../../../platform/navigation-store.ts';
import { useMirror } from '../../../platform/use-mirror.ts';
import { ErrorView } from '../../../ui/error-view.tsx';
import { useCall } from '../../../ui/use-call.ts';
import { jobToAccept } from './job-to-accept.ts';

const useStyles = makeStyles({ body: { whiteSpace: 'normal', padding: '6px 0' } });

export function LessDataNotice({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const job = useMirror(({ tenant }) => jobToAccept(detail, tenant.jobs));
  if (job === undefined) return null;
  const accept = (): void =>
    void call.run(async () => {
      const { sessionId } = await tenantClients.jobs.run({ jobId: job.id, isLessAccepted: true });
      goToSession('tenant', sessionId);
    });
  return (
    <>
      <MessageBar intent="warning">
        <MessageBarBody className={styles.body}>
          <MessageBarTitle>{t('session.lessData.title')}</MessageBarTitle> {t('session.lessData.text')}
        </MessageBarBody>
        <MessageBarActions>
          <Button size="small" disabled={call.isBusy} onClick={accept}>
            {t('session.lessData.accept')}
          </Button>
        </MessageBarActions>
      </MessageBar>
      {call.error !== null && <ErrorView error={call.error} />}
    </>
  );
}
