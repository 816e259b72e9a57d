import type { ReactNode } from 'react';
export function SessionsPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
