import type { ReactNode } from 'react';
export function TenantWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
