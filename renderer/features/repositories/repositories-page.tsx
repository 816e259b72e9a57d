import type { ReactNode } from 'react';
export function RepositoriesPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
