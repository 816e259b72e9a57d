// Owns how a point in time is shown: short and local. The exact time appears on hover and is available to screen readers.
import type { ReactNode } from 'react';
import { formatInstant } from '../../platform/format.ts';
import type { InstantStyle } from '../../platform/format.ts';

interface InstantProps {
  readonly at: string | null;
  readonly style?: InstantStyle;
  readonly otherwise?: string;
}

export function Instant({ at, style = 'date-time', otherwise = '–' }: InstantProps): ReactNode {
  if (at === null) return <span>{otherwise}</span>;
  return (
    <time dateTime={at} title={formatInstant(at, 'exact')}>
      {formatInstant(at, style)}
    </time>
  );
}
