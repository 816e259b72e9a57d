// Owns the bar at the bottom: the state of each service with its details, and how many sessions run.
import {
  Button,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  makeStyles,
  mergeClasses,
  tokens,
} from '@fluentui/react-components';
import {
  CheckmarkCircle16Filled,
  Circle16Regular,
  ErrorCircle16Filled,
  Warning16Filled,
  ArrowSyncCircle16Filled,
} from '@fluentui/react-icons';
import { useShallow } from 'zustand/react/shallow';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { SupervisedService } from '../../services/contracts/models/service.ts';
import { useText } from '../i18n/use-text.ts';
import { isFinal } from '../platform/mirror/apply-event.ts';
import { useMirror } from '../platform/use-mirror.ts';
import {
  originText,
  ServiceButtons,
  ServiceQuestion,
  serviceTitle,
  type ServiceQuestionKind,
} from '../ui/dialog/service-control.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { PropertyList } from '../ui/property-list.tsx';

const useStyles = makeStyles({
  bar: {
    display: 'flex',
    alignItems: 'center',
    gap: '4px',
    height: '32px',
    flexShrink: 0,
    padding: '0 12px 0 8px',
    fontSize: tokens.fontSizeBase200,
    backgroundColor: tokens.colorNeutralBackground1,
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  service: { fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightRegular, minWidth: 'unset', gap: '4px' },
  good: { '& svg': { color: tokens.colorPaletteGreenForeground1 } },
  busy: { '& svg': { color: tokens.colorBrandForeground1 } },
  warning: { '& svg': { color: tokens.colorPaletteDarkOrangeForeground1 } },
  bad: { '& svg': { color: tokens.colorPaletteRedForeground1 } },
  off: { '& svg': { color: tokens.colorNeutralForeground3 } },
  space: { flexGrow: 1 },
  surface: { width: '360px', display: 'flex', flexDirection: 'column', gap: '12px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  sessions: { color: tokens.colorNeutralForeground2 },
});

type ServiceState = SupervisedService['state'];

const looks: Readonly<
  Record<ServiceState, { readonly icon: ReactNode; readonly style: 'good' | 'busy' | 'warning' | 'bad' | 'off' }>
> = {
  starting: { icon: <ArrowSyncCircle16Filled />, style: 'busy' },
  running: { icon: <CheckmarkCircle16Filled />, style: 'good' },
  degraded: { icon: <Warning16Filled />, style: 'warning' },
  stopping: { icon: <ArrowSyncCircle16Filled />, style: 'busy' },
  stopped: { icon: <Circle16Regular />, style: 'off' },
  failed: { icon: <ErrorCircle16Filled />, style: 'bad' },
  awaited: { icon: <Warning16Filled />, style: 'warning' },
};

export function StatusBar(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const services = useMirror(useShallow(({ console }) => console.services.filter(({ role }) => roles.includes(role))));
  // A session has the same identifier on both sides and counts once. The mirror's data of a role that is switched off is old, so it is
  // ignored.
  const running = useMirror(
    ({ console, provider, tenant }) =>
      new Set(
        [
          ...(console.roles.includes('tenant') ? tenant.sessions : []),
          ...(console.roles.includes('provider') ? provider.sessions : []),
        ]
          .filter((session) => !isFinal(session) && session.state !== 'paused')
          .map(({ id }) => id),
      ).size,
  );
  return (
    <footer className={styles.bar} aria-label={t('status.label')}>
      {services.map((service) => (
        <ServiceButton key={service.role} service={service} />
      ))}
      <span className={styles.space} />
      <span className={styles.sessions} role="status">
        {t('status.sessions', { count: running })}
      </span>
    </footer>
  );
}

function ServiceButton({ service }: { readonly service: SupervisedService }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isOpen, setOpen] = useState(false);
  const [question, setQuestion] = useState<ServiceQuestionKind | null>(null);
  const { role, state, restarts } = service;
  const name = t(`role.${role}.service`);
  const title = serviceTitle(t, service);
  const look = looks[state];
  const restartText = restarts === 0 ? '' : ` · ${t('service.restarts', { count: restarts })}`;
  const listeners = Object.entries(service.listeners).map(([purpose, address]) => `${purpose} ${address}`);
  // The question is outside the popover: a dialog inside would close it.
  const ask = (kind: ServiceQuestionKind): void => {
    setOpen(false);
    setQuestion(kind);
  };
  return (
    <>
      {/* No animation: if the content changes during the animation, its end event can be missing, and the popover would stay open. */}
      <Popover
        trapFocus
        positioning="above-start"
        surfaceMotion={null}
        open={isOpen}
        onOpenChange={(_event, data) => setOpen(data.open)}
      >
        <PopoverTrigger disableButtonEnhancement>
          <Button
            appearance="subtle"
            size="small"
            className={mergeClasses(styles.service, styles[look.style])}
            icon={<span aria-hidden>{look.icon}</span>}
          >
            {`${title}${restartText}`}
          </Button>
        </PopoverTrigger>
        <PopoverSurface className={styles.surface} aria-label={name} tabIndex={-1}>
          <h2 className={styles.title}>{title}</h2>
          {service.error !== null && <ErrorView error={service.error} />}
          <PropertyList
            properties={[
              ...(service.reason === null ? [] : [{ name: t('service.reason'), value: service.reason }]),
              { name: t('service.origin'), value: originText(t, service) },
              { name: t('service.process'), value: service.pid === null ? '–' : String(service.pid) },
              { name: t('service.restartCount'), value: String(restarts) },
              { name: t('service.listeners'), value: listeners.length === 0 ? '–' : listeners.join(', ') },
            ]}
          />
          <ServiceButtons service={service} onQuestion={ask} isPrimary />
        </PopoverSurface>
      </Popover>
      {question !== null && (
        <ServiceQuestion
          role={role}
          kind={question}
          isAttached={service.origin === 'attached'}
          onClose={() => setQuestion(null)}
        />
      )}
    </>
  );
}
