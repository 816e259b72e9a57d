import type { ReactNode } from 'react';
export function RepositoryWizard(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
