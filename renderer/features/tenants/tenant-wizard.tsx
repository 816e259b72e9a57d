// Owns the wizard "Tenant": account, backup resources, summary. For a new account, the summary offers the invitation file, and the account
// exists when the summary is shown. For an existing account, Finish saves what was changed.
import { Button, MessageBar, MessageBarBody, makeStyles } from '@fluentui/react-components';
import { Mail20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { formatBytes, formatInstant } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import type { Property } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import type { WizardStep } from '../../ui/wizard/wizard.tsx';
import { AccountPage } from './account-page.tsx';
import { NewPassword } from './new-password.tsx';
import { QuotaTable } from './quota-table.tsx';
import { saveInvitation } from './save-invitation.ts';
import { addCommands, setCommands } from './tenant-command.ts';
import { accountProblems, changesOf, defaultQuota, draftOf, leaseOf, quotaLimits, tasksOf } from './tenant-draft.ts';
import type { AccountChanges, QuotaDraft, QuotaLimit } from './tenant-draft.ts';

const useStyles = makeStyles({ actions: { display: 'flex', gap: '8px' } });

interface TenantWizardProps {
  /** The account to change. Without it, the wizard adds an account. */
  readonly tenant?: TenantAccount;
  readonly onClose: () => void;
}

export function TenantWizard({ tenant, onClose }: TenantWizardProps): ReactNode {
  const t = useText();
  const known = useMirror(({ provider }) => provider.repositories);
  const [first] = useState(() => draftOf(tenant ?? null));
  const [draft, setDraft] = useState(first);
  const [added, setAdded] = useState<TenantAccount | null>(null);
  const isNew = tenant === undefined;

  const repositories = [
    ...new Set([...known.map(({ name }) => name), ...(tenant?.quotas ?? []).map(({ repository }) => repository)]),
  ];
  // If there is only one repository, a new account gets a quota there by default.
  const quotaOf = (repository: string): QuotaDraft =>
    draft.quotas[repository] ?? { ...defaultQuota, isChosen: isNew && repositories.length === 1 };
  const chosen = quotaLimits(repositories, quotaOf, tenant ?? null);
  const limits = chosen.flatMap(({ repository, limitBytes }) =>
    limitBytes === null ? [] : [{ repository, limitBytes }],
  );
  const account = useLiveErrors(accountProblems(draft, isNew));
  const quotaProblem =
    limits.length < chosen.length
      ? 'tenantWizard.quota.invalid'
      : isNew && chosen.length === 0
        ? 'tenantWizard.resources.choose'
        : null;
  const resources = useLiveErrors(quotaProblem === null ? {} : { quotas: t(quotaProblem) });
  const changes = tenant === undefined ? {} : changesOf(tenant, draft, limits);

  const summary: WizardStep =
    tenant === undefined
      ? {
          id: 'summary',
          title: t('tenantWizard.step.summary'),
          canGoBack: false,
          content: (
            <AddedTenant
              tenant={added}
              password={draft.password}
              limits={limits}
              commands={addCommands(draft, limits)}
            />
          ),
        }
      : {
          id: 'summary',
          title: t('tenantWizard.step.summary'),
          intro: t(Object.keys(changes).length === 0 ? 'tenantWizard.edit.none' : 'tenantWizard.edit.intro'),
          content: (
            <>
              <PropertyList properties={shownChanges(changes, t)} />
              {Object.keys(changes).length > 0 && <ShowCommand commands={setCommands(tenant.name, changes)} />}
            </>
          ),
          workLabel: t('tenantWizard.work.edit'),
          work: async (signal) => {
            if (Object.keys(changes).length === 0) return;
            await providerClients.tenants.set({ tenantId: tenant.id, ...changes }, { signal });
            showToast('success', t('tenantWizard.edit.saved', { name: tenant.name }));
          },
        };

  return (
    <Wizard
      help="add-a-tenant"
      title={tenant === undefined ? t('tenantWizard.title') : t('tenantWizard.title.edit', { name: tenant.name })}
      isDirty={isNew ? draft.name !== '' || draft.password !== '' : draft !== first}
      onClose={onClose}
      steps={[
        {
          id: 'tenant',
          title: t('tenantWizard.step.tenant'),
          content: (
            <AccountPage
              draft={draft}
              isNew={isNew}
              problems={account.errors}
              onChange={(part) => setDraft({ ...draft, ...part })}
            />
          ),
          validate: account.check,
        },
        {
          id: 'resources',
          title: t('tenantWizard.step.resources'),
          intro: t('tenantWizard.resources.intro'),
          content: (
            <QuotaTable
              repositories={repositories}
              quotaOf={quotaOf}
              error={resources.errors.quotas}
              remarks={tenant === undefined ? [] : quotaRemarks(tenant, chosen, t)}
              onChange={(repository, quota) => setDraft({ ...draft, quotas: { ...draft.quotas, [repository]: quota } })}
            />
          ),
          validate: resources.check,
          ...(isNew
            ? {
                workLabel: t('tenantWizard.work'),
                work: async (signal: AbortSignal) => {
                  const { name, password, leaseDay, tasks } = draft;
                  const rules = { leaseUntil: leaseOf(leaseDay) ?? null, maxTasks: tasksOf(tasks) ?? null };
                  setAdded(await providerClients.tenants.add({ name, password, quotas: limits, ...rules }, { signal }));
                },
              }
            : {}),
        },
        summary,
      ]}
    />
  );
}

/** What the choice means for backups that are stored already. */
function quotaRemarks(
  tenant: TenantAccount,
  chosen: readonly { readonly repository: string; readonly limitBytes: number | null }[],
  t: TextFunction,
): string[] {
  return tenant.quotas.flatMap(({ repository, usedBytes, limitBytes: before }) => {
    if (usedBytes === 0) return [];
    const quota = chosen.find((each) => each.repository === repository);
    const values = { repository, used: formatBytes(usedBytes) };
    if (quota === undefined) return [t('tenantWizard.resources.lost', values)];
    const { limitBytes } = quota;
    return limitBytes !== null && limitBytes < usedBytes && limitBytes !== before
      ? [t('tenantWizard.resources.full', values)]
      : [];
  });
}

function shownChanges({ isEnabled, leaseUntil, maxTasks, quotas }: AccountChanges, t: TextFunction): Property[] {
  return [
    ...(isEnabled === undefined
      ? []
      : [{ name: t('tenants.column.state'), value: t(isEnabled ? 'word.enabled' : 'word.disabled') }]),
    ...(leaseUntil === undefined
      ? []
      : [
          {
            name: t('tenants.lease'),
            value: leaseUntil === null ? t('tenants.lease.none') : formatInstant(leaseUntil, 'date', 'UTC'),
          },
        ]),
    ...(maxTasks === undefined
      ? []
      : [{ name: t('tenants.tasks'), value: maxTasks === null ? t('tenants.tasks.default') : String(maxTasks) }]),
    ...(quotas === undefined ? [] : [{ name: t('tenants.column.quota'), value: quotaText(quotas, t) }]),
  ];
}

function quotaText(limits: readonly QuotaLimit[], t: TextFunction): string {
  return (
    limits.map(({ repository, limitBytes }) => `${repository}: ${formatBytes(limitBytes)}`).join(', ') ||
    t('tenantWizard.quota.none')
  );
}

interface AddedTenantProps {
  /** Null until the account was added. */
  readonly tenant: TenantAccount | null;
  readonly password: string;
  readonly limits: readonly QuotaLimit[];
  readonly commands: readonly string[];
}

function AddedTenant({ tenant, password, limits, commands }: AddedTenantProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const gateways = useMirror(({ provider }) => provider.gateways);
  const identity = useMirror(({ provider }) => provider.certificates.provider);
  const saving = useCall();
  const addresses = gateways.flatMap((gateway) => gateway.addresses.map(({ host, port }) => `${host}:${port}`));
  const summary = [
    { id: 'user', name: t('tenantWizard.summary.user'), value: tenant?.name ?? '' },
    {
      id: 'gateways',
      name: t('tenantWizard.summary.gateways'),
      value: addresses.join(', ') || t('tenantWizard.summary.noGateway'),
    },
    { id: 'thumbprint', name: t('tenantWizard.summary.thumbprint'), value: identity?.summary.sha256 ?? '' },
    { id: 'quota', name: t('tenantWizard.summary.quota'), value: quotaText(limits, t) },
  ];
  const save = async (tenantId: string): Promise<void> => {
    const { invitation } = await providerClients.tenants.invite({ tenantId });
    await saveInvitation(invitation, t);
  };
  return (
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
          disabled={tenant === null || saving.isBusy || addresses.length === 0}
          onClick={() => tenant !== null && void saving.run(() => save(tenant.id))}
        >
          {t('tenantWizard.summary.save')}
        </Button>
        <CopyButton
          label={t('tenantWizard.summary.copy')}
          text={() => summary.map((row) => `${row.name}: ${row.value}`).join('\n')}
        />
      </div>
      <NewPassword password={password} />
      {saving.error !== null && <ErrorView error={saving.error} />}
      <ShowCommand commands={commands} />
    </>
  );
}
