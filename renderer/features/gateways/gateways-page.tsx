import type { ReactNode } from 'react';
export function GatewaysPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
