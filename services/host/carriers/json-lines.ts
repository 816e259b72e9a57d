// Owns framing of the local socket: one JSON document in each line, UTF-8, with a limited line length. Must not interpret the documents.

export const maxLineBytes = 8 * 1024 * 1024;

export interface LineReader {
  /** Calls `onDocument` for every complete line. @returns the reason why the stream must end, or undefined */
  push(chunk: Uint8Array): 'line-too-long' | 'not-json' | undefined;
}

/** Keeps at most `limitBytes` of an unfinished line, however much the other side sends. */
export function createLineReader(onDocument: (document: unknown) => void, limitBytes = maxLineBytes): LineReader {
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a, start); end !== -1; end = chunk.indexOf(0x0a, start)) {
        const piece = chunk.subarray(start, end);
        if (heldBytes + piece.length > limitBytes) return 'line-too-long';
        const line = Buffer.concat([...parts, piece]).toString('utf8');
        parts = [];
        heldBytes = 0;
        start = end + 1;
        if (line.trim() === '') continue;
        const document = parseJson(line);
        if (document === undefined) return 'not-json';
        onDocument(document.value);
      }
      const rest = chunk.subarray(start);
      if (heldBytes + rest.length > limitBytes) return 'line-too-long';
      if (rest.length > 0) {
        // Keeps a copy, because the chunk may be a view of a pooled buffer that its owner reuses.
        parts.push(Uint8Array.from(rest));
        heldBytes += rest.length;
      }
      return undefined;
    },
  };
}

function parseJson(line: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

export function encodeLine(document: unknown): string {
  return `${JSON.stringify(document)}\n`;
}
