// Owns the table of encodings: in which forms the content of a block is kept and sent. The order is the code in packs, catalogue and messages
// (docs/repository-format.md, section 3; docs/protocol.md, section 6), so a new encoding goes to the end.

const encodings = ['raw', 'zstd'] as const;

export type BlockEncoding = (typeof encodings)[number];

export function encodingCode(encoding: BlockEncoding): number {
  return encodings.indexOf(encoding);
}

/** undefined for a code that no encoding has. */
export function encodingOf(code: number): BlockEncoding | undefined {
  return encodings[code];
}
