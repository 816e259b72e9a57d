// Owns comparing a part of a document with lines that are made from the code. FARKEEP_WRITE_DOCUMENTS=1 rewrites the document. For tests only.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** @param name of the block, which lies between its two marker comments in the document */
export function expectInDocument(file: string, name: string, lines: readonly string[]): void {
  const url = new URL(`../../docs/${file}`, import.meta.url);
  const text = readFileSync(url, 'utf8');
  const [begin, end] = [`<!-- ${name}: checked against the code -->\n`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  expect([text.includes(begin), to >= from]).toEqual([true, true]);
  const expected = `\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
  if (process.env['FARKEEP_WRITE_DOCUMENTS'] === '1')
    writeFileSync(url, text.slice(0, from) + expected + text.slice(to));
  else expect(text.slice(from, to), `docs/${file} differs: FARKEEP_WRITE_DOCUMENTS=1 writes it anew`).toBe(expected);
}
