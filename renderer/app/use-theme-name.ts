// Owns which theme is on: the system's high contrast first, then the preference, then the system's light or dark. Also sets the colors of
// scroll bars.
import { useLayoutEffect, useSyncExternalStore } from 'react';
import { useMirror } from '../platform/use-mirror.ts';
import type { ThemeName } from '../ui/app-theme.ts';

function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => window.matchMedia(query).matches,
  );
}

export function useThemeName(): ThemeName {
  const preference = useMirror(({ console }) => console.preferences?.theme ?? 'system');
  const isDark = useMediaQuery('(prefers-color-scheme: dark)');
  const isForced = useMediaQuery('(forced-colors: active)');
  const isMoreContrast = useMediaQuery('(prefers-contrast: more)');
  const usual = preference === 'system' ? (isDark ? 'dark' : 'light') : preference;
  const name = isForced || isMoreContrast ? 'high-contrast' : usual;
  // Scroll bars and other parts that Chromium draws have the colors of the theme. With forced colors, the system chooses them.
  useLayoutEffect(() => {
    document.documentElement.style.colorScheme = isForced ? 'light dark' : name === 'light' ? 'light' : 'dark';
  }, [isForced, name]);
  return name;
}
