// Owns the addresses of a gateway in a form: one row for each, with host and port.
import { Button, Field, Input, makeStyles } from '@fluentui/react-components';
import { Add16Regular, Delete20Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { maxGatewayAddresses } from './address-draft.ts';
import type { AddressProblems, GatewayAddressText } from './address-draft.ts';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', gap: '12px' },
  row: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr) 120px 32px',
    gap: '12px',
    alignItems: 'start',
    '& .fui-Input': { minWidth: 0 },
    '& input': { minWidth: 0, width: '100%' },
  },
  remove: { marginTop: '26px' },
  add: { alignSelf: 'flex-start' },
});

interface AddressRowsProps {
  readonly addresses: readonly GatewayAddressText[];
  readonly problems: readonly AddressProblems[];
  readonly onChange: (addresses: readonly GatewayAddressText[]) => void;
  readonly newPort: string;
}

export function AddressRows({ addresses, problems, onChange, newPort }: AddressRowsProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <div className={styles.root}>
      {addresses.map(({ host, port }, index) => {
        const problem = problems[index];
        const replace = (part: Partial<GatewayAddressText>): void =>
          onChange(addresses.map((other, at) => (at === index ? { ...other, ...part } : other)));
        return (
          <div
            // Rows have no identity of their own.
            key={index}
            className={styles.row}
            role="group"
            aria-label={t('gatewayWizard.address', { number: index + 1 })}
          >
            <Field
              label={t('gatewayWizard.host')}
              required
              hint={index === 0 ? t('gatewayWizard.host.hint') : null}
              validationMessage={problem?.host === undefined ? null : t(problem.host)}
            >
              <Input value={host} spellCheck={false} onChange={(_event, data) => replace({ host: data.value })} />
            </Field>
            <Field
              label={t('gatewayWizard.port')}
              required
              validationMessage={problem?.port === undefined ? null : t(problem.port)}
            >
              <Input value={port} inputMode="numeric" onChange={(_event, data) => replace({ port: data.value })} />
            </Field>
            {addresses.length > 1 && (
              <Button
                className={styles.remove}
                appearance="subtle"
                icon={<Delete20Regular />}
                aria-label={t('gatewayWizard.address.remove', { number: index + 1 })}
                onClick={() => onChange(addresses.filter((_other, at) => at !== index))}
              />
            )}
          </div>
        );
      })}
      <Button
        className={styles.add}
        size="small"
        icon={<Add16Regular />}
        disabled={addresses.length >= maxGatewayAddresses}
        onClick={() => onChange([...addresses, { host: '', port: newPort }])}
      >
        {t('gatewayWizard.address.add')}
      </Button>
    </div>
  );
}
