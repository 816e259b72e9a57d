// Owns the navigation at the left: the pages of the roles that are switched on.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import {
  BuildingCloud24Regular,
  Certificate20Regular,
  ClockBill20Regular,
  Database20Regular,
  History20Regular,
  Home20Regular,
  PeopleTeam20Regular,
  PlugConnected20Regular,
  Router20Regular,
} from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../services/contracts/contract.ts';
import type { TextKey } from '../i18n/texts.ts';
import { useText } from '../i18n/use-text.ts';
import { isFinal } from '../platform/mirror/apply-event.ts';
import { goTo, useNavigation } from '../platform/navigation-store.ts';
import type { Page } from '../platform/route.ts';
import { useMirror } from '../platform/use-mirror.ts';

interface NavigationItem {
  readonly page: Page;
  readonly label: TextKey;
  readonly icon: ReactNode;
}

interface NavigationGroup {
  readonly role: ServiceRole | null;
  readonly label: TextKey | null;
  readonly items: readonly NavigationItem[];
}

const groups: readonly NavigationGroup[] = [
  { role: null, label: null, items: [{ page: 'overview', label: 'nav.overview', icon: <Home20Regular /> }] },
  {
    role: 'provider',
    label: 'nav.provider',
    items: [
      { page: 'provider/cloud-connect', label: 'nav.cloudConnect', icon: <Certificate20Regular /> },
      { page: 'provider/gateways', label: 'nav.gateways', icon: <Router20Regular /> },
      { page: 'provider/tenants', label: 'nav.tenants', icon: <PeopleTeam20Regular /> },
      { page: 'provider/repositories', label: 'nav.repositories', icon: <Database20Regular /> },
      { page: 'provider/sessions', label: 'nav.sessions', icon: <PlugConnected20Regular /> },
    ],
  },
  {
    role: 'tenant',
    label: 'nav.tenant',
    items: [
      { page: 'tenant/service-providers', label: 'nav.serviceProviders', icon: <BuildingCloud24Regular /> },
      { page: 'tenant/jobs', label: 'nav.jobs', icon: <ClockBill20Regular /> },
      { page: 'tenant/points', label: 'nav.points', icon: <History20Regular /> },
      { page: 'tenant/sessions', label: 'nav.sessions', icon: <PlugConnected20Regular /> },
    ],
  },
];

const useStyles = makeStyles({
  nav: {
    width: '208px',
    flexShrink: 0,
    padding: '10px 8px',
    overflowY: 'auto',
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground3,
  },
  groupTitle: {
    margin: '14px 10px 4px 10px',
    fontSize: tokens.fontSizeBase200,
    lineHeight: '20px',
    fontWeight: tokens.fontWeightSemibold,
    color: tokens.colorNeutralForeground3,
  },
  list: { listStyle: 'none', margin: 0, padding: 0 },
  item: {
    appearance: 'none',
    border: 'none',
    font: 'inherit',
    textAlign: 'left',
    width: '100%',
    display: 'flex',
    alignItems: 'center',
    gap: '10px',
    height: '34px',
    padding: '0 10px',
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: 'transparent',
    color: tokens.colorNeutralForeground1,
    cursor: 'pointer',
    position: 'relative',
    ':hover': { backgroundColor: tokens.colorSubtleBackgroundHover },
    ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '-2px' },
    '& svg': { color: tokens.colorNeutralForeground2, flexShrink: 0, width: '20px', height: '20px' },
  },
  current: {
    backgroundColor: tokens.colorNeutralBackground1,
    fontWeight: tokens.fontWeightSemibold,
    boxShadow: tokens.shadow2,
    '@media (forced-colors: active)': { outline: '2px solid Highlight', outlineOffset: '-2px' },
    '& svg': { color: tokens.colorBrandForeground1 },
    '::before': {
      content: '""',
      position: 'absolute',
      left: 0,
      top: '8px',
      bottom: '8px',
      width: '3px',
      borderRadius: '2px',
      backgroundColor: tokens.colorBrandStroke1,
    },
    ':hover': { backgroundColor: tokens.colorNeutralBackground1 },
  },
  text: { flexGrow: 1 },
  count: {
    minWidth: '20px',
    padding: '0 6px',
    height: '18px',
    lineHeight: '18px',
    textAlign: 'center',
    borderRadius: tokens.borderRadiusCircular,
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
    backgroundColor: tokens.colorBrandBackground2,
    color: tokens.colorBrandForeground2,
  },
});

export function Navigation(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const current = useNavigation(({ route }) => route.page);
  return (
    <nav className={styles.nav} aria-label={t('nav.label')}>
      {groups
        .filter(({ role }) => role === null || roles.includes(role))
        .map(({ role, label, items }) => {
          const titleId = `navigation-${role ?? 'top'}`;
          return (
            <div key={titleId}>
              {label !== null && (
                <h2 id={titleId} className={styles.groupTitle}>
                  {t(label)}
                </h2>
              )}
              <ul className={styles.list} aria-labelledby={label === null ? undefined : titleId}>
                {items.map((item) => (
                  <li key={item.page}>
                    <button
                      type="button"
                      className={mergeClasses(styles.item, item.page === current && styles.current)}
                      aria-current={item.page === current ? 'page' : undefined}
                      onClick={() => goTo(item.page)}
                    >
                      {item.icon}
                      <span className={styles.text}>{t(item.label)}</span>
                      <RunningCount page={item.page} />
                    </button>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
    </nav>
  );
}

function RunningCount({ page }: { readonly page: Page }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const count = useMirror(({ provider, tenant }) => {
    const side = page === 'provider/sessions' ? provider : page === 'tenant/sessions' ? tenant : null;
    // A paused session waits for a person and does not run. The status bar counts in the same way.
    return side?.sessions.filter((session) => !isFinal(session) && session.state !== 'paused').length ?? 0;
  });
  if (count === 0) return null;
  // The number is not part of the accessible name: the button "Sessions" keeps its name while sessions run.
  return (
    <span className={styles.count} aria-hidden title={t('nav.running', { count })}>
      {count}
    </span>
  );
}
