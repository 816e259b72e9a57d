// Owns the button that runs the job of an ended session again.
import { Button } from '@fluentui/react-components';
import { ArrowRepeatAll20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { tenantClients } from '../../../platform/clients.ts';
import { goToSession } from '../../../platform/navigation-store.ts';
import { useMirror } from '../../../platform/use-mirror.ts';
import type { CallState } from '../../../ui/use-call.ts';
import { canRunAgain, jobOfSession } from './session-origin.ts';

interface RunAgainButtonProps {
  readonly className: string;
  readonly detail: SessionDetail;
  readonly call: CallState;
}

export function RunAgainButton({ className, detail, call }: RunAgainButtonProps): ReactNode {
  const t = useText();
  const job = useMirror(({ tenant }) => jobOfSession(detail, tenant.jobs));
  if (job === undefined || !canRunAgain(detail)) return null;
  const run = (): void =>
    void call.run(async () => {
      const { sessionId } = await tenantClients.jobs.run({ jobId: job.id });
      goToSession('tenant', sessionId);
    });
  return (
    <Button
      className={className}
      icon={<ArrowRepeatAll20Regular />}
      disabled={call.isBusy || job.runningSessionId !== null}
      onClick={run}
    >
      {t('session.runAgain')}
    </Button>
  );
}
