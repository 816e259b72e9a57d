// Owns the page Destination of the job wizard: a provider, then one of its repositories, and the number of connections.
import { Button, Field, Input, MessageBar, MessageBarBody, Select } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes } from '../../platform/format.ts';

interface DestinationPageProps {
  readonly providers: readonly ServiceProvider[];
  readonly providerId: string | null;
  readonly repository: string | null;
  readonly streams: string;
  /** The destination cannot be changed now: a session of the job runs or is paused. */
  readonly isFixed: boolean;
  readonly errors: { readonly provider?: string; readonly repository?: string; readonly streams?: string };
  readonly onProvider: (id: string | null) => void;
  readonly onRepository: (name: string | null) => void;
  readonly onStreams: (streams: string) => void;
}

export function DestinationPage({
  providers,
  providerId,
  repository,
  streams,
  isFixed,
  errors,
  onProvider,
  onRepository,
  onStreams,
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
      {isFixed && (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>{t('jobWizard.destination.fixed')}</MessageBarBody>
        </MessageBar>
      )}
      <Field label={t('jobWizard.provider')} required validationMessage={errors.provider ?? null}>
        <Select
          value={providerId ?? ''}
          disabled={isFixed}
          onChange={(_event, data) => onProvider(data.value === '' ? null : data.value)}
        >
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
          disabled={isFixed || providerId === null}
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
      <Field
        label={t('jobWizard.streams')}
        hint={t('jobWizard.streams.hint')}
        required
        validationMessage={errors.streams ?? null}
      >
        <Input value={streams} inputMode="numeric" onChange={(_event, data) => onStreams(data.value)} />
      </Field>
    </>
  );
}
