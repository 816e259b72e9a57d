// Owns the General tab: roles, theme, what happens when the window is closed, and the services.
import { Checkbox, Field, Radio, RadioGroup, Select, makeStyles, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { serviceRoles } from '../../../services/contracts/contract.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { Preferences } from '../../../services/contracts/rpc/console.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';
import { ServicesSection } from './services-section.tsx';

const useStyles = makeStyles({
  root: { display: 'grid', gridTemplateColumns: '1fr 1fr', columnGap: '32px', rowGap: '20px', alignItems: 'start' },
  group: { border: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column' },
  legend: { padding: 0, marginBottom: '2px', fontWeight: tokens.fontWeightSemibold },
  label: { paddingTop: 0, fontWeight: tokens.fontWeightSemibold },
  hint: { margin: '2px 0 0 8px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3 },
  wide: { gridColumn: '1 / -1' },
});

const themes = ['system', 'light', 'dark'] as const;
const trayChoices = ['ask', 'always', 'never'] as const;

export function GeneralTab(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const preferences = useMirror(({ console }) => console.preferences);
  const call = useCall();
  if (preferences === null) return null;
  const save = (change: Partial<Preferences>): void =>
    void call.run(async () => mirror.setPreferences(await consoleClient.setPreferences(change)));
  return (
    <div className={styles.root}>
      {call.error !== null && (
        <div className={styles.wide}>
          <ErrorView error={call.error} />
        </div>
      )}
      <Field label={{ className: styles.label, children: t('options.theme') }}>
        <RadioGroup
          value={preferences.theme}
          onChange={(_event, data) => save({ theme: themes.find((theme) => theme === data.value) ?? 'system' })}
        >
          {themes.map((theme) => (
            <Radio key={theme} value={theme} label={t(`options.theme.${theme}`)} />
          ))}
        </RadioGroup>
      </Field>
      <RoleChoices />
      <Field label={{ className: styles.label, children: t('options.tray') }}>
        <Select
          value={preferences.keepRunningInTray}
          onChange={(_event, data) =>
            save({ keepRunningInTray: trayChoices.find((choice) => choice === data.value) ?? 'ask' })
          }
        >
          {trayChoices.map((choice) => (
            <option key={choice} value={choice}>
              {t(`options.tray.${choice}`)}
            </option>
          ))}
        </Select>
      </Field>
      <div className={styles.wide}>
        <ServicesSection />
      </div>
    </div>
  );
}

function RoleChoices(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const services = useMirror(({ console }) => console.services);
  const [leaving, setLeaving] = useState<ServiceRole | null>(null);
  const call = useCall();
  const toggle = (role: ServiceRole, isOn: boolean): void => {
    if (isOn) void call.run(() => consoleClient.setRoles({ roles: [...roles, role] }));
    else setLeaving(role);
  };
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{t('options.roles')}</legend>
      {serviceRoles.map((role) => {
        const isOnly = roles.length === 1 && roles.includes(role);
        return (
          <Checkbox
            key={role}
            label={t(`role.${role}`)}
            checked={roles.includes(role)}
            disabled={isOnly || call.isBusy}
            onChange={(_event, data) => toggle(role, data.checked === true)}
          />
        );
      })}
      {roles.length === 1 && <p className={styles.hint}>{t('options.roles.last')}</p>}
      {call.error !== null && <ErrorView error={call.error} />}
      {leaving !== null && (
        <ConfirmDialog
          title={t('options.roles.stop.title', { role: t(`role.${leaving}`) })}
          text={t(
            services.some(({ role, origin, pid }) => role === leaving && origin === 'attached' && pid !== null)
              ? 'options.roles.stop.attached'
              : 'options.roles.stop.text',
          )}
          confirmLabel={t('options.roles.stop.confirm')}
          onConfirm={() => consoleClient.setRoles({ roles: roles.filter((role) => role !== leaving) })}
          onClose={() => setLeaving(null)}
        />
      )}
    </fieldset>
  );
}
