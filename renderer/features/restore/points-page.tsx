import type { ReactNode } from 'react';
export function PointsPage(_props: Readonly<Record<string, unknown>>): ReactNode {
  return null;
}
