// Owns splitting PEM text into its blocks (RFC 7468); accepts other text around the blocks. Must not parse their content.

export interface PemBlock {
  /** "CERTIFICATE", "ENCRYPTED PRIVATE KEY", ... */
  readonly label: string;
  /** The block as text with LF, from BEGIN to END. */
  readonly text: string;
}

/** All blocks in order. Ignores BOM, CRLF, CR, indentation and text between the blocks. Linear in the length of the text. */
export function splitPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let lines: string[] = [];
  for (const rawLine of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const line = rawLine.trim();
    const begin = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/.exec(line)?.[1];
    if (begin !== undefined) {
      label = begin;
      lines = [line];
    } else if (label !== undefined) {
      lines.push(line);
      if (line === `-----END ${label}-----`) {
        blocks.push({ label, text: `${lines.join('\n')}\n` });
        label = undefined;
      }
    }
  }
  return blocks;
}

/** The certificates of a PEM text, one string each. */
export function splitPemCertificates(text: string): string[] {
  return splitPem(text)
    .filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE')
    .map(({ text: block }) => block);
}

/** Content of a PEM block without its headers (RFC 1421). */
export function pemBody(block: PemBlock): Buffer {
  const lines = block.text.split('\n').slice(1, -2);
  return Buffer.from(lines.filter((line) => !line.includes(':')).join(''), 'base64');
}
