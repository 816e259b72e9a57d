// Owns the page Destination of the job wizard: a provider, then one of its repositories.
import { Button, Field, Select } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes } from '../../platform/format.ts';

interface DestinationPageProps {
  readonly providers: readonly ServiceProvider[];
  readonly providerId: string | null;
  readonly repository: string | null;
  readonly errors: { readonly provider?: string; readonly repository?: string };
  readonly onProvider: (id: string | null) => void;
  readonly onRepository: (name: string | null) => void;
}

export function DestinationPage({
  providers,
  providerId,
  repository,
  errors,
  onProvider,
  onRepository,
}: DestinationPageProps): ReactNode {
  const t = useText();
  const offered = providers.find(({ id }) => id === providerId)?.repositories ?? [];
  if (providers.length === 0) {
    return (
      <>
        <p>{t('jobWizard.noProvider')}</p>
        <div>
          <Button onClick={() => openDialog({ kind: 'add-service-provider' })}>{t('providers.add')}</Button>
        </div>
      </>
    );
  }
  return (
    <>
      <Field label={t('jobWizard.provider')} required validationMessage={errors.provider ?? null}>
        <Select value={providerId ?? ''} onChange={(_event, data) => onProvider(data.value === '' ? null : data.value)}>
          {providerId === null && <option value="" />}
          {providers.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t('jobWizard.repository')} required validationMessage={errors.repository ?? null}>
        <Select
          value={repository ?? ''}
          disabled={providerId === null}
          onChange={(_event, data) => onRepository(data.value === '' ? null : data.value)}
        >
          {repository === null && <option value="" />}
          {offered.map(({ name, limitBytes, usedBytes }) => (
            <option key={name} value={name}>
              {t('jobWizard.repository.free', {
                name,
                free: formatBytes(Math.max(0, limitBytes - usedBytes)),
                limit: formatBytes(limitBytes),
              })}
            </option>
          ))}
        </Select>
      </Field>
    </>
  );
}
