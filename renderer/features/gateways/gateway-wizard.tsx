// Owns the wizard "Cloud Gateway": Name, Networking, Provider address (only if needed), Review, Summary. The gateway is added after Review.
// The token is shown once.
import {
  Button,
  Field,
  Input,
  MessageBar,
  MessageBarBody,
  Radio,
  RadioGroup,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { isThisComputerOnly } from '../../../services/contracts/address-reach.ts';
import { CallError } from '../../../services/contracts/client.ts';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import type { Network } from '../../../services/contracts/models/network.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient, gatewayClients, providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatInstant } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { hostProblem, nameProblem } from '../../ui/form/field-rules.ts';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import type { WizardStep } from '../../ui/wizard/wizard.tsx';
import { gatewayListenAddress } from '../../ui/form/gateway-address.ts';
import {
  addressArgument,
  blockedBy,
  gatewayAddresses,
  hasProblem,
  openedTo,
  rowProblems,
  validMsOf,
} from './address-draft.ts';
import type { AddressProblems, GatewayAddressText, ValidityId } from './address-draft.ts';
import { AddressRows } from './address-rows.tsx';
import { TokenField, ValidityField } from './token-field.tsx';

const defaultPort = defaultPorts.gateway.gateway;

const useStyles = makeStyles({
  choice: { display: 'flex', flexDirection: 'column' },
  hint: { margin: '-4px 0 0 36px', color: tokens.colorNeutralForeground3 },
  form: { display: 'flex', flexDirection: 'column', gap: '14px' },
  list: { margin: 0, paddingLeft: '20px' },
  network: { alignSelf: 'flex-start' },
});

interface Errors {
  readonly name?: string;
  readonly chosen?: string;
  readonly rows?: readonly AddressProblems[];
}

interface Result {
  readonly token: string;
  readonly expiresAt: string;
}

export function GatewayWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const hasRole = useMirror(({ console }) => console.roles.includes('gateway'));
  const node = useMirror(({ gateway }) => gateway.node);
  // A gateway that was removed, or whose provider is gone, is still enrolled there. It can be enrolled again here.
  const isEnrolled = node?.isEnrolled === true;
  const canBeHere = hasRole && (!isEnrolled || node.link === 'waiting');
  const listenPort = useMirror((state) => gatewayListenAddress(state)?.port ?? defaultPort);
  const running = useMirror(
    ({ provider }) => provider.sessions.filter((session) => !isFinal(session) && session.state !== 'paused').length,
  );
  const [name, setName] = useState('');
  const [isHere, setHere] = useState(canBeHere);
  const [enteredRows, setRows] = useState<readonly GatewayAddressText[] | null>(null);
  // The port of the gateway on this computer says nothing about the port of a gateway on another computer.
  const port = String(isHere ? listenPort : defaultPort);
  const rows = enteredRows ?? [{ host: '', port }];
  const [validity, setValidity] = useState<ValidityId>('1d');
  const [errors, setErrors] = useState<Errors>({});
  const [result, setResult] = useState<Result | null>(null);
  const [network, setNetwork] = useState<Network | null>(null);
  /** The step stays after its work has removed the reason for it. */
  const [isOpened, setOpened] = useState(false);
  const [enteredAddress, setAddress] = useState<string | null>(null);
  useEffect(() => {
    // Without the settings the wizard still works: the provider refuses a token that cannot work.
    consoleClient.getNetwork({}).then(setNetwork, () => undefined);
  }, []);
  const own = (network?.ownAddresses ?? []).map(({ address }) => address);
  const address = enteredAddress ?? own[0] ?? '';
  const addresses = gatewayAddresses(rows);
  const blocks = isHere ? [] : blockedBy(network, addresses);
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const hereHint = !hasRole
    ? t('gatewayWizard.where.here.off')
    : !isEnrolled
      ? t('gatewayWizard.where.here.hint')
      : canBeHere
        ? t('gatewayWizard.where.here.again', { address: node.providerAddress ?? '' })
        : t('gatewayWizard.where.here.enrolled');
  const apply = async (signal: AbortSignal): Promise<void> => {
    const { token, expiresAt } = await providerClients.gateways.createEnrollToken(
      { name: name.trim(), addresses, isOnThisComputer: isHere, ...(isHere ? {} : { validMs: validMsOf(validity) }) },
      { signal },
    );
    setResult({ token, expiresAt });
    if (isHere) await gatewayClients.gatewayNode.enroll({ token, replace: isEnrolled });
  };
  const openProvider = async (): Promise<void> => {
    // The settings may have been changed in Options meanwhile.
    const current = await consoleClient.getNetwork({});
    const { provider, ownAddresses } = current;
    setOpened(true);
    if (provider.settings === null || blockedBy(current, addresses).length === 0) return;
    const settings = openedTo(
      provider.settings,
      address.trim(),
      ownAddresses.map((each) => each.address),
    );
    const { network: changed, service } = await consoleClient.setNetwork({ role: 'provider', settings });
    setNetwork(changed);
    if (service.state === 'failed' && service.error !== null) throw new CallError(service.error);
  };
  const providerStep: WizardStep = {
    id: 'provider',
    title: t('gatewayWizard.step.provider'),
    intro: t('gatewayWizard.provider.intro'),
    content: (
      <div className={styles.form}>
        <ul className={styles.list}>
          {blocks.map(({ field, host }) => (
            <li key={field}>
              {host === null
                ? t('gatewayWizard.provider.problem.missing', { setting: t(settingLabels[field]) })
                : t('gatewayWizard.provider.problem.loopback', { setting: t(settingLabels[field]), host })}
            </li>
          ))}
        </ul>
        <Field
          label={t('gatewayWizard.provider.choose')}
          required
          hint={t('gatewayWizard.provider.choose.hint')}
          validationMessage={errors.chosen ?? null}
        >
          <Input
            value={address}
            spellCheck={false}
            list="gateway-wizard-addresses"
            onChange={(_event, data) => setAddress(data.value)}
          />
        </Field>
        <datalist id="gateway-wizard-addresses">
          {own.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        {running > 0 && (
          <MessageBar intent="warning" layout="multiline">
            <MessageBarBody>{t('gatewayWizard.provider.sessions', { count: running })}</MessageBarBody>
          </MessageBar>
        )}
        <Button
          className={styles.network}
          onClick={() => openDialog({ kind: 'options', tab: 'network', problemRole: 'provider' })}
        >
          {t('failure.network')}
        </Button>
      </div>
    ),
    validate: () => {
      const problem = hostProblem(address);
      if (problem !== null) return refuse({ chosen: t(problem) });
      return refuse(isThisComputerOnly(address.trim()) ? { chosen: t('gatewayWizard.provider.loopback') } : {});
    },
    workLabel: t('gatewayWizard.provider.work'),
    work: openProvider,
  };
  return (
    <Wizard
      help="set-up-a-gateway-on-another-computer"
      title={t('gatewayWizard.title')}
      isDirty={name !== '' || enteredRows !== null}
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
                      {hereHint}
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
            <div className={styles.form}>
              <AddressRows addresses={rows} problems={errors.rows ?? []} onChange={setRows} newPort={port} />
              {!isHere && <ValidityField value={validity} onChange={setValidity} />}
              {!isHere && rows.every(({ host }) => host.trim() !== '' && isThisComputerOnly(host.trim())) && (
                <MessageBar intent="info" layout="multiline">
                  <MessageBarBody>{t('gatewayWizard.local')}</MessageBarBody>
                </MessageBar>
              )}
            </div>
          ),
          validate: () => {
            const problems = rowProblems(rows);
            return refuse(hasProblem(problems) ? { rows: problems } : {});
          },
          // The settings may have been changed since the wizard was opened.
          work: async () => setNetwork(await consoleClient.getNetwork({}).catch(() => null)),
        },
        ...((blocks.length > 0 || isOpened) && !hasProblem(rowProblems(rows)) ? [providerStep] : []),
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
                { name: t('gatewayWizard.review.address'), value: addresses.map(addressArgument).join(', ') },
                ...(isHere
                  ? []
                  : [{ name: t('gatewayWizard.validity'), value: t(`gatewayWizard.validity.${validity}`) }]),
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
              {!isHere && result !== null && <TokenField token={result.token} />}
              <ShowCommand
                commands={[
                  commandLine(
                    ...['gateway', 'enroll-token', name.trim()],
                    ...addresses.flatMap((each) => ['--address', addressArgument(each)]),
                    ...(isHere ? ['--here'] : ['--valid', validity]),
                  ),
                ]}
              />
            </>
          ),
        },
      ]}
    />
  );
}

/** The labels of the Network tab. */
const settingLabels = {
  'infrastructure.host': 'network.infrastructure',
  infrastructureAddress: 'network.infrastructureAddress',
  'control.host': 'network.control',
  moverHost: 'network.moverHost',
  advertisedHost: 'network.advertisedHost',
} as const;
