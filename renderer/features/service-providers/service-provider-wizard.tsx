import type { ReactNode } from 'react';
export function ServiceProviderWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
