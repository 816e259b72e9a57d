// Reads the drawn QR code back with a reader that does not use the library (ISO/IEC 18004, clause 12). An undamaged code can be read
// without error correction.
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../testing/fixtures.ts';
import { QrCode } from './qr-code.tsx';

type Modules = readonly (readonly boolean[])[];

/** ISO/IEC 18004, 8.8 (table 10). */
const masks: readonly ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  (y) => y % 2 === 0,
  (_y, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
];
const alphanumeric = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
/** Version 5-M: two blocks with 43 data codewords each (table 9). */
const version5 = { size: 37, blocks: 2, dataCodewords: 86, alignment: 30 } as const;
const quietZone = 4;

describe('the QR code of a thumbprint', () => {
  it.each([5, 9, 200])('reads as exactly that thumbprint (%i)', (seed) => {
    const { sha256 } = certificateOf(seed);
    expect(readCode(drawn(sha256))).toBe(sha256);
  });

  it('has the quiet zone that scanners need', () => {
    const modules = drawn(certificateOf(5).sha256);
    expect(modules).toHaveLength(version5.size + 2 * quietZone);
    for (const row of modules.slice(0, quietZone)) expect(row.some((isDark) => isDark)).toBe(false);
    expect(modules.some((row) => row.slice(0, quietZone).some((isDark) => isDark))).toBe(false);
  });
});

/** The modules of the drawn picture, with the quiet zone. */
function drawn(text: string): Modules {
  const picture = renderToStaticMarkup(createElement(QrCode, { text, label: 'code', sizePixels: 260 }));
  const size = Number(/viewBox="0 0 (\d+) /.exec(picture)?.[1]);
  const dark = new Set([...picture.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x},${y}`));
  return Array.from({ length: size }, (_row, y) => Array.from({ length: size }, (_module, x) => dark.has(`${x},${y}`)));
}

function readCode(picture: Modules): string {
  const inner = picture.slice(quietZone, -quietZone).map((row) => row.slice(quietZone, -quietZone));
  const isDark = (y: number, x: number): boolean => inner[y]?.[x] === true;
  expect(inner).toHaveLength(version5.size);
  // Format information, 8.9: five bits under a fixed mask; level M is 00.
  const format = [0, 1, 2, 3, 4].reduce((bits, x) => bits * 2 + Number(isDark(8, x)), 0) ^ 0b10101;
  expect(format >> 3, 'error correction level M').toBe(0);
  const mask = masks[format & 7];
  const bits: number[] = [];
  for (const [y, x] of dataModules(version5.size)) bits.push(Number(isDark(y, x) !== mask?.(y, x)));
  const codewords = Array.from({ length: version5.dataCodewords }, (_codeword, index) =>
    bits.slice(index * 8, index * 8 + 8),
  );
  // The codewords of the blocks are interleaved, 8.6.
  const blocks = Array.from({ length: version5.blocks }, (_block, first) =>
    codewords.filter((_codeword, index) => index % version5.blocks === first),
  );
  return readAlphanumeric(blocks.flat(2));
}

/** In the order of 8.7.3: two columns at a time from the right, alternately up and down, around the function patterns. */
function* dataModules(size: number): Generator<readonly [number, number]> {
  let isUpwards = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right -= 1;
    for (let step = 0; step < size; step += 1) {
      const y = isUpwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) if (!isFunctionModule(y, x, size)) yield [y, x];
    }
    isUpwards = !isUpwards;
  }
}

function isFunctionModule(y: number, x: number, size: number): boolean {
  const isFinder = (y < 9 && x < 9) || (y < 9 && x >= size - 8) || (y >= size - 8 && x < 9);
  const isAlignment = Math.abs(y - version5.alignment) <= 2 && Math.abs(x - version5.alignment) <= 2;
  return isFinder || y === 6 || x === 6 || isAlignment;
}

/** 8.4.3 */
function readAlphanumeric(bits: readonly number[]): string {
  let at = 0;
  const take = (count: number): number => {
    const number = bits.slice(at, at + count).reduce((value, bit) => value * 2 + bit, 0);
    at += count;
    return number;
  };
  expect(take(4), 'alphanumeric mode').toBe(0b0010);
  const length = take(9);
  let text = '';
  while (text.length < length - 1) {
    const pair = take(11);
    text += `${alphanumeric[Math.floor(pair / 45)]}${alphanumeric[pair % 45]}`;
  }
  return text.length < length ? `${text}${alphanumeric[take(6)]}` : text;
}
