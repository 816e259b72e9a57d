// Owns the cards "Get started", in order. A finished card has a tick. When all are finished, the cards disappear.
import { Button, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { CheckmarkCircle20Filled } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import type { DialogRequest } from '../../platform/dialog-store.ts';
import type { MirrorState } from '../../platform/mirror/mirror-state.ts';
import { useMirror } from '../../platform/use-mirror.ts';

type CardName = 'certificate' | 'gateway' | 'repository' | 'tenant' | 'serviceProvider' | 'job';

interface SetupCard {
  readonly name: CardName;
  readonly role: 'provider' | 'tenant';
  readonly request: DialogRequest;
  readonly isDone: (state: MirrorState) => boolean;
}

const cards: readonly SetupCard[] = [
  {
    name: 'certificate',
    role: 'provider',
    request: { kind: 'manage-certificate', slot: 'provider' },
    isDone: ({ provider }) =>
      (provider.certificates.provider?.origin ?? 'generated-at-first-start') !== 'generated-at-first-start',
  },
  {
    name: 'gateway',
    role: 'provider',
    request: { kind: 'add-gateway' },
    isDone: ({ provider }) => provider.gateways.length > 0,
  },
  {
    name: 'repository',
    role: 'provider',
    request: { kind: 'add-repository' },
    isDone: ({ provider }) => provider.repositories.length > 0,
  },
  {
    name: 'tenant',
    role: 'provider',
    request: { kind: 'add-tenant' },
    isDone: ({ provider }) => provider.tenants.length > 0,
  },
  {
    name: 'serviceProvider',
    role: 'tenant',
    request: { kind: 'add-service-provider' },
    isDone: ({ tenant }) => tenant.providers.length > 0,
  },
  { name: 'job', role: 'tenant', request: { kind: 'add-job' }, isDone: ({ tenant }) => tenant.jobs.length > 0 },
];

const useStyles = makeStyles({
  section: { display: 'flex', flexDirection: 'column', gap: '8px' },
  head: { display: 'flex', alignItems: 'baseline', gap: '10px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  intro: { color: tokens.colorNeutralForeground3 },
  list: {
    listStyle: 'none',
    margin: 0,
    padding: 0,
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fit, minmax(170px, 1fr))',
    gap: '12px',
  },
  // Six cards in two rows of three, or in one row if the window is wide.
  manyCards: { gridTemplateColumns: 'repeat(auto-fit, minmax(250px, 1fr))' },
  card: {
    display: 'flex',
    flexDirection: 'column',
    gap: '4px',
    padding: '14px 16px',
    borderRadius: tokens.borderRadiusLarge,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground1,
  },
  next: { borderTop: `3px solid ${tokens.colorBrandStroke1}`, paddingTop: '12px' },
  step: {
    display: 'flex',
    alignItems: 'center',
    gap: '6px',
    height: '20px',
    fontSize: tokens.fontSizeBase200,
    color: tokens.colorNeutralForeground3,
  },
  done: { color: tokens.colorPaletteGreenForeground1 },
  cardTitle: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  hint: { margin: '0 0 8px 0', flexGrow: 1, color: tokens.colorNeutralForeground2 },
  action: { alignSelf: 'flex-start' },
});

export function SetupCards(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const isLoaded = useMirror(({ provider, tenant }) =>
    roles.every((role) =>
      role === 'provider' ? provider.load === 'ready' : role === 'tenant' ? tenant.load === 'ready' : true,
    ),
  );
  const shown = cards.filter(({ role }) => roles.includes(role));
  // A text and not an array, because the selector must return the same value while nothing changes.
  const doneNames = useMirror((state) =>
    shown
      .filter(({ isDone }) => isDone(state))
      .map(({ name }) => name)
      .join(' '),
  ).split(' ');
  const firstOpen = shown.find(({ name }) => !doneNames.includes(name));
  if (!isLoaded || firstOpen === undefined) return null;
  return (
    <section className={styles.section} aria-labelledby="setup-title">
      <div className={styles.head}>
        <h2 id="setup-title" className={styles.title}>
          {t('overview.start')}
        </h2>
        <span className={styles.intro}>{t('overview.start.intro')}</span>
      </div>
      <ol className={mergeClasses(styles.list, shown.length > 5 && styles.manyCards)}>
        {shown.map(({ name, request }, index) => {
          const isDone = doneNames.includes(name);
          const isNext = name === firstOpen.name;
          const label = t(`overview.card.${name}`);
          return (
            <li key={name} className={mergeClasses(styles.card, isNext && styles.next)}>
              <span className={mergeClasses(styles.step, isDone && styles.done)}>
                {isDone && <CheckmarkCircle20Filled aria-hidden />}
                {isDone ? t('overview.done') : t('overview.step', { number: index + 1 })}
              </span>
              <h3 className={styles.cardTitle}>{label}</h3>
              <p className={styles.hint}>{t(`overview.card.${name}.hint`)}</p>
              <Button
                className={styles.action}
                size="small"
                appearance={isNext ? 'primary' : 'secondary'}
                aria-label={label}
                onClick={() => openDialog(request)}
              >
                {label}
              </Button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
