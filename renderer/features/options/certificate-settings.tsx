// Owns the settings for all certificates of a provider: the length of generated keys, and what encrypts private keys on disk.
import { Button, Dropdown, Field, Option, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandInput, CommandOutput } from '../../../services/contracts/contract.ts';
import type { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { useService } from '../../platform/use-mirror.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';
import { OptionsSection } from './options-section.tsx';

type Settings = CommandOutput<typeof certificateDomain, 'getSettings'>;

const keyLengths = [2048, 3072, 4096] as const;

const useStyles = makeStyles({
  length: { maxWidth: '320px' },
  protection: { display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: '12px' },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  muted: { margin: 0, color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

export function CertificateSettings(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [settings, setSettings] = useState<Settings | null>(null);
  const { run, error, isBusy } = useCall();
  useEffect(() => {
    void run(async () => setSettings(await providerClients.certificate.getSettings({})));
  }, [run]);
  const save = (change: CommandInput<typeof certificateDomain, 'setSettings'>): void =>
    void run(async () => setSettings(await providerClients.certificate.setSettings(change)));
  const isAttached = useService('provider')?.origin === 'attached';
  const isInKeychain = settings?.protection.kind === 'os-keychain';
  const keychain = settings?.protection.keychain ?? null;
  return (
    <OptionsSection
      title={t('certificateSettings.title')}
      aside={
        <Button onClick={() => openDialog({ kind: 'stored-certificates' })}>{t('storedCertificates.open')}</Button>
      }
    >
      {error !== null && <ErrorView error={error} />}
      {settings !== null && (
        <>
          <Field label={t('certificateSettings.keyBits')} className={styles.length}>
            <Dropdown
              disabled={isBusy}
              selectedOptions={[String(settings.keyBits)]}
              value={t('certificateSettings.keyBits.value', { bits: settings.keyBits })}
              onOptionSelect={(_event, { optionValue }) => {
                const keyBits = keyLengths.find((bits) => String(bits) === optionValue);
                if (keyBits !== undefined && keyBits !== settings.keyBits) save({ keyBits });
              }}
            >
              {keyLengths.map((bits) => (
                <Option key={bits} value={String(bits)}>
                  {t('certificateSettings.keyBits.value', { bits })}
                </Option>
              ))}
            </Dropdown>
          </Field>
          <div className={styles.protection}>
            <div>
              <p className={styles.text}>
                {t('certificateSettings.protection', { how: settings.protection.description })}
              </p>
              <p className={styles.muted}>
                {isInKeychain
                  ? t('certificateSettings.keychain.inUse')
                  : keychain === null
                    ? t(isAttached ? 'certificateSettings.keychain.attached' : 'certificateSettings.keychain.none')
                    : t('certificateSettings.keychain.could', { keychain })}
              </p>
            </div>
            {keychain !== null && (
              <Button disabled={isBusy} onClick={() => save({ protection: isInKeychain ? 'key-file' : 'os-keychain' })}>
                {isInKeychain ? t('certificateSettings.useKeyFile') : t('certificateSettings.useKeychain')}
              </Button>
            )}
          </div>
        </>
      )}
    </OptionsSection>
  );
}
