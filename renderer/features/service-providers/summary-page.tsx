// Owns the page Summary of the Service Provider wizard.
import { MessageBar, MessageBarBody } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { commandLine } from '../../platform/command-line.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';

interface SummaryPageProps {
  readonly provider: ServiceProvider;
  readonly isByInvitation: boolean;
}

export function SummaryPage({ provider, isByInvitation }: SummaryPageProps): ReactNode {
  const t = useText();
  const usable = provider.gateways.filter(({ isUsable }) => isUsable);
  const { name, host, port, userName, certificate } = provider;
  const command = isByInvitation
    ? commandLine('provider', 'add', '--invitation', 'INVITATION_FILE')
    : commandLine(
        ...['provider', 'add', name, '--address', `${host}:${port}`, '--user', userName],
        ...['--password-file', 'PASSWORD_FILE', '--fingerprint', certificate.sha256],
      );
  return (
    <>
      <MessageBar intent="success" layout="multiline">
        <MessageBarBody>{t('providerWizard.summary.intro')}</MessageBarBody>
      </MessageBar>
      <PropertyList
        properties={[
          { name: t('providerWizard.name'), value: name },
          { name: t('providerWizard.summary.address'), value: `${host}:${port}` },
          { name: t('providerWizard.user'), value: userName },
          { name: t('providerWizard.summary.trust'), value: t(`providers.trust.${provider.trust}`) },
          { name: t('providers.thumbprint'), value: <Thumbprint value={certificate.sha256} /> },
          {
            name: t('providerWizard.step.storage'),
            value: provider.repositories.map((repository) => repository.name).join(', ') || '–',
          },
          {
            name: t('providerWizard.summary.gateways'),
            value: usable.map((gateway) => `${gateway.host}:${gateway.port}`).join(', ') || '–',
          },
        ]}
      />
      <ShowCommand commands={[command]} />
    </>
  );
}
