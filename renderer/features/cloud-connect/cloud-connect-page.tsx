import type { ReactNode } from 'react';
export function CloudConnectPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
