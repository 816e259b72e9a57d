// Owns the License dialog: organization, edition, end of the license, and the import of another license.
import { Button, MessageBar, MessageBarBody, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient, providerClients } from '../../platform/clients.ts';
import { formatInstant } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '12px' },
  hint: { margin: 0, color: tokens.colorNeutralForeground3 },
});

export function LicenseDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const license = useMirror(({ provider }) => provider.license);
  const call = useCall();
  const importFile = (): void =>
    void call.run(async () => {
      const { path } = await consoleClient.chooseFile({
        title: t('license.choose'),
        filters: [{ name: t('license.filter'), extensions: ['json', 'license', 'licence'] }],
      });
      if (path === null) return;
      const { organization } = await providerClients.license.importFile({ file: path });
      showToast('success', t('license.imported', { organization }));
    });
  return (
    <DialogFrame
      help="set-up-a-provider"
      title={t('license.title')}
      onDismiss={onClose}
      footer={
        <>
          <Button disabled={call.isBusy} onClick={importFile}>
            {t('license.import')}
          </Button>
          <Button appearance="primary" onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <div className={styles.content}>
        {call.error !== null && <ErrorView error={call.error} />}
        {license !== null && license.problem !== null && (
          <MessageBar intent="warning" layout="multiline">
            <MessageBarBody>{license.problem}</MessageBarBody>
          </MessageBar>
        )}
        {license !== null && (
          <PropertyList
            properties={[
              { name: t('license.organization'), value: license.organization },
              { name: t('license.edition'), value: t(`license.edition.${license.edition}`) },
              {
                name: t('license.expires'),
                value: license.expiresAt === null ? t('license.noEnd') : formatInstant(license.expiresAt, 'date'),
              },
            ]}
          />
        )}
        <p className={styles.hint}>
          {license?.isCommunity === true && `${t('license.community')} `}
          {t('license.subject')}
        </p>
      </div>
    </DialogFrame>
  );
}
