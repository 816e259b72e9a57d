// Owns the bytes of the WebAssembly module that finds block ends: one loop over a gear hash. The bytes are assembled here, so that the
// repository contains no binary file. Does not know files or blocks; cutter.ts is its only user.

const i32 = 0x7f;
const i64 = 0x7e;

const op = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load8u: 0x2d,
  i64Load: 0x29,
  i32Const: 0x41,
  i64Const: 0x42,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i32Add: 0x6a,
  i32Shl: 0x74,
  i64Add: 0x7c,
  i64And: 0x83,
  i64Shl: 0x86,
} as const;
const noResult = 0x40;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 0x80;
    rest = Math.floor(rest / 0x80);
    bytes.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return bytes;
}

const section = (id: number, ...content: number[]): number[] => [id, ...unsigned(content.length), ...content];
const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text, 'ascii')];

// Locals of find(from, to, mask, hash): 0..3 parameters.
const [from, to, mask, hash] = [0, 1, 2, 3] as const;

/** hash = (hash << 1) + table[byte at from]; from += 1; leave the outer block when (hash & mask) == 0. The table lies at address 0. */
const step = [
  ...[op.localGet, hash, op.i64Const, 1, op.i64Shl],
  ...[op.localGet, from, op.i32Load8u, 0, 0, op.i32Const, 3, op.i32Shl, op.i64Load, 3, 0],
  ...[op.i64Add, op.localTee, hash],
  ...[op.localGet, from, op.i32Const, 1, op.i32Add, op.localSet, from],
  ...[op.localGet, mask, op.i64And, op.i64Eqz, op.brIf, 1],
];

const body = [
  0, // no further locals
  ...[op.block, noResult, op.loop, noResult],
  ...[op.localGet, from, op.localGet, to, op.i32GeU],
  ...[op.brIf, 1],
  ...step,
  ...[op.br, 0, op.end, op.end],
  ...[op.localGet, from, op.end],
];

/**
 * `(module (import "env" "memory" (memory 1)) (func (export "find") (param i32 i32 i64 i64) (result i32)))`: hashes the bytes from `from` to
 * `to` and returns the address after the first one at which `hash & mask` is zero, or `to`. The gear table, 256 i64, lies at address 0.
 */
export function cutterModuleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 4, i32, i32, i64, i64, 1, i32),
    ...section(2, 1, ...name('env'), ...name('memory'), 2, 0, 1),
    ...section(3, 1, 0),
    ...section(7, 1, ...name('find'), 0, 0),
    ...section(10, 1, ...unsigned(body.length), ...body),
  ]);
}
