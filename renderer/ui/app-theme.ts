// Owns colors and fonts of the console: Fluent's themes with a few changes. Every used color pair has a contrast of at least 4.5:1.
import { createDarkTheme, createLightTheme, teamsHighContrastTheme } from '@fluentui/react-components';
import type { BrandVariants, Theme } from '@fluentui/react-components';

export type ThemeName = 'light' | 'dark' | 'high-contrast';

const brand: BrandVariants = {
  10: '#020507',
  20: '#0a1b26',
  30: '#0a2c42',
  40: '#0a3858',
  50: '#0b456e',
  60: '#0d5286',
  70: '#0f5f9c',
  80: '#116cb0',
  90: '#2f7dbc',
  100: '#478ec8',
  110: '#5d9fd4',
  120: '#74b0df',
  130: '#8cc1ea',
  140: '#a5d2f3',
  150: '#c0e2fa',
  160: '#dcf1fe',
};

const fonts = {
  fontFamilyBase: "'Segoe UI', 'Inter', 'Noto Sans', system-ui, -apple-system, 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "'Cascadia Mono', Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace",
  // No text is smaller than 12 px.
  fontSizeBase100: '12px',
} as const;

const light: Theme = {
  ...createLightTheme(brand),
  ...fonts,
  colorNeutralForeground3: '#575757',
  colorNeutralForeground4: '#616161',
};

const dark: Theme = {
  ...createDarkTheme(brand),
  ...fonts,
  colorBrandForeground1: brand[120],
  colorBrandForeground2: brand[130],
  colorBrandForegroundLink: brand[120],
  colorNeutralForeground4: '#adadad',
};

export const themes: Readonly<Record<ThemeName, Theme>> = {
  light,
  dark,
  'high-contrast': {
    ...teamsHighContrastTheme,
    ...fonts,
    // Fluent's green for disabled controls would make "Accept new certificate" the most visible button of a prompt.
    colorNeutralForegroundDisabled: '#9e9e9e',
    colorNeutralStrokeDisabled: '#6e6e6e',
  },
};

/** Colors with a meaning, one set for each theme. Each set has enough contrast on its cards. */
export interface MeaningColors {
  readonly keyA: string;
  readonly keyB: string;
  readonly keyBSoft: string;
  readonly channel: string;
  readonly channelSoft: string;
  readonly read: string;
  readonly transferred: string;
  readonly danger: string;
  readonly success: string;
}

export const meaningColors: Readonly<Record<ThemeName, MeaningColors>> = {
  light: {
    keyA: '#6b2fa0',
    keyB: '#9c3f0c',
    keyBSoft: '#fbeee6',
    channel: '#115ea3',
    channelSoft: '#d6e8f9',
    read: '#116cb0',
    transferred: '#b5490f',
    danger: '#b10e1c',
    success: '#0e700e',
  },
  dark: {
    keyA: '#c9a3ee',
    keyB: '#f4a876',
    keyBSoft: '#43291a',
    channel: '#74b0df',
    channelSoft: '#12344f',
    read: '#74b0df',
    transferred: '#f4a876',
    danger: '#f1707b',
    success: '#6ccb6c',
  },
  'high-contrast': {
    keyA: '#d4a5ff',
    keyB: '#ffb27a',
    keyBSoft: '#000000',
    channel: '#1aebff',
    channelSoft: '#000000',
    read: '#1aebff',
    transferred: '#ffb27a',
    danger: '#ff6b6b',
    success: '#3ff23f',
  },
};
