// Owns the wizard "Cloud Gateway": Name, Networking, Review, Summary. The gateway is added after Review. The token is shown once.
import {
  Field,
  Input,
  MessageBar,
  MessageBarBody,
  Radio,
  RadioGroup,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import { useText } from '../../i18n/use-text.ts';
import { gatewayClients, providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { formatInstant } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { addressProblems, nameProblem, parsePort } from '../../ui/form/field-rules.ts';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { gatewayListenAddress } from '../../ui/form/gateway-address.ts';

const defaultPort = defaultPorts.gateway.gateway;

const useStyles = makeStyles({
  row: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr) 120px',
    gap: '12px',
    alignItems: 'start',
    '& .fui-Input': { minWidth: 0 },
    '& input': { minWidth: 0, width: '100%' },
  },
  choice: { display: 'flex', flexDirection: 'column' },
  hint: { margin: '-4px 0 0 36px', color: tokens.colorNeutralForeground3 },
  token: { display: 'flex', gap: '8px', alignItems: 'flex-start' },
  field: { flexGrow: 1, minWidth: 0 },
  mono: { fontFamily: tokens.fontFamilyMonospace },
  copy: { marginTop: '26px', flexShrink: 0, '& button': { whiteSpace: 'nowrap' } },
});

type Errors = Partial<Record<'name' | 'host' | 'port', string>>;

interface Result {
  readonly token: string;
  readonly expiresAt: string;
}

export function GatewayWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const hasRole = useMirror(({ console }) => console.roles.includes('gateway'));
  const isEnrolled = useMirror(({ gateway }) => gateway.node?.isEnrolled === true);
  const listenAddress = useMirror((state) => gatewayListenAddress(state)?.port ?? defaultPort);
  const canBeHere = hasRole && !isEnrolled;
  const [name, setName] = useState('');
  const [isHere, setHere] = useState(canBeHere);
  const [host, setHost] = useState('');
  const [enteredPort, setPort] = useState<string | null>(null);
  // The port of the gateway on this computer says nothing about the port of a gateway on another computer.
  const port = enteredPort ?? String(isHere ? listenAddress : defaultPort);
  const [errors, setErrors] = useState<Errors>({});
  const [result, setResult] = useState<Result | null>(null);
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const hereHint = !hasRole
    ? 'gatewayWizard.where.here.off'
    : isEnrolled
      ? 'gatewayWizard.where.here.enrolled'
      : 'gatewayWizard.where.here.hint';
  const apply = async (signal: AbortSignal): Promise<void> => {
    const addresses = [{ host: host.trim(), port: parsePort(port) ?? defaultPort }];
    const { token, expiresAt } = await providerClients.gateways.createEnrollToken(
      { name: name.trim(), addresses },
      { signal },
    );
    setResult({ token, expiresAt });
    if (isHere) await gatewayClients.gatewayNode.enroll({ token });
  };

  return (
    <Wizard
      help="set-up-a-gateway-on-another-computer"
      title={t('gatewayWizard.title')}
      isDirty={name !== '' || host !== ''}
      onClose={onClose}
      steps={[
        {
          id: 'name',
          title: t('gatewayWizard.step.name'),
          content: (
            <>
              <Field
                label={t('gatewayWizard.name')}
                required
                hint={t('gatewayWizard.name.hint')}
                validationMessage={errors.name ?? null}
              >
                <Input value={name} maxLength={100} onChange={(_event, data) => setName(data.value)} />
              </Field>
              <Field label={t('gatewayWizard.where')}>
                <RadioGroup
                  value={isHere ? 'here' : 'elsewhere'}
                  onChange={(_event, data) => setHere(data.value === 'here')}
                >
                  <div className={styles.choice}>
                    <Radio
                      value="here"
                      label={t('gatewayWizard.where.here')}
                      disabled={!canBeHere}
                      input={{ 'aria-describedby': 'gateway-here' }}
                    />
                    <p id="gateway-here" className={styles.hint}>
                      {t(hereHint)}
                    </p>
                  </div>
                  <div className={styles.choice}>
                    <Radio
                      value="elsewhere"
                      label={t('gatewayWizard.where.elsewhere')}
                      input={{ 'aria-describedby': 'gateway-elsewhere' }}
                    />
                    <p id="gateway-elsewhere" className={styles.hint}>
                      {t('gatewayWizard.where.elsewhere.hint')}
                    </p>
                  </div>
                </RadioGroup>
              </Field>
            </>
          ),
          validate: () => {
            const problem = nameProblem(name);
            return refuse(problem === null ? {} : { name: t(problem) });
          },
        },
        {
          id: 'networking',
          title: t('gatewayWizard.step.networking'),
          intro: t('gatewayWizard.networking.intro'),
          content: (
            <div className={styles.row}>
              <Field
                label={t('gatewayWizard.host')}
                required
                hint={t('gatewayWizard.host.hint')}
                validationMessage={errors.host ?? null}
              >
                <Input value={host} spellCheck={false} onChange={(_event, data) => setHost(data.value)} />
              </Field>
              <Field label={t('gatewayWizard.port')} required validationMessage={errors.port ?? null}>
                <Input value={port} inputMode="numeric" onChange={(_event, data) => setPort(data.value)} />
              </Field>
            </div>
          ),
          validate: () => {
            const problems = addressProblems(host, port);
            return refuse(Object.fromEntries(Object.entries(problems).map(([field, key]) => [field, t(key)])));
          },
        },
        {
          id: 'review',
          title: t('gatewayWizard.step.review'),
          intro: t('gatewayWizard.review.intro'),
          content: (
            <PropertyList
              properties={[
                { name: t('gatewayWizard.name'), value: name },
                {
                  name: t('gatewayWizard.review.where'),
                  value: t(isHere ? 'gatewayWizard.where.here' : 'gatewayWizard.where.elsewhere'),
                },
                { name: t('gatewayWizard.review.address'), value: `${host.trim()}:${port.trim()}` },
              ]}
            />
          ),
          workLabel: t('gatewayWizard.work'),
          work: apply,
        },
        {
          id: 'summary',
          title: t('gatewayWizard.step.summary'),
          canGoBack: false,
          content: (
            <>
              <MessageBar intent="success" layout="multiline">
                <MessageBarBody>
                  {isHere
                    ? t('gatewayWizard.summary.here')
                    : t('gatewayWizard.summary.elsewhere', {
                        until: result === null ? '' : formatInstant(result.expiresAt),
                      })}
                </MessageBarBody>
              </MessageBar>
              {!isHere && result !== null && (
                <>
                  <div className={styles.token}>
                    <Field
                      className={styles.field}
                      label={t('gatewayWizard.token')}
                      hint={t('gatewayWizard.token.how')}
                    >
                      <Input className={styles.mono} readOnly value={result.token} />
                    </Field>
                    <div className={styles.copy}>
                      <CopyButton label={t('gatewayWizard.token.copy')} text={result.token} />
                    </div>
                  </div>
                </>
              )}
              <ShowCommand
                commands={[
                  commandLine('gateway', 'enroll-token', name.trim(), '--address', `${host.trim()}:${port.trim()}`),
                ]}
              />
            </>
          ),
        },
      ]}
    />
  );
}
