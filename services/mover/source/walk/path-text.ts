// Owns converting raw path bytes to text for display: valid UTF-8 unchanged, every other byte and control character as \xNN.

export function showPath(path: Buffer): string {
  const text = path.toString('utf8');
  if (!text.includes('\ufffd') && !hasControl(text)) return text;
  let shown = '';
  let at = 0;
  while (at < path.length) {
    const length = characterLength(path, at);
    const piece = path.subarray(at, at + length).toString('utf8');
    shown +=
      length === 1 && (piece === '\ufffd' || hasControl(piece))
        ? `\\x${(path[at] ?? 0).toString(16).padStart(2, '0')}`
        : piece;
    at += length;
  }
  return shown;
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** Returns the length in bytes of the valid UTF-8 character at `at`; 1 if there is none. */
function characterLength(bytes: Buffer, at: number): number {
  for (const length of [4, 3, 2]) {
    if (at + length <= bytes.length) {
      const piece = bytes.subarray(at, at + length).toString('utf8');
      // A UTF-8 character of four bytes has two UTF-16 units, a shorter one has one.
      if (!piece.includes('\ufffd') && piece.length === (length === 4 ? 2 : 1)) return length;
    }
  }
  return 1;
}
