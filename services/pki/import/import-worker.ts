// Owns the thread that reads files from strangers. The thread can be stopped at any moment, and its starter limits its memory.
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { type ErrorInfo } from '../../contracts/errors.ts';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { summarize, toPem } from '../certificate/certificate-summary.ts';
import { parseImport } from './import-parser.ts';
import { selectImport } from './import-selection.ts';
import { WorkBudget } from './work-budget.ts';

const importTaskSchema = z.object({
  file: z.instanceof(Uint8Array),
  keyFile: z.instanceof(Uint8Array).optional(),
  password: z.string().optional(),
  now: z.number(),
});

export interface ImportTask {
  readonly file: Uint8Array;
  readonly keyFile: Uint8Array | undefined;
  readonly password: string | undefined;
  readonly now: number;
}

export type ImportAnswer =
  | {
      readonly ok: true;
      readonly format: string;
      readonly certificatePem: string;
      readonly summary: CertificateSummary;
      readonly chainDer: readonly Uint8Array[];
      /** PKCS#8 DER, transferred to the main thread. */
      readonly privateKey: Uint8Array;
      readonly friendlyName: string | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly error: ErrorInfo };

/** First the progress from 0 to 1 while the keys of the file are derived; then the answer. */
export type ImportMessage = { readonly share: number } | ImportAnswer;

function tell(message: ImportMessage, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}

function work(): ImportAnswer {
  try {
    const { file, keyFile, password, now } = importTaskSchema.parse(workerData);
    const content = parseImport({ file, keyFile, password }, new WorkBudget((share) => tell({ share })));
    const { leaf, chain, privateKey, warnings } = selectImport(content, now);
    return {
      ok: true,
      format: content.format,
      certificatePem: toPem(leaf.der),
      summary: summarize(leaf),
      chainDer: chain.map(({ der }) => Uint8Array.from(der)),
      // Copies the key: a small Buffer shares its memory with other Buffers and cannot be transferred.
      privateKey: Uint8Array.from(privateKey.export({ type: 'pkcs8', format: 'der' })),
      friendlyName: content.friendlyName,
      warnings,
    };
  } catch (error) {
    return { ok: false, error: toFarkeepError(error, 'certificate.malformed').toInfo() };
  }
}

const answer = work();
tell(answer, answer.ok ? [answer.privateKey.buffer as ArrayBuffer] : []);
