import type { ReactNode } from 'react';
export function OptionsDialog(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
