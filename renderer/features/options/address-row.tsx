// Owns one address of a service on the Network tab: host, port, from where it can be reached, and its check.
import { Button, Field, Input, Spinner, makeStyles, tokens } from '@fluentui/react-components';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { reachOf } from '../../../services/contracts/address-reach.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { AddressCheck } from '../../../services/contracts/models/network.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { hostProblem } from '../../ui/form/field-rules.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Tone } from '../../ui/status-badge.tsx';
import { useCall } from '../../ui/use-call.ts';
import { readListenPort } from './network-draft.ts';

const useStyles = makeStyles({
  row: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr) 88px 150px 96px',
    columnGap: '12px',
    alignItems: 'start',
    '& .fui-Input, & input': { minWidth: 0, width: '100%' },
  },
  reach: { marginTop: '30px', color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  check: { marginTop: '26px' },
  result: { gridColumn: '1 / -1', marginTop: '4px', ':empty': { display: 'none' } },
});

const tones: Readonly<Record<AddressCheck['outcome'], Tone>> = {
  free: 'success',
  'own-service': 'success',
  answers: 'success',
  'in-use': 'danger',
  'not-here': 'danger',
  'not-allowed': 'danger',
  'unknown-name': 'danger',
  'no-answer': 'warning',
};

/** The element with the addresses of this computer, which fields suggest. */
export const ownAddressListId = 'own-addresses';

interface AddressRowProps {
  readonly role: ServiceRole;
  readonly label: string;
  readonly hint?: string;
  readonly use: 'listen' | 'dial';
  readonly host: string;
  /** Null: the port is no setting of its own. */
  readonly port: string | null;
  /** The port that a check uses if `port` is null. */
  readonly checkedPort?: string;
  readonly onHost: (host: string) => void;
  readonly onPort?: (port: string) => void;
  readonly hostError: string | undefined;
  readonly portError?: string | undefined;
  /** Checks the address when the row is first shown, and moves the focus to it if another program uses it. */
  readonly isCheckedFirst?: boolean;
  readonly extra?: ReactNode;
}

export function AddressRow(props: AddressRowProps): ReactNode {
  const { role, label, hint, use, host, port, checkedPort, onHost, onPort, hostError, portError, extra } = props;
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const { run } = call;
  const [check, setCheck] = useState<AddressCheck | null>(null);
  const portInput = useRef<HTMLInputElement>(null);
  const number = readListenPort(port ?? checkedPort ?? '0');
  const look = useCallback(async (): Promise<AddressCheck | null> => {
    if (hostProblem(host) !== null || number === null) return null;
    let found: AddressCheck | null = null;
    await run(async (signal) => {
      found = await consoleClient.checkAddress({ role, use, host: host.trim(), port: number }, { signal });
      setCheck(found);
    });
    return found;
  }, [host, number, role, run, use]);
  const isFirst = useRef(props.isCheckedFirst === true);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    void look().then((found) => {
      if (found?.outcome === 'in-use') portInput.current?.focus();
    });
  }, [look]);
  const isEmpty = host.trim() === '';
  return (
    <div className={styles.row} role="group" aria-label={label}>
      <Field label={label} hint={hint ?? null} validationMessage={hostError ?? null}>
        <Input
          value={host}
          spellCheck={false}
          list={ownAddressListId}
          onChange={(_event, data) => {
            setCheck(null);
            onHost(data.value);
          }}
        />
      </Field>
      {port === null ? (
        <span />
      ) : (
        <Field label={t('network.port')} validationMessage={portError ?? null}>
          <Input
            input={{ ref: portInput }}
            value={port}
            inputMode="numeric"
            onChange={(_event, data) => {
              setCheck(null);
              onPort?.(data.value);
            }}
          />
        </Field>
      )}
      <span className={styles.reach}>{isEmpty ? '' : t(`network.reach.${reachOf(host.trim())}`)}</span>
      <Button
        className={styles.check}
        aria-label={t('network.check.of', { address: label })}
        disabled={isEmpty || call.isBusy}
        icon={call.isBusy ? <Spinner size="tiny" /> : null}
        onClick={() => void look()}
      >
        {t('network.check')}
      </Button>
      <div className={styles.result} role="status">
        {check !== null && <StatusBadge tone={tones[check.outcome]}>{checkText(t, check)}</StatusBadge>}
        {call.error !== null && <StatusBadge tone="danger">{call.error.message}</StatusBadge>}
      </div>
      {extra}
    </div>
  );
}

function checkText(t: TextFunction, { outcome, program, detail }: AddressCheck): string {
  if (outcome === 'in-use' && program !== null) {
    return t('network.check.in-use.by', { program: program.name, pid: String(program.pid) });
  }
  return t(`network.check.${outcome}`, { detail });
}
