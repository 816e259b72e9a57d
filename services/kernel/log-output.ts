// Owns getting log lines out of the process. A line that cannot be written is lost, counted and told later; it never ends a service: logs go to
// disks that are full, pipes whose reader has gone, and folders that were removed.
import { writeSync } from 'node:fs';

/** What waits for a slow reader of a pipe; a service must not stand still for it, nor hold memory. */
const maxWaitingBytes = 256 * 1024;
const retryAfterMs = 100;

export interface LogOutput {
  write(line: string): void;
}

/** The system's `write` on a descriptor; another one in tests. @returns how many bytes were taken */
type Write = (bytes: Buffer) => number;

/**
 * @param write writes at once, or throws what the system says
 * @param describeLoss the line that is written once when lines can be written again
 */
export function createLogOutput(write: Write, describeLoss: (lines: number, reason: string) => string): LogOutput {
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let lostLines = 0;
  let lossReason = '';
  /** Half a line is in the file: whatever comes next starts on a new one. */
  let isLineOpen = false;
  let retry: NodeJS.Timeout | undefined;

  /** @returns what could not be written, when the reader is only slow; undefined when there is nothing left to do */
  const put = (bytes: Buffer): Buffer | undefined => {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        rest = rest.subarray(write(rest));
        isLineOpen = rest.length > 0;
      }
      return undefined;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (code === 'EAGAIN') return rest;
      lostLines += 1;
      lossReason = code;
      return undefined;
    }
  };

  const writeOut = (): void => {
    clearTimeout(retry);
    retry = undefined;
    while (waiting.length > 0) {
      const [next] = waiting;
      if (next === undefined) return;
      const rest = put(next);
      if (rest !== undefined) {
        waitingBytes -= next.length - rest.length;
        waiting[0] = rest;
        retry = setTimeout(writeOut, retryAfterMs).unref();
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
        // Written, or at least begun: told once. A failure of the note itself is not one more lost line.
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
