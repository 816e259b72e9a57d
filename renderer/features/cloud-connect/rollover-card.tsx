// Owns the card of an announced change of the provider identity: certificate, date, informed tenants, and the button to cancel.
import { Button, MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Rollover } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import { PropertyList } from '../../ui/property-list.tsx';

const useStyles = makeStyles({
  card: {
    display: 'flex',
    flexDirection: 'column',
    gap: '10px',
    padding: '12px 14px',
    borderRadius: tokens.borderRadiusMedium,
    border: `1px solid ${tokens.colorBrandStroke2}`,
    backgroundColor: tokens.colorNeutralBackground2,
  },
  title: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  actions: { display: 'flex', gap: '8px' },
});

/** The card appears above the board, which may be scrolled. */
function bringIntoSight(card: HTMLElement | null): void {
  card?.scrollIntoView({ block: 'end' });
}

export function RolloverCard({ rollover }: { readonly rollover: Rollover }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isCanceling, setCanceling] = useState(false);
  const { next, switchAt, announcedAt, tenants, problem } = rollover;
  return (
    <section className={styles.card} aria-label={t('rollover.title')} ref={bringIntoSight}>
      <h2 className={styles.title}>{t('rollover.title')}</h2>
      {problem !== null && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>{problem}</MessageBarBody>
        </MessageBar>
      )}
      <PropertyList
        properties={[
          { name: t('rollover.next'), value: next.friendlyName },
          { name: t('certificate.row.sha256'), value: <Thumbprint value={next.summary.sha256} /> },
          { name: t('rollover.switchAt'), value: <Instant at={switchAt} /> },
          { name: t('rollover.announcedAt'), value: <Instant at={announcedAt} /> },
          {
            name: t('rollover.tenants'),
            value: t(tenants.failed === 0 ? 'rollover.tenants.value' : 'rollover.tenants.failed', { ...tenants }),
          },
        ]}
      />
      <div className={styles.actions}>
        <Button
          size="small"
          onClick={() =>
            openDialog({
              kind: 'view-certificate',
              title: t('certificate.view.own', { name: next.friendlyName }),
              certificate: next.summary,
            })
          }
        >
          {t('cloudConnect.view')}
        </Button>
        <Button size="small" onClick={() => setCanceling(true)}>
          {t('rollover.cancel')}
        </Button>
      </div>
      {isCanceling && (
        <ConfirmDialog
          title={t('rollover.cancel.title')}
          text={t('rollover.cancel.text', { name: next.friendlyName })}
          confirmLabel={t('rollover.cancel.confirm')}
          cancelLabel={t('rollover.cancel.keep')}
          onConfirm={() => providerClients.certificate.cancelRollover({})}
          onClose={() => setCanceling(false)}
        />
      )}
    </section>
  );
}
