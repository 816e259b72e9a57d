import type { ReactNode } from 'react';
export function ServiceProvidersPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
