// Owns Export diagnostics: the content of the archive, where to save it, the progress of its steps, and its path to copy.
import { Button, makeStyles } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { consoleDomain, diagnosticsStepNames } from '../../../services/contracts/rpc/console.ts';
import type { DiagnosticsStepName } from '../../../services/contracts/rpc/console.ts';
import { useText } from '../../i18n/use-text.ts';
import { getBridge } from '../../platform/bridge.ts';
import { consoleClient } from '../../platform/clients.ts';
import { formatBytes } from '../../platform/format.ts';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { StepList } from '../../ui/wizard/step-list.tsx';
import type { StepState } from '../../ui/wizard/step-list.tsx';
import { useCall } from '../../ui/use-call.ts';

const useStyles = makeStyles({
  intro: { margin: '0 0 12px 0' },
  result: { marginTop: '16px', display: 'flex', alignItems: 'center', gap: '8px' },
  path: { overflowWrap: 'anywhere', flexGrow: 1 },
  error: { marginTop: '16px' },
});

interface Written {
  readonly path: string;
  readonly sizeBytes: number;
  readonly failedSteps: readonly DiagnosticsStepName[];
}

/** The step in progress; null before the first step. */
function useRunningStep(isBusy: boolean): DiagnosticsStepName | null {
  const [step, setStep] = useState<DiagnosticsStepName | null>(null);
  useEffect(
    () =>
      getBridge().onEvent(({ target, event, payload }) => {
        if (target !== 'console' || event !== 'diagnosticsProgressed') return;
        const told = consoleDomain.events.diagnosticsProgressed.payload.safeParse(payload);
        if (told.success) setStep(told.data.step);
      }),
    [],
  );
  return isBusy ? step : null;
}

export function DiagnosticsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const [written, setWritten] = useState<Written | null>(null);
  const running = useRunningStep(call.isBusy);
  const position = running === null ? -1 : diagnosticsStepNames.indexOf(running);
  const stateOf = (step: DiagnosticsStepName, index: number): StepState => {
    if (written !== null) return written.failedSteps.includes(step) ? 'incomplete' : 'done';
    return index < position ? 'done' : index === position ? 'running' : 'waiting';
  };
  const save = (): void =>
    void call.run(async (signal) => {
      setWritten(null);
      const { path, ...rest } = await consoleClient.exportDiagnostics({ title: t('diagnostics.save') }, { signal });
      if (path !== null) setWritten({ path, ...rest });
    });
  return (
    <DialogFrame
      help="getting-started"
      title={t('diagnostics.title')}
      onDismiss={() => {
        call.cancel();
        onClose();
      }}
      footer={
        <>
          <Button onClick={call.isBusy ? call.cancel : onClose}>{t(call.isBusy ? 'word.cancel' : 'word.close')}</Button>
          <Button appearance="primary" disabledFocusable={call.isBusy} onClick={save}>
            {t('diagnostics.saveAs')}
          </Button>
        </>
      }
    >
      <p className={styles.intro}>{t('diagnostics.intro')}</p>
      <StepList
        label={t('diagnostics.steps')}
        steps={diagnosticsStepNames.map((step, index) => ({
          id: step,
          title: t(`diagnostics.step.${step}`),
          state: stateOf(step, index),
        }))}
      />
      {written !== null && (
        <div className={styles.result} role="status">
          <span className={styles.path}>
            {t('diagnostics.written', { path: written.path, size: formatBytes(written.sizeBytes) })}
            {written.failedSteps.length > 0 && ` ${t('diagnostics.incomplete')}`}
          </span>
          <CopyButton label={t('diagnostics.copyPath')} text={written.path} />
        </div>
      )}
      {call.error !== null && (
        <div className={styles.error}>
          <ErrorView error={call.error} />
        </div>
      )}
    </DialogFrame>
  );
}
