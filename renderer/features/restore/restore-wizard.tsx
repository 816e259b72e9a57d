import type { ReactNode } from 'react';
export function RestoreWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
