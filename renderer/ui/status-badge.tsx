// Owns the small colored state with an icon. The text has the meaning; the color only repeats it.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import {
  ArrowSyncCircle16Filled,
  CheckmarkCircle16Filled,
  Circle16Regular,
  ErrorCircle16Filled,
  PauseCircle16Filled,
  ShieldError16Filled,
  Warning16Filled,
} from '@fluentui/react-icons';
import type { ReactNode } from 'react';

export type Tone = 'success' | 'warning' | 'danger' | 'info' | 'neutral' | 'paused' | 'security';

const icons: Readonly<Record<Tone, ReactNode>> = {
  success: <CheckmarkCircle16Filled aria-hidden />,
  warning: <Warning16Filled aria-hidden />,
  danger: <ErrorCircle16Filled aria-hidden />,
  info: <ArrowSyncCircle16Filled aria-hidden />,
  neutral: <Circle16Regular aria-hidden />,
  paused: <PauseCircle16Filled aria-hidden />,
  security: <ShieldError16Filled aria-hidden />,
};

const useStyles = makeStyles({
  badge: {
    display: 'inline-flex',
    // If the text needs several lines, the icon stays beside the first line.
    alignItems: 'flex-start',
    gap: '5px',
    '& > svg': { flexShrink: 0, marginTop: '2px' },
    color: tokens.colorNeutralForeground1,
    lineHeight: '20px',
    verticalAlign: 'middle',
  },
  pill: {
    whiteSpace: 'nowrap',
    padding: '1px 9px 1px 6px',
    borderRadius: tokens.borderRadiusCircular,
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightSemibold,
  },
  success: { '& svg': { color: tokens.colorPaletteGreenForeground1 } },
  warning: { '& svg': { color: tokens.colorPaletteDarkOrangeForeground1 } },
  danger: { '& svg': { color: tokens.colorPaletteRedForeground1 } },
  security: { '& svg': { color: tokens.colorPaletteRedForeground1 } },
  info: { '& svg': { color: tokens.colorBrandForeground1 } },
  neutral: { '& svg': { color: tokens.colorNeutralForeground3 } },
  paused: { '& svg': { color: tokens.colorNeutralForeground2 } },
  successPill: { backgroundColor: tokens.colorPaletteGreenBackground1, color: tokens.colorPaletteGreenForeground1 },
  warningPill: {
    backgroundColor: tokens.colorPaletteDarkOrangeBackground1,
    color: tokens.colorPaletteDarkOrangeForeground1,
  },
  dangerPill: { backgroundColor: tokens.colorPaletteRedBackground1, color: tokens.colorPaletteRedForeground1 },
  securityPill: { backgroundColor: tokens.colorPaletteRedBackground1, color: tokens.colorPaletteRedForeground1 },
  infoPill: { backgroundColor: tokens.colorBrandBackground2, color: tokens.colorBrandForeground2 },
  neutralPill: { backgroundColor: tokens.colorNeutralBackground4, color: tokens.colorNeutralForeground2 },
  pausedPill: { backgroundColor: tokens.colorNeutralBackground4, color: tokens.colorNeutralForeground1 },
});

interface StatusBadgeProps {
  readonly tone: Tone;
  readonly children: ReactNode;
  readonly isPill?: boolean;
}

export function StatusBadge({ tone, children, isPill = false }: StatusBadgeProps): ReactNode {
  const styles = useStyles();
  const pillStyle = isPill ? mergeClasses(styles.pill, styles[`${tone}Pill`]) : undefined;
  return (
    <span className={mergeClasses(styles.badge, styles[tone], pillStyle)}>
      {icons[tone]}
      <span>{children}</span>
    </span>
  );
}
