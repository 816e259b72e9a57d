// Owns the question of the first start: what this computer should do. There is no default. "Try it on this computer" sets up all roles.
import { Button, Checkbox, Divider, Spinner, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { BuildingCloud24Regular, Play24Filled, RouterRegular, ServerRegular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { goTo } from '../../platform/navigation-store.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { ProductMark } from '../../ui/product-mark.tsx';
import { useCall } from '../../ui/use-call.ts';
import { TryItProgress } from './try-it-progress.tsx';

const useStyles = makeStyles({
  page: {
    height: '100%',
    overflowY: 'auto',
    display: 'flex',
    alignItems: 'safe center',
    justifyContent: 'center',
    padding: '24px',
  },
  sheet: { width: '860px', maxWidth: '100%', display: 'flex', flexDirection: 'column', gap: '20px' },
  head: { display: 'flex', alignItems: 'center', gap: '16px' },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeHero700,
    lineHeight: tokens.lineHeightHero700,
    fontWeight: tokens.fontWeightSemibold,
  },
  intro: { margin: '2px 0 0 0', color: tokens.colorNeutralForeground2 },
  cards: { display: 'grid', gridTemplateColumns: 'repeat(3, 1fr)', gap: '12px' },
  card: {
    display: 'flex',
    flexDirection: 'column',
    gap: '4px',
    padding: '16px',
    borderRadius: tokens.borderRadiusLarge,
    border: `1px solid ${tokens.colorNeutralStroke1}`,
    backgroundColor: tokens.colorNeutralBackground1,
    cursor: 'pointer',
    ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover },
    ':focus-within': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '1px' },
  },
  chosen: {
    boxShadow: `inset 0 0 0 1px ${tokens.colorBrandStroke1}`,
    borderTopColor: tokens.colorBrandStroke1,
    borderRightColor: tokens.colorBrandStroke1,
    borderBottomColor: tokens.colorBrandStroke1,
    borderLeftColor: tokens.colorBrandStroke1,
    backgroundColor: tokens.colorBrandBackground2,
    ':hover': { backgroundColor: tokens.colorBrandBackground2Hover },
  },
  cardHead: {
    display: 'flex',
    justifyContent: 'space-between',
    alignItems: 'flex-start',
    color: tokens.colorBrandForeground1,
    '& > svg': { width: '28px', height: '28px' },
  },
  roleName: { fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  hint: { margin: 0, color: tokens.colorNeutralForeground2 },
  actions: { display: 'flex', alignItems: 'center', gap: '12px' },
  muted: { color: tokens.colorNeutralForeground3 },
  tryCard: {
    display: 'flex',
    alignItems: 'center',
    gap: '16px',
    padding: '16px',
    borderRadius: tokens.borderRadiusLarge,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  tryText: { flexGrow: 1 },
  tryButton: { whiteSpace: 'nowrap', flexShrink: 0 },
});

const choices: readonly { readonly role: ServiceRole; readonly icon: ReactNode }[] = [
  { role: 'provider', icon: <ServerRegular /> },
  { role: 'gateway', icon: <RouterRegular /> },
  { role: 'tenant', icon: <BuildingCloud24Regular /> },
];

interface FirstStartPageProps {
  /** True while "Try it on this computer" works: the roles are already on, but this page must stay until the end. */
  readonly onBusyChange: (isBusy: boolean) => void;
}

export function FirstStartPage({ onBusyChange }: FirstStartPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [chosen, setChosen] = useState<readonly ServiceRole[]>([]);
  const [isTrying, setTrying] = useState(false);
  const call = useCall();

  if (isTrying) {
    return (
      <TryItProgress
        onLeave={() => {
          setTrying(false);
          onBusyChange(false);
        }}
      />
    );
  }
  const toggle = (role: ServiceRole): void =>
    setChosen((before) => (before.includes(role) ? before.filter((other) => other !== role) : [...before, role]));
  const start = async (): Promise<void> => {
    const isDone = await call.run(() => consoleClient.setRoles({ roles: [...chosen] }));
    if (isDone) goTo('overview');
  };
  return (
    <main className={styles.page}>
      <div className={styles.sheet}>
        <div className={styles.head}>
          <ProductMark size={48} />
          <div>
            <h1 className={styles.title}>{t('start.title')}</h1>
            <p className={styles.intro}>{t('start.intro')}</p>
          </div>
        </div>
        <div className={styles.cards} role="group" aria-label={t('start.title')}>
          {choices.map(({ role, icon }) => (
            <div
              key={role}
              className={mergeClasses(styles.card, chosen.includes(role) && styles.chosen)}
              onClick={(event) => {
                // A click on the check box or its label is handled by the check box itself.
                if (event.target instanceof Element && event.target.closest('label, input') === null) toggle(role);
              }}
            >
              <div className={styles.cardHead}>
                {icon}
                <Checkbox
                  aria-label={t(`role.${role}`)}
                  aria-describedby={`first-start-${role}`}
                  checked={chosen.includes(role)}
                  onChange={() => toggle(role)}
                />
              </div>
              <span className={styles.roleName} aria-hidden>
                {t(`role.${role}`)}
              </span>
              <p id={`first-start-${role}`} className={styles.hint}>
                {t(`start.${role}.hint`)}
              </p>
            </div>
          ))}
        </div>
        {call.error !== null && <ErrorView error={call.error} />}
        <div className={styles.actions}>
          <Button
            appearance="primary"
            size="large"
            disabled={chosen.length === 0 || call.isBusy}
            icon={call.isBusy ? <Spinner size="tiny" /> : null}
            onClick={() => void start()}
          >
            {t('start.continue')}
          </Button>
          <span className={styles.muted} role="status">
            {call.isBusy ? t('start.working') : chosen.length === 0 ? t('start.chooseOne') : ''}
          </span>
        </div>
        <Divider>{t('start.or')}</Divider>
        <div className={styles.tryCard}>
          <div className={styles.tryText}>
            <span className={styles.roleName}>{t('start.try')}</span>
            <p className={styles.hint}>{t('start.try.hint')}</p>
          </div>
          <Button
            size="large"
            className={styles.tryButton}
            icon={<Play24Filled />}
            disabled={call.isBusy}
            onClick={() => {
              onBusyChange(true);
              setTrying(true);
            }}
          >
            {t('start.try')}
          </Button>
        </div>
      </div>
    </main>
  );
}
