// Owns importing a certificate file: reading it in a worker with limits, and a trial handshake with the result. Must not store anything.
import { readFile, stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import { abortError, type Clock, systemClock } from '../../kernel/clock.ts';
import { whenAborted } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { Secret } from '../../kernel/secret.ts';
import { isMissing, isNotFolder, systemErrorCode } from '../../kernel/system-error.ts';
import { toPem } from '../certificate/certificate-summary.ts';
import type { ImportAnswer, ImportMessage, ImportTask } from './import-worker.ts';
import { tryServing } from '../trust/trial-handshake.ts';

/** Real files have a few KiB. The limit prevents reading a huge file that was chosen by mistake. */
export const maxImportBytes = 1024 * 1024;
export interface ImportInput {
  readonly file: Uint8Array;
  readonly keyFile?: Uint8Array | undefined;
  readonly password?: string | undefined;
}

export interface ImportedCertificate extends Disposable {
  readonly summary: CertificateSummary;
  /** "PFX/P12", "PEM", "DER", "PKCS#7" */
  readonly format: string;
  readonly certificatePem: string;
  /** Intermediates, the issuer of the server certificate first; may be empty. */
  readonly chainPem: string;
  readonly chainLength: number;
  /** PKCS#8 DER. */
  readonly privateKey: Secret;
  /** Name in the file, if any. */
  readonly friendlyName: string | undefined;
  /** Problems that do not prevent the import. */
  readonly warnings: readonly string[];
}

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** PEM of roots in addition to the system's, for the warning about an untrusted chain. */
  readonly extraRoots?: readonly string[];
  /** Called with the progress from 0 to 1 while a slow key derivation runs. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export const untrustedChain = 'The chain does not lead to an authority that this computer trusts';

/**
 * Reads a certificate with its key from the bytes of a file: PFX/P12, PEM, or DER with a key file. WorkBudget limits the work, and the
 * worker thread ends at once when the signal fires.
 * @throws FarkeepError 'certificate.*', each with its own message; AbortError
 */
export async function importCertificate(input: ImportInput, options: ImportOptions = {}): Promise<ImportedCertificate> {
  const { signal, clock = systemClock, extraRoots = [], onProgress } = options;
  for (const bytes of [input.file, input.keyFile]) {
    if (bytes !== undefined && bytes.length > maxImportBytes) throw tooLarge();
  }
  const answer = await runWorker(
    {
      file: input.file,
      keyFile: input.keyFile,
      password: input.password,
      now: clock.now(),
    },
    { signal, onProgress },
  );
  if (!answer.ok) throw FarkeepError.fromInfo(answer.error);
  const privateKey = Secret.take(Buffer.from(answer.privateKey.buffer as ArrayBuffer));
  try {
    const { certificatePem, summary } = answer;
    const chainPem = answer.chainDer.map((der) => toPem(der)).join('');
    const trial = await tryServing({ certificatePem, chainPem, privateKey, extraRoots });
    const isChainTrusted = trial.isChainTrusted || summary.isSelfSigned;
    return {
      summary,
      format: answer.format,
      certificatePem,
      chainPem,
      chainLength: answer.chainDer.length,
      privateKey,
      friendlyName: answer.friendlyName,
      warnings: [...answer.warnings, ...(isChainTrusted ? [] : [untrustedChain])],
      [Symbol.dispose]: () => privateKey.dispose(),
    };
  } catch (error) {
    privateKey.dispose();
    throw error;
  }
}

/** `importCertificate` from files of this machine. @throws FarkeepError also with 'source.missing' | 'certificate.key-unreadable' */
export async function importCertificateFile(
  { file, keyFile, password }: { file: string; keyFile?: string | undefined; password?: string | undefined },
  options: ImportOptions = {},
): Promise<ImportedCertificate> {
  const [fileBytes, keyBytes] = await Promise.all([
    readBounded(file),
    keyFile === undefined ? undefined : readBounded(keyFile),
  ]);
  try {
    return await importCertificate({ file: fileBytes, keyFile: keyBytes, password }, options);
  } finally {
    fileBytes.fill(0);
    keyBytes?.fill(0);
  }
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new FarkeepError('certificate.malformed', `${file} is not a file`);
    if (info.size > maxImportBytes) throw tooLarge();
    return await readFile(file);
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    const code = systemErrorCode(error);
    if (isMissing(error) || isNotFolder(error))
      throw new FarkeepError('source.missing', `${file} does not exist`, {
        field: 'file',
        hint: 'Check the path.',
        cause: error,
      });
    throw new FarkeepError('certificate.key-unreadable', `${file} cannot be read (${String(code)})`, {
      field: 'file',
      cause: error,
    });
  }
}

function tooLarge(): FarkeepError {
  return new FarkeepError(
    'certificate.malformed',
    `The file is larger than ${maxImportBytes / 1024} KiB; no certificate file is`,
  );
}

function runWorker(
  task: ImportTask,
  { signal, onProgress }: Pick<ImportOptions, 'signal' | 'onProgress'>,
): Promise<ImportAnswer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError());
      return;
    }
    const worker = new Worker(new URL('./import-worker.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      // The worker gets no flags and no environment variables of this process, except the switch for native calls.
      env: process.env['FARKEEP_NATIVE'] === 'off' ? { FARKEEP_NATIVE: 'off' } : {},
      stdout: true,
      stderr: true,
    });
    const settle = (act: () => void): void => {
      stopListening();
      act();
      void worker.terminate();
    };
    const stopListening = whenAborted(signal, () => settle(() => reject(abortError())));
    worker.on('message', (message: ImportMessage) => {
      if ('ok' in message) settle(() => resolve(message));
      // Ignores progress messages that a canceled worker sent before its end.
      else if (signal?.aborted !== true) onProgress?.(message.share);
    });
    worker.once('error', (error: unknown) =>
      settle(() =>
        reject(
          systemErrorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new FarkeepError('certificate.too-costly', 'Decrypting the file would need too much memory')
            : toFarkeepError(error),
        ),
      ),
    );
    worker.once('exit', () =>
      settle(() => reject(new FarkeepError('certificate.too-costly', 'Reading the file ended before its end'))),
    );
  });
}
