// Owns the wizard "Service Provider". The first page decides about the certificate. The page for the password exists only after this
// decision.
import { Button } from '@fluentui/react-components';
import { MailOpenPerson20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import type { serviceProvidersDomain } from '../../../services/contracts/rpc/service-providers.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { askTrust } from '../../platform/trust-question.ts';
import { addressProblems, nameProblem, parsePort } from '../../ui/form/field-rules.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import type { WizardStep } from '../../ui/wizard/wizard.tsx';
import { AddressPage } from './address-page.tsx';
import { CredentialsPage } from './credentials-page.tsx';
import { InvitationPage } from './invitation-page.tsx';
import { openInvitation } from './open-invitation.ts';
import { StoragePage } from './storage-page.tsx';
import { SummaryPage } from './summary-page.tsx';
import { trustProblem } from './trust-problem.ts';

type Probe = CommandOutput<typeof serviceProvidersDomain, 'probe'>;
type Errors = Partial<Record<'name' | 'host' | 'port' | 'userName' | 'password', string>>;

const defaultPort = defaultPorts.gateway.gateway;

export function ServiceProviderWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const { serviceProviders } = tenantClients;
  const [name, setName] = useState('');
  const [host, setHost] = useState('');
  const [port, setPort] = useState(String(defaultPort));
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const [probe, setProbe] = useState<Probe | null>(null);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [added, setAdded] = useState<ServiceProvider | null>(null);
  const [errors, setErrors] = useState<Errors>({});
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const address = { host: host.trim(), port: parsePort(port) ?? defaultPort };

  const open = async (): Promise<void> => {
    const opened = await openInvitation(t);
    if (opened === null) return;
    setInvitation(opened);
    setName(opened.provider);
  };

  /** Connects and checks the certificate. The wizard asks for no secret before the certificate is trusted. */
  const decideTrust = async (signal: AbortSignal): Promise<void> => {
    const first = await serviceProviders.probe(address, { signal });
    if (first.decision !== 'refused') {
      setProbe(first);
      return;
    }
    if (first.prompt === null) throw trustProblem(first.reasons, t);
    const answer = await askTrust(first.prompt);
    if (answer !== 'accept') throw trustProblem(null, t);
    const second = await serviceProviders.probe(address, { signal });
    if (second.decision === 'refused') throw trustProblem(second.reasons, t);
    setProbe(second);
  };

  const summaryStep: WizardStep = {
    id: 'summary',
    title: t('providerWizard.step.summary'),
    canGoBack: false,
    content: added === null ? null : <SummaryPage provider={added} isByInvitation={invitation !== null} />,
  };
  const storageStep: WizardStep = {
    id: 'storage',
    title: t('providerWizard.step.storage'),
    intro: t('providerWizard.storage.intro'),
    canGoBack: false,
    content: added === null ? null : <StoragePage provider={added} />,
  };
  const byHand: readonly WizardStep[] = [
    {
      id: 'provider',
      title: t('providerWizard.step.provider'),
      intro: t('providerWizard.provider.intro'),
      fields: ['host', 'port', 'name'],
      content: (fieldErrors) => (
        <AddressPage
          values={{ name, host, port }}
          errors={{ ...fieldErrors, ...errors }}
          onChange={(change) => {
            setProbe(null);
            if (change.name !== undefined) setName(change.name);
            if (change.host !== undefined) setHost(change.host);
            if (change.port !== undefined) setPort(change.port);
          }}
        />
      ),
      validate: () => {
        const problems: Readonly<Record<string, 'field.required' | 'field.host' | 'field.port'>> = addressProblems(
          host,
          port,
        );
        const nameFault = name === '' ? null : nameProblem(name);
        return refuse({
          ...Object.fromEntries(Object.entries(problems).map(([field, key]) => [field, t(key)])),
          ...(nameFault === null ? {} : { name: t(nameFault) }),
        });
      },
      workLabel: t('providerWizard.probing'),
      work: decideTrust,
    },
    {
      id: 'credentials',
      title: t('providerWizard.step.credentials'),
      intro: t('providerWizard.credentials.intro'),
      fields: ['userName', 'password'],
      content: (fieldErrors) =>
        probe === null ? null : (
          <CredentialsPage
            certificate={probe.certificate}
            trust={probe.decision === 'pinned' ? 'pinned' : 'trusted'}
            values={{ userName, password }}
            errors={{ ...fieldErrors, ...errors }}
            onUserName={setUserName}
            onPassword={setPassword}
          />
        ),
      validate: () =>
        refuse({
          ...(userName.trim() === '' ? { userName: t('field.required') } : {}),
          ...(password === '' ? { password: t('field.required') } : {}),
        }),
      workLabel: t('providerWizard.adding'),
      work: async (signal) => {
        const shownName = name.trim() === '' ? (probe?.certificate.commonName ?? '') || address.host : name.trim();
        setAdded(
          await serviceProviders.add({ name: shownName, ...address, userName: userName.trim(), password }, { signal }),
        );
        setPassword('');
      },
    },
  ];
  const byInvitation = (accepted: Invitation): WizardStep => ({
    id: 'invitation',
    title: t('providerWizard.step.provider'),
    intro: t('providerWizard.invitation.intro'),
    fields: ['name'],
    content: (fieldErrors) => (
      <InvitationPage
        invitation={accepted}
        name={name}
        nameError={errors.name ?? fieldErrors['name']}
        onName={setName}
        onForget={() => setInvitation(null)}
      />
    ),
    validate: () => {
      const problem = nameProblem(name);
      return refuse(problem === null ? {} : { name: t(problem) });
    },
    workLabel: t('providerWizard.adding'),
    work: async (signal) => setAdded(await serviceProviders.accept({ invitation: accepted, name }, { signal })),
  });

  return (
    <Wizard
      help="connect-to-a-provider"
      title={t('providerWizard.title')}
      isDirty={host !== '' || invitation !== null}
      onClose={onClose}
      footerStart={
        added === null &&
        probe === null && (
          <Button icon={<MailOpenPerson20Regular />} onClick={() => void open()}>
            {t('providerWizard.invitation.open')}
          </Button>
        )
      }
      steps={[...(invitation === null ? byHand : [byInvitation(invitation)]), storageStep, summaryStep]}
    />
  );
}
