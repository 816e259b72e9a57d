import type { ReactNode } from 'react';
export function JobWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
