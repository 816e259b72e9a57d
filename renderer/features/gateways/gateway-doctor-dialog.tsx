// Owns the gateway doctor dialog: the checks of each gateway, their findings, and what to do.
import { Button, Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import { leftOutOfAnswer } from '../../../services/contracts/row-list.ts';
import type { gatewaysDomain } from '../../../services/contracts/rpc/gateways.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { SimpleTable } from '../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Tone } from '../../ui/status-badge.tsx';
import { useCall } from '../../ui/use-call.ts';

type Examination = CommandOutput<typeof gatewaysDomain, 'doctor'>;
type Check = Examination['checks'][number];

const tones: Readonly<Record<Check['outcome'], Tone>> = {
  ok: 'success',
  warning: 'warning',
  failed: 'danger',
  'not-checked': 'neutral',
};

const useStyles = makeStyles({
  intro: { margin: '0 0 12px 0', color: tokens.colorNeutralForeground2 },
  body: { minHeight: '220px', display: 'flex', flexDirection: 'column', gap: '16px' },
  gateway: { margin: 0, fontSize: tokens.fontSizeBase300, overflowWrap: 'anywhere' },
});

export function GatewayDoctorDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [examination, setExamination] = useState<Examination | null>(null);
  const checks = examination?.checks;
  const { run, isBusy, error } = useCall();
  const [round, setRound] = useState(0);
  useEffect(() => {
    void run(async (signal) => setExamination(await providerClients.gateways.doctor({}, { signal })));
  }, [run, round]);
  return (
    <DialogFrame
      help="set-up-a-gateway-on-another-computer"
      title={t('doctor.title')}
      width="wide"
      onDismiss={onClose}
      footer={
        <>
          <Button disabled={isBusy} onClick={() => setRound(round + 1)}>
            {t('doctor.run')}
          </Button>
          <Button appearance="primary" onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <p className={styles.intro}>{t('doctor.intro')}</p>
      <div className={styles.body} aria-live="polite">
        {error !== null && <ErrorView error={error} />}
        {isBusy && <Spinner size="small" label={t('doctor.working')} />}
        {!isBusy && examination !== null && (
          <LeftOutNotice leftOut={leftOutOfAnswer(examination)} lists={{ checks: 'checks' }} />
        )}
        {!isBusy && checks?.length === 0 && <p>{t('doctor.empty')}</p>}
        {!isBusy && checks !== undefined && checks.length > 0 && (
          <>
            {[...new Set(checks.map(({ gateway }) => gateway))].map((name) => (
              <Findings key={name} name={name} checks={checks.filter(({ gateway }) => gateway === name)} />
            ))}
          </>
        )}
      </div>
    </DialogFrame>
  );
}

function Findings({ name, checks }: { readonly name: string; readonly checks: readonly Check[] }): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <section aria-label={name}>
      <h3 className={styles.gateway}>{name}</h3>
      <SimpleTable
        label={t('doctor.table', { gateway: name })}
        rows={checks}
        rowKey={({ check, message }) => `${check} ${message}`}
        columns={[
          { id: 'check', title: t('doctor.check'), width: '130px', cell: ({ check }) => t(`doctor.check.${check}`) },
          {
            id: 'outcome',
            title: t('doctor.outcome'),
            width: '130px',
            cell: ({ outcome }) => <StatusBadge tone={tones[outcome]}>{t(`doctor.outcome.${outcome}`)}</StatusBadge>,
          },
          {
            id: 'message',
            title: t('doctor.message'),
            width: '40%',
            isBreakable: true,
            cell: ({ message }) => message,
          },
          { id: 'help', title: t('doctor.help'), isBreakable: true, cell: ({ help }) => help },
        ]}
      />
    </section>
  );
}
