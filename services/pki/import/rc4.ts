// Owns RC4, which OpenSSL has only in its legacy provider. Only for reading old files.

export function applyRc4(key: Buffer, data: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const at = (index: number): number => state[index] ?? 0;
  const swap = (a: number, b: number): void => {
    const value = at(a);
    state[a] = at(b);
    state[b] = value;
  };
  for (let index = 0, other = 0; index < 256; index += 1) {
    other = (other + at(index) + (key[index % key.length] ?? 0)) & 0xff;
    swap(index, other);
  }
  let first = 0;
  let second = 0;
  return Buffer.from(
    data.map((byte) => {
      first = (first + 1) & 0xff;
      second = (second + at(first)) & 0xff;
      swap(first, second);
      return byte ^ at((at(first) + at(second)) & 0xff);
    }),
  );
}
