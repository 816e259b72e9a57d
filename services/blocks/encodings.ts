// Owns the table of encodings, the forms in which the content of a block is stored and sent. The position in the table is the code in
// packs, catalogue and messages (docs/repository-format.md, section 3; docs/protocol.md, section 6), so a new encoding must be added at the
// end.

const encodings = ['raw', 'zstd'] as const;

export type BlockEncoding = (typeof encodings)[number];

export function encodingCode(encoding: BlockEncoding): number {
  return encodings.indexOf(encoding);
}

/** Returns undefined for an unknown code. */
export function encodingOf(code: number): BlockEncoding | undefined {
  return encodings[code];
}
