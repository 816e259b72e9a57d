import type { ReactNode } from 'react';
export function TenantsPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
