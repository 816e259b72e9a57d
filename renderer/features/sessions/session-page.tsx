import type { ReactNode } from 'react';
export function SessionPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
