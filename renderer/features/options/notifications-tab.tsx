// Owns the Notifications tab: which desktop notifications are shown.
import { Checkbox, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';

const useStyles = makeStyles({
  group: { border: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column' },
  legend: { padding: 0, marginBottom: '2px', fontWeight: tokens.fontWeightSemibold },
});

const notificationKinds = ['finished', 'failed', 'security'] as const;

export function NotificationsTab(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const preferences = useMirror(({ console }) => console.preferences);
  const call = useCall();
  if (preferences === null) return null;
  const { areNotificationsOn } = preferences;
  const save = (kind: (typeof notificationKinds)[number], isOn: boolean): void =>
    void call.run(async () =>
      mirror.setPreferences(
        await consoleClient.setPreferences({ areNotificationsOn: { ...areNotificationsOn, [kind]: isOn } }),
      ),
    );
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{t('options.notifications')}</legend>
      {notificationKinds.map((kind) => (
        <Checkbox
          key={kind}
          label={t(`options.notifications.${kind}`)}
          checked={areNotificationsOn[kind]}
          onChange={(_event, data) => save(kind, data.checked === true)}
        />
      ))}
      {call.error !== null && <ErrorView error={call.error} />}
    </fieldset>
  );
}
