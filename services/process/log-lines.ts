// Owns reading whole lines of bounded length from the output of a child process. Must not interpret the lines: state travels over the
// process channel, never over a log.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut: a broken child must not fill the memory of its parent. */
const maxLineLength = 64 * 1024;

/** Gives each line that is not empty to `onLine`; a line that was cut ends in " [cut]". */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let held = '';
  let isCutting = false;
  const take = (text: string): void => {
    const pieces = (held + text).split('\n');
    held = pieces.pop() ?? '';
    for (const piece of pieces) {
      if (!isCutting && piece.trim() !== '') onLine(bounded(piece));
      isCutting = false;
    }
    if (held.length > maxLineLength) {
      if (!isCutting) onLine(bounded(held));
      held = '';
      isCutting = true;
    }
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream.on('end', () => take(`${decoder.end()}\n`));
  // A broken pipe means that the child ended. The parent learns the reason from the exit.
  stream.on('error', () => undefined);
}

const bounded = (line: string): string =>
  line.length > maxLineLength ? `${line.slice(0, maxLineLength)} [cut]` : line;
