// Owns the frame of one role on the Network tab: its fields, Save and restart, the question while sessions run, and the result.
import { Button, MessageBar, MessageBarBody, Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { Network } from '../../../services/contracts/models/network.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import type { MirrorState } from '../../platform/mirror/mirror-state.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';
import type { DraftProblems } from './network-draft.ts';
import { OptionsSection } from './options-section.tsx';

const useStyles = makeStyles({
  fields: { display: 'flex', flexDirection: 'column', gap: '12px' },
  file: {
    margin: 0,
    color: tokens.colorNeutralForeground3,
    fontSize: tokens.fontSizeBase200,
    overflowWrap: 'anywhere',
  },
});

export interface NetworkSectionProps<Draft> {
  readonly role: ServiceRole;
  readonly file: string;
  readonly saved: Draft;
  readonly problemsOf: (draft: Draft) => DraftProblems;
  readonly settingsOf: (draft: Draft) => Readonly<Record<string, unknown>>;
  readonly onSaved: (network: Network) => void;
  readonly children: (
    draft: Draft,
    change: (part: Partial<Draft>) => void,
    errorOf: (field: string) => string | undefined,
  ) => ReactNode;
}

interface Result {
  readonly error: ErrorInfo | null;
  /** False: another program started the service. */
  readonly isRestarted: boolean;
}

export function NetworkSection<Draft extends object>(props: NetworkSectionProps<Draft>): ReactNode {
  const { role, file, saved, problemsOf, settingsOf, onSaved, children } = props;
  const t = useText();
  const styles = useStyles();
  const [draft, setDraft] = useState(saved);
  const [problems, setProblems] = useState<DraftProblems>({});
  const [isAsking, setAsking] = useState(false);
  const [result, setResult] = useState<Result | null>(null);
  const call = useCall();
  const running = useMirror((state) => interruptedBy(role, state));
  const service = t(`role.${role}.service`);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(saved);

  const save = async (): Promise<void> => {
    const {
      network,
      service: after,
      isRestarted,
    } = await consoleClient.setNetwork({ role, settings: settingsOf(draft) });
    setResult({ error: after.state === 'failed' ? after.error : null, isRestarted });
    onSaved(network);
  };
  const start = (): void => {
    const found = problemsOf(draft);
    setProblems(found);
    setResult(null);
    if (Object.keys(found).length > 0) return;
    if (running > 0) setAsking(true);
    else void call.run(save);
  };
  const errorOf = (field: string): string | undefined => {
    const problem = problems[field];
    if (problem !== undefined) return t(problem);
    return call.error?.field === field ? call.error.message : undefined;
  };
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    // A problem disappears when its field is corrected. A new one is shown only by Save.
    const left = problemsOf(next);
    setProblems(Object.fromEntries(Object.entries(problems).filter(([field]) => left[field] !== undefined)));
    setResult(null);
    call.clearError();
  };
  return (
    <OptionsSection
      title={t(`role.${role}`)}
      aside={
        <Button
          disabled={!isChanged || call.isBusy}
          icon={call.isBusy ? <Spinner size="tiny" /> : null}
          aria-label={t('network.save.of', { service })}
          onClick={start}
        >
          {t('network.save')}
        </Button>
      }
    >
      <div className={styles.fields}>
        {children(draft, change, errorOf)}
        {call.error !== null && <ErrorView error={call.error} />}
        {result !== null &&
          (result.error === null ? (
            <MessageBar intent="success">
              <MessageBarBody role="status">
                {t(result.isRestarted ? 'network.saved' : 'network.savedElsewhere', { service })}
              </MessageBarBody>
            </MessageBar>
          ) : (
            <ErrorView error={result.error} />
          ))}
        <p className={styles.file}>{t('network.file', { file })}</p>
      </div>
      {isAsking && (
        <ConfirmDialog
          title={t('network.restart.title', { service })}
          text={t(role === 'gateway' ? 'network.restart.connections' : 'network.restart.sessions', { count: running })}
          confirmLabel={t('network.save')}
          onConfirm={save}
          onClose={() => setAsking(false)}
        />
      )}
    </OptionsSection>
  );
}

/** How many sessions (at a gateway: connections) a restart of the service interrupts. */
function interruptedBy(role: ServiceRole, { provider, tenant, gateway }: MirrorState): number {
  if (role === 'gateway') return gateway.node?.connections ?? 0;
  const { sessions } = role === 'provider' ? provider : tenant;
  return sessions.filter((session) => !isFinal(session) && session.state !== 'paused').length;
}
