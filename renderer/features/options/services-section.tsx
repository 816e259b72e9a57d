// Owns the section Services of the General tab: which services run and who started them, and their start with the computer.
import { Checkbox, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useShallow } from 'zustand/react/shallow';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import type { Autostart, ServiceUnit } from '../../../services/contracts/rpc/console.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import {
  originText,
  ServiceButtons,
  ServiceQuestion,
  serviceTitle,
  type ServiceQuestionKind,
} from '../../ui/dialog/service-control.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useCall } from '../../ui/use-call.ts';
import { OptionsSection } from './options-section.tsx';

const useStyles = makeStyles({
  list: { display: 'flex', flexDirection: 'column', gap: '4px', margin: 0, padding: 0, listStyleType: 'none' },
  row: {
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    columnGap: '16px',
    padding: '4px 0',
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  name: { flexGrow: 1, minWidth: '200px' },
  muted: { margin: 0, color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  whole: { flexBasis: '100%' },
});

export function ServicesSection(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const services = useMirror(useShallow(({ console }) => console.services.filter(({ role }) => roles.includes(role))));
  const [autostart, setAutostart] = useState<Autostart | null>(null);
  const [warning, setWarning] = useState<string | null>(null);
  const { run, error, isBusy } = useCall();
  useEffect(() => {
    void run(async () => setAutostart(await consoleClient.getAutostart({})));
  }, [run, roles]);
  const change = (role: ServiceRole | null, isOn: boolean): void =>
    void run(async () => {
      const { warning: newWarning, ...changed } = await consoleClient.setAutostart({ role, isOn });
      setAutostart(changed);
      setWarning(newWarning);
    });
  return (
    <OptionsSection title={t('options.services')}>
      {error !== null && <ErrorView error={error} />}
      {warning !== null && <p role="status">{warning}</p>}
      <ul className={styles.list}>
        {services.map((service) => {
          const unit = autostart?.units.find(({ role }) => role === service.role);
          return (
            <ServiceRow
              key={service.role}
              service={service}
              unit={unit}
              canSwitch={autostart?.method === 'systemd' && !isBusy}
              onSwitch={(isOn) => change(service.role, isOn)}
            />
          );
        })}
      </ul>
      {autostart?.method === 'login-item' && (
        <Checkbox
          label={t('options.services.loginItem')}
          checked={autostart.isLoginItemOn}
          disabled={isBusy}
          onChange={(_event, data) => change(null, data.checked === true)}
        />
      )}
      {autostart?.method === 'login-item' && <p className={styles.muted}>{t('options.services.loginItem.hint')}</p>}
      {autostart?.method === 'none' && (
        <p className={styles.muted}>
          {autostart.reason === null
            ? t('options.services.none')
            : t('options.services.byHand', { reason: autostart.reason })}
        </p>
      )}
      {autostart?.method === 'systemd' && <p className={styles.muted}>{t('options.services.systemd.hint')}</p>}
    </OptionsSection>
  );
}

interface ServiceRowProps {
  readonly service: SupervisedService;
  readonly unit: ServiceUnit | undefined;
  readonly canSwitch: boolean;
  readonly onSwitch: (isOn: boolean) => void;
}

function ServiceRow({ service, unit, canSwitch, onSwitch }: ServiceRowProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [question, setQuestion] = useState<ServiceQuestionKind | null>(null);
  const { role, origin, pid } = service;
  const process = pid === null ? '' : ` · ${t('options.services.process', { pid: String(pid) })}`;
  return (
    <li className={styles.row}>
      <div className={styles.name}>
        <div>{serviceTitle(t, service)}</div>
        <p className={styles.muted}>{`${originText(t, service)}${process}`}</p>
      </div>
      {unit !== undefined && (
        <Checkbox
          label={t('options.services.startWith')}
          aria-label={t('options.services.startWith.named', { service: t(`role.${role}.service`) })}
          checked={unit.isOn}
          disabled={!canSwitch}
          onChange={(_event, data) => onSwitch(data.checked === true)}
        />
      )}
      <ServiceButtons service={service} onQuestion={setQuestion} />
      {unit !== undefined && (
        <div className={styles.whole}>
          <ShowCommand commands={[`# ${unit.file}`, ...unit.text.trimEnd().split('\n'), '', '#', ...unit.commands]} />
        </div>
      )}
      {question !== null && (
        <ServiceQuestion
          role={role}
          kind={question}
          isAttached={origin === 'attached'}
          onClose={() => setQuestion(null)}
        />
      )}
    </li>
  );
}
