import type { ReactNode } from 'react';
export function GatewayWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
