// Owns drawing a text as a QR code: one path, black on white in every theme, because scanners need this.
import { encode } from 'uqr';
import { useMemo } from 'react';
import type { ReactNode } from 'react';

interface QrCodeProps {
  readonly text: string;
  readonly label: string;
  readonly sizePixels: number;
}

export function QrCode({ text, label, sizePixels }: QrCodeProps): ReactNode {
  const { size, path } = useMemo(() => {
    const { data, size: moduleCount } = encode(text, { ecc: 'M', border: 4 });
    const squares = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { size: moduleCount, path: squares.join('') };
  }, [text]);
  return (
    <svg
      width={sizePixels}
      height={sizePixels}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
