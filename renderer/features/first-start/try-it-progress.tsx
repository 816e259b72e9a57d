// Owns the progress of "Try it on this computer" step by step, with the error if a step fails.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { goTo, goToSession } from '../../platform/navigation-store.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { StepList } from '../../ui/wizard/step-list.tsx';
import type { StepState } from '../../ui/wizard/step-list.tsx';
import { useCall } from '../../ui/use-call.ts';
import { tryIt, tryItSteps } from './try-it.ts';
import type { TryItStep } from './try-it.ts';

const useStyles = makeStyles({
  page: {
    height: '100%',
    overflowY: 'auto',
    display: 'flex',
    alignItems: 'safe center',
    justifyContent: 'center',
    padding: '24px',
  },
  sheet: { width: '560px', maxWidth: '100%', display: 'flex', flexDirection: 'column', gap: '16px' },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase600,
    lineHeight: tokens.lineHeightBase600,
    fontWeight: tokens.fontWeightSemibold,
  },
  intro: { margin: 0, color: tokens.colorNeutralForeground2 },
  list: {
    padding: '8px 16px',
    borderRadius: tokens.borderRadiusLarge,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  actions: { display: 'flex', gap: '8px' },
});

export function TryItProgress({ onLeave }: { readonly onLeave: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const [current, setCurrent] = useState<TryItStep>('roles');
  const { run } = call;
  const leave = useRef(onLeave);
  useEffect(() => {
    leave.current = onLeave;
  });

  const start = useCallback(async (): Promise<void> => {
    await run(async () => {
      const { sessionId } = await tryIt(
        {
          repository: t('try.repositoryName'),
          gateway: t('try.gatewayName'),
          tenant: t('try.tenantName'),
          job: t('try.jobName'),
          noListener: t('try.gatewayPort'),
          linkLate: t('try.gatewayLink'),
          serviceLate: t('try.servicesLate', { service: t('role.provider.service') }),
        },
        setCurrent,
      );
      goToSession('tenant', sessionId);
      leave.current();
    });
  }, [run, t]);

  const isStarted = useRef(false);
  useEffect(() => {
    // React's strict mode mounts twice, but the steps must run once.
    if (isStarted.current) return;
    isStarted.current = true;
    void start();
  }, [start]);

  const position = tryItSteps.indexOf(current);
  const stateAt = (index: number): StepState =>
    index < position ? 'done' : index > position ? 'waiting' : call.error === null ? 'running' : 'failed';
  return (
    <main className={styles.page}>
      <div className={styles.sheet}>
        <h1 className={styles.title}>{t('try.title')}</h1>
        <p className={styles.intro}>{t('try.intro')}</p>
        <StepList
          className={styles.list}
          label={t('try.steps')}
          steps={tryItSteps.map((step, index) => ({ id: step, title: t(`try.step.${step}`), state: stateAt(index) }))}
        />
        {call.error !== null && (
          <>
            <ErrorView error={call.error} action={{ label: t('word.retry'), run: () => void start() }} />
            <div className={styles.actions}>
              <Button
                onClick={() => {
                  goTo('overview');
                  onLeave();
                }}
              >
                {t('try.skip')}
              </Button>
            </div>
          </>
        )}
      </div>
    </main>
  );
}
