// Owns the list of pinned certificates, and the button that revokes one.
import { Button, Link, MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Pin } from '../../../services/contracts/models/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import { SimpleTable } from '../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Tone } from '../../ui/status-badge.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';
import { exportTrustedHosts, importTrustedHosts } from './trusted-hosts.ts';
import { OptionsSection } from './options-section.tsx';
import { ReinstateDialog } from './reinstate-dialog.tsx';
import { TrustCheckDialog } from './trust-check-dialog.tsx';

const tones: Readonly<Record<Pin['state'], Tone>> = {
  current: 'success',
  next: 'info',
  revoked: 'danger',
  replaced: 'neutral',
};

const useStyles = makeStyles({
  buttons: { display: 'flex', alignItems: 'center', gap: '8px' },
  muted: { margin: 0, color: tokens.colorNeutralForeground3 },
});

export function PinList(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const pins = useMirror(({ tenant }) => tenant.pins);
  const leftOut = useMirror(({ tenant }) => tenant.leftOut);
  const trustedCount = pins.filter(({ state }) => state === 'current').length;
  const [imported, setImported] = useState<string | null>(null);
  const call = useCall();
  const [isChecking, setChecking] = useState(false);
  const [revoking, setRevoking] = useState<Pin | null>(null);
  const [reinstating, setReinstating] = useState<Pin | null>(null);
  return (
    <OptionsSection
      title={t('pins.title')}
      aside={
        <div className={styles.buttons}>
          <span className={styles.muted}>{t('pins.count', { count: trustedCount })}</span>
          <Button size="small" onClick={() => setChecking(true)}>
            {t('trustCheck.open')}
          </Button>
          <Button
            size="small"
            disabled={call.isBusy || trustedCount === 0}
            onClick={() => void call.run(() => exportTrustedHosts(t))}
          >
            {t('pins.export')}
          </Button>
          <Button
            size="small"
            disabled={call.isBusy}
            onClick={() => void call.run(async () => setImported(await importTrustedHosts(t)))}
          >
            {t('pins.import')}
          </Button>
        </div>
      }
    >
      {call.error !== null && <ErrorView error={call.error} />}
      {imported !== null && (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>{imported}</MessageBarBody>
        </MessageBar>
      )}
      <LeftOutNotice leftOut={leftOut} lists={{ pins: 'pins' }} />
      {pins.length === 0 ? (
        <p className={styles.muted}>
          {t('pins.empty')}. {t('pins.empty.hint')}
        </p>
      ) : (
        <SimpleTable
          label={t('pins.title')}
          rows={pins}
          rowKey={({ id }) => id}
          columns={[
            {
              id: 'identity',
              title: t('pins.identity'),
              cell: ({ identity, certificate }) => (
                <Link
                  as="button"
                  onClick={() =>
                    openDialog({
                      kind: 'view-certificate',
                      title: t('certificate.view.title', { name: identity }),
                      certificate,
                    })
                  }
                >
                  {identity}
                </Link>
              ),
            },
            {
              id: 'state',
              title: t('pins.state'),
              width: '130px',
              cell: ({ state }) => <StatusBadge tone={tones[state]}>{t(`pins.state.${state}`)}</StatusBadge>,
            },
            {
              id: 'thumbprint',
              title: t('pins.thumbprint'),
              width: '190px',
              cell: ({ certificate }) => <Thumbprint value={certificate.sha256} isShort />,
            },
            {
              id: 'pinnedAt',
              title: t('pins.pinnedAt'),
              width: '170px',
              cell: ({ pinnedAt }) => <Instant at={pinnedAt} />,
            },
            {
              id: 'revoke',
              title: t('commands.label'),
              isTitleHidden: true,
              width: '120px',
              isNumeric: true,
              cell: (pin) =>
                pin.state === 'current' || pin.state === 'next' ? (
                  <Button
                    size="small"
                    aria-label={`${t('pins.revoke')} ${pin.identity}`}
                    onClick={() => setRevoking(pin)}
                  >
                    {t('pins.revoke')}
                  </Button>
                ) : pin.state === 'revoked' ? (
                  <Button
                    size="small"
                    aria-label={`${t('pins.reinstate')} ${pin.identity}`}
                    onClick={() => setReinstating(pin)}
                  >
                    {t('pins.reinstate')}
                  </Button>
                ) : null,
            },
          ]}
        />
      )}
      {isChecking && <TrustCheckDialog onClose={() => setChecking(false)} />}
      {reinstating !== null && <ReinstateDialog pin={reinstating} onClose={() => setReinstating(null)} />}
      {revoking !== null && (
        <ConfirmDialog
          title={t('pins.revoke.title', { identity: revoking.identity })}
          text={t('pins.revoke.text', { identity: revoking.identity })}
          detail={<Thumbprint value={revoking.certificate.sha256} />}
          confirmLabel={t('pins.revoke.confirm')}
          onConfirm={() => tenantClients.trust.revokePin({ pinId: revoking.id })}
          onClose={() => setRevoking(null)}
        />
      )}
    </OptionsSection>
  );
}
