// Owns the product's logo: a keep with a keyhole, readable at 16 px.
import type { ReactNode } from 'react';

export function ProductMark({ size }: { readonly size: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <path d="M4 5h5v4h4.5V5h5v4H23V5h5v10.5C28 22 23 27.2 16 30 9 27.2 4 22 4 15.5Z" fill="#116cb0" />
      <path d="M16 12.2a3.6 3.6 0 0 1 1.9 6.6l.9 4.2h-5.6l.9-4.2a3.6 3.6 0 0 1 1.9-6.6Z" fill="#fff" />
    </svg>
  );
}
