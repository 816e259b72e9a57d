// Owns telling components the current theme, for parts that Fluent's tokens do not cover: the diagram and the graph.
import { createContext, useContext } from 'react';
import { meaningColors } from './app-theme.ts';
import type { MeaningColors, ThemeName } from './app-theme.ts';

export const ThemeNameContext = createContext<ThemeName>('light');

export function useMeaningColors(): MeaningColors {
  return meaningColors[useContext(ThemeNameContext)];
}
