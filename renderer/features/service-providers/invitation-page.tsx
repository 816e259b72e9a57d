// Owns the page that an opened invitation fills.
import { Field, Input, Link } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { PropertyList } from '../../ui/property-list.tsx';

interface InvitationPageProps {
  readonly invitation: Invitation;
  readonly name: string;
  readonly nameError: string | undefined;
  readonly onName: (name: string) => void;
  readonly onForget: () => void;
}

export function InvitationPage({ invitation, name, nameError, onName, onForget }: InvitationPageProps): ReactNode {
  const t = useText();
  return (
    <>
      <Field
        label={t('providerWizard.name')}
        hint={t('providerWizard.name.hint')}
        validationMessage={nameError ?? null}
      >
        <Input value={name} maxLength={100} onChange={(_event, data) => onName(data.value)} />
      </Field>
      <PropertyList
        properties={[
          {
            name: t('providerWizard.invitation.gateways'),
            value: invitation.gateways.map(({ host, port }) => `${host}:${port}`).join(', '),
          },
          { name: t('providerWizard.user'), value: invitation.user },
          { name: t('providerWizard.invitation.thumbprint'), value: <Thumbprint value={invitation.fingerprint} /> },
          { name: t('providerWizard.invitation.until'), value: formatInstant(invitation.expiresAt) },
        ]}
      />
      <div>
        <Link onClick={onForget}>{t('providerWizard.invitation.forget')}</Link>
      </div>
    </>
  );
}
