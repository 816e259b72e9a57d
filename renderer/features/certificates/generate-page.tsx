// Owns the page Generate Certificate: the friendly name, and the properties of the new certificate.
import { Field, Input } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import type { CertificateSlot } from '../../../services/contracts/models/certificate.ts';
import type { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { PropertyList } from '../../ui/property-list.tsx';

interface GeneratePageProps {
  readonly slot: CertificateSlot;
  readonly friendlyName: string;
  readonly nameError: string | undefined;
  readonly onChange: (friendlyName: string) => void;
}

export function GeneratePage({ slot, friendlyName, nameError, onChange }: GeneratePageProps): ReactNode {
  const t = useText();
  const [plan, setPlan] = useState<CommandOutput<typeof certificateDomain, 'describeGenerate'> | null>(null);
  const [error, setError] = useState<ErrorInfo | null>(null);
  useEffect(() => {
    let isGone = false;
    providerClients.certificate
      .describeGenerate({ slot })
      .then((answer) => !isGone && setPlan(answer))
      .catch((thrown: unknown) => !isGone && setError(toErrorInfo(thrown)));
    return () => {
      isGone = true;
    };
  }, [slot]);
  return (
    <>
      <Field
        label={t('certificate.generate.name')}
        required
        hint={t('certificate.generate.name.hint')}
        validationMessage={nameError ?? null}
      >
        <Input value={friendlyName} maxLength={100} onChange={(_event, data) => onChange(data.value)} />
      </Field>
      {error !== null && <ErrorView error={error} />}
      <PropertyList
        properties={[
          { name: t('certificate.generate.subject'), value: plan?.subject ?? '…' },
          {
            name: t('certificate.generate.key'),
            value: plan === null ? '…' : t('certificate.generate.key.value', { bits: plan.keyBits }),
          },
          {
            name: t('certificate.generate.validity'),
            value: plan === null ? '…' : t('certificate.generate.validity.value', { years: plan.validYears }),
          },
          { name: t('certificate.generate.protection'), value: plan?.keyProtection.description ?? '…' },
        ]}
      />
    </>
  );
}
