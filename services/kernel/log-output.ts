// Owns writing log lines to a file descriptor. A line that cannot be written is dropped and counted, and the count is logged later. A
// failed write (full disk, closed pipe, removed folder) must never end a service.
import { writeSync } from 'node:fs';
import { systemClock, type Timer } from './clock.ts';
import { systemErrorCode } from './system-error.ts';

/** Limit of the bytes that wait for a slow reader of a pipe. The service must not block on the reader or use unlimited memory. */
const maxWaitingBytes = 256 * 1024;
const retryAfterMs = 100;

export interface LogOutput {
  write(line: string): void;
}

/** The system's `write` on a descriptor, replaced in tests. @returns number of bytes written */
type Write = (bytes: Buffer) => number;

/**
 * @param write writes at once, or throws the system's error
 * @param describeLoss makes the line that reports lost lines, written once when writing works again
 */
export function createLogOutput(write: Write, describeLoss: (lines: number, reason: string) => string): LogOutput {
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let lostLines = 0;
  let lossReason = '';
  /** True when the last output was cut inside a line; the next output starts on a new line. */
  let isLineOpen = false;
  let retry: Timer | undefined;

  /** @returns the unwritten bytes when the reader is only slow; undefined when nothing is left to write */
  const put = (bytes: Buffer): Buffer | undefined => {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        rest = rest.subarray(write(rest));
        isLineOpen = rest.length > 0;
      }
      return undefined;
    } catch (error) {
      const code = systemErrorCode(error) ?? String(error);
      if (code === 'EAGAIN') return rest;
      lostLines += 1;
      lossReason = code;
      return undefined;
    }
  };

  const writeOut = (): void => {
    retry?.stop();
    retry = undefined;
    while (waiting.length > 0) {
      const [next] = waiting;
      if (next === undefined) return;
      const rest = put(next);
      if (rest !== undefined) {
        waitingBytes -= next.length - rest.length;
        waiting[0] = rest;
        retry = systemClock.startTimer(retryAfterMs, writeOut, { isBackground: true });
        return;
      }
      waitingBytes -= next.length;
      waiting.shift();
    }
  };

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (waitingBytes + bytes.length > maxWaitingBytes) {
        lostLines += 1;
        lossReason = 'the reader is too slow';
        return;
      }
      if (lostLines > 0 && waiting.length === 0) {
        const lost = lostLines;
        const note = Buffer.from(`${isLineOpen ? '\n' : ''}${describeLoss(lost, lossReason)}`);
        const rest = put(note);
        // The loss report was written, at least in part, so it is not repeated. A failed loss report does not count as another lost line.
        lostLines = lostLines > lost ? lost : 0;
        if (rest !== undefined) {
          waiting.push(rest);
          waitingBytes += rest.length;
        } else if (lostLines > 0) {
          lostLines += 1;
          return;
        }
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      writeOut();
    },
  };
}

/** Standard error of this process. */
export const standardError: Write = (bytes) => writeSync(2, bytes);
