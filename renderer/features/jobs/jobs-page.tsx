import type { ReactNode } from 'react';
export function JobsPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
