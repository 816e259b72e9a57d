// Owns the thread in which files of strangers are read: it may be stopped at any moment, and its memory is bounded by who starts it.
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { type ErrorInfo } from '../contracts/errors.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import { parseImport } from './import-parser.ts';
import { selectImport } from './import-selection.ts';
import { WorkBudget } from './work-budget.ts';

const importTaskSchema = z.object({
  file: z.instanceof(Uint8Array),
  keyFile: z.instanceof(Uint8Array).optional(),
  password: z.string().optional(),
  timeMs: z.number().positive(),
  now: z.number(),
});

export interface ImportTask {
  readonly file: Uint8Array;
  readonly keyFile: Uint8Array | undefined;
  readonly password: string | undefined;
  readonly timeMs: number;
  readonly now: number;
}

export type ImportAnswer =
  | {
      readonly ok: true;
      readonly format: string;
      readonly leafDer: Uint8Array;
      readonly chainDer: readonly Uint8Array[];
      /** PKCS#8 DER, moved to the receiver. */
      readonly privateKey: Uint8Array;
      readonly friendlyName: string | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly error: ErrorInfo };

/** "started" once, before any byte of the file is looked at; then the answer. */
export type ImportMessage = 'started' | ImportAnswer;

function work(): ImportAnswer {
  try {
    const { file, keyFile, password, timeMs, now } = importTaskSchema.parse(workerData);
    const content = parseImport({ file, keyFile, password }, new WorkBudget(timeMs));
    const { leaf, chain, privateKey, warnings } = selectImport(content, now);
    return {
      ok: true,
      format: content.format,
      leafDer: Uint8Array.from(leaf.der),
      chainDer: chain.map(({ der }) => Uint8Array.from(der)),
      // A copy of its own: a small Buffer shares its memory with others and could not be moved.
      privateKey: Uint8Array.from(privateKey.export({ type: 'pkcs8', format: 'der' })),
      friendlyName: content.friendlyName,
      warnings,
    };
  } catch (error) {
    return { ok: false, error: toFarkeepError(error, 'certificate.malformed').toInfo() };
  }
}

parentPort?.postMessage('started');
const answer = work();
parentPort?.postMessage(answer, answer.ok ? [answer.privateKey.buffer as ArrayBuffer] : []);
