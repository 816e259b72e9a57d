// Owns the wizard "Tenant": account, backup resources, summary with the invitation file. When Summary is shown, the account exists.
import { Button, Field, Input, MessageBar, MessageBarBody, makeStyles } from '@fluentui/react-components';
import { Mail20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { commandLine, sizeArgument } from '../../platform/command-line.ts';
import { formatBytes } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { NewPasswordField, leastPasswordLength } from '../../ui/form/new-password-field.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useCall } from '../../ui/use-call.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { QuotaTable } from './quota-table.tsx';
import { saveInvitation } from './save-invitation.ts';
import { defaultQuota, quotaBytes, tenantNameProblem } from './tenant-draft.ts';
import type { QuotaDraft } from './tenant-draft.ts';

const useStyles = makeStyles({ actions: { display: 'flex', gap: '8px' } });

type Errors = Partial<Record<'name' | 'password' | 'quotas', string>>;

export function TenantWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const repositories = useMirror(({ provider }) => provider.repositories);
  const gateways = useMirror(({ provider }) => provider.gateways);
  const identity = useMirror(({ provider }) => provider.certificates.provider);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [quotas, setQuotas] = useState<Readonly<Record<string, QuotaDraft>>>({});
  const [errors, setErrors] = useState<Errors>({});
  const [added, setAdded] = useState<TenantAccount | null>(null);
  const saving = useCall();
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };

  // If there is only one repository, it is chosen by default.
  const quotaOf = (repository: string): QuotaDraft =>
    quotas[repository] ?? { ...defaultQuota, isChosen: repositories.length === 1 };
  const chosen = repositories.filter((repository) => quotaOf(repository.name).isChosen);
  const limits = chosen.map((repository) => ({
    repository: repository.name,
    limitBytes: quotaBytes(quotaOf(repository.name)),
  }));
  const quotaText = limits
    .map(({ repository, limitBytes }) => `${repository}: ${formatBytes(limitBytes ?? 0)}`)
    .join(', ');
  const addresses = gateways.flatMap((gateway) => gateway.addresses.map(({ host, port }) => `${host}:${port}`));
  const summary = [
    { id: 'user', name: t('tenantWizard.summary.user'), value: name },
    {
      id: 'gateways',
      name: t('tenantWizard.summary.gateways'),
      value: addresses.join(', ') || t('tenantWizard.summary.noGateway'),
    },
    { id: 'thumbprint', name: t('tenantWizard.summary.thumbprint'), value: identity?.summary.sha256 ?? '' },
    { id: 'quota', name: t('tenantWizard.summary.quota'), value: quotaText },
  ];

  return (
    <Wizard
      title={t('tenantWizard.title')}
      isDirty={name !== '' || password !== ''}
      onClose={onClose}
      steps={[
        {
          id: 'tenant',
          title: t('tenantWizard.step.tenant'),
          content: (
            <>
              <Field
                label={t('tenantWizard.name')}
                required
                hint={t('tenantWizard.name.hint')}
                validationMessage={errors.name ?? null}
              >
                <Input
                  value={name}
                  maxLength={64}
                  spellCheck={false}
                  onChange={(_event, data) => setName(data.value)}
                />
              </Field>
              <NewPasswordField value={password} onChange={setPassword} error={errors.password} />
            </>
          ),
          validate: () => {
            const problem = tenantNameProblem(name);
            const isShort = password.length < leastPasswordLength;
            return refuse({
              ...(problem === null ? {} : { name: t(problem) }),
              ...(isShort ? { password: t('tenantWizard.password.short') } : {}),
            });
          },
        },
        {
          id: 'resources',
          title: t('tenantWizard.step.resources'),
          intro: t('tenantWizard.resources.intro'),
          content: (
            <QuotaTable
              repositories={repositories}
              quotaOf={quotaOf}
              error={errors.quotas}
              onChange={(repository, quota) => setQuotas({ ...quotas, [repository]: quota })}
            />
          ),
          validate: () => {
            if (chosen.length === 0) return refuse({ quotas: t('tenantWizard.resources.choose') });
            return refuse(
              limits.some(({ limitBytes }) => limitBytes === null) ? { quotas: t('tenantWizard.quota.invalid') } : {},
            );
          },
          workLabel: t('tenantWizard.work'),
          work: async (signal) => {
            const asked = limits.flatMap(({ repository, limitBytes }) =>
              limitBytes === null ? [] : [{ repository, limitBytes }],
            );
            setAdded(await providerClients.tenants.add({ name, password, quotas: asked }, { signal }));
          },
        },
        {
          id: 'summary',
          title: t('tenantWizard.step.summary'),
          canGoBack: false,
          content: (
            <>
              <MessageBar intent="success" layout="multiline">
                <MessageBarBody>{t('tenantWizard.summary.intro')}</MessageBarBody>
              </MessageBar>
              <PropertyList
                properties={summary.map(({ id, name, value }) => ({
                  name,
                  value: id === 'thumbprint' ? <Thumbprint value={value} /> : value,
                }))}
              />
              <div className={styles.actions}>
                <Button
                  icon={<Mail20Regular />}
                  disabled={added === null || saving.isBusy || addresses.length === 0}
                  onClick={() => added !== null && void saving.run(() => saveInvitation(added, t))}
                >
                  {t('tenantWizard.summary.save')}
                </Button>
                <CopyButton
                  label={t('tenantWizard.summary.copy')}
                  text={() => summary.map((row) => `${row.name}: ${row.value}`).join('\n')}
                />
              </div>
              {saving.error !== null && <ErrorView error={saving.error} />}
              <ShowCommand
                commands={[
                  commandLine(
                    ...['tenant', 'add', name, '--password-file', 'PASSWORD_FILE'],
                    ...limits.flatMap(({ repository, limitBytes }) => [
                      '--quota',
                      `${repository}=${sizeArgument(limitBytes ?? 0)}`,
                    ]),
                  ),
                  commandLine('tenant', 'invite', name, '--out', `farkeep-invitation-${name}.json`),
                ]}
              />
            </>
          ),
        },
      ]}
    />
  );
}
