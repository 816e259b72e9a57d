// Owns making the diagnostics: runs the steps in order, removes secrets, packs a zip, and renames the complete file to its place.
import { setImmediate } from 'node:timers/promises';
import { Zip, ZipDeflate } from 'fflate';
import type { DiagnosticsStepName } from '../contracts/rpc/console.ts';
import { writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import { redactDocument, redactLines, redactText } from '../kernel/redaction.ts';
import type { DiagnosticsFile, DiagnosticsStep } from './diagnostics-step.ts';

export interface DiagnosticsResult {
  readonly sizeBytes: number;
  /** Steps that failed; the archive contains the reason. */
  readonly failedSteps: readonly DiagnosticsStepName[];
}

/**
 * @param onStep called with the name of each step before the step starts
 * @throws AbortError when the signal fires; storage errors of the chosen folder
 */
export async function writeDiagnostics({
  steps,
  file,
  signal,
  onStep = () => undefined,
}: {
  readonly steps: readonly DiagnosticsStep[];
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onStep?: (step: DiagnosticsStepName) => void;
}): Promise<DiagnosticsResult> {
  const failedSteps: DiagnosticsStepName[] = [];
  const archive = new Archive();
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    onStep(step.name);
    const place = `${String(index + 1).padStart(2, '0')}-${step.name}`;
    try {
      for (const found of await step.collect(signal)) await archive.add(nameIn(place, found), textOf(found.content));
    } catch (error) {
      signal.throwIfAborted();
      failedSteps.push(step.name);
      const { code, message } = toFarkeepError(error);
      await archive.add(`${place}-failed.txt`, redactText(`${code}: ${message}\n`));
    }
  }
  const bytes = archive.end();
  await writeFileAtomically(file, bytes, { mode: 0o600 });
  return { sizeBytes: bytes.length, failedSteps };
}

function nameIn(place: string, { name }: DiagnosticsFile): string {
  return name === '' ? `${place}.json` : `${place}/${name}`;
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? redactLines(content) : `${JSON.stringify(redactDocument(content), null, 2)}\n`;
}

class Archive {
  readonly #chunks: Uint8Array[] = [];
  readonly #zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    this.#chunks.push(chunk);
  });

  async add(name: string, text: string): Promise<void> {
    const entry = new ZipDeflate(name, { level: 6 });
    this.#zip.add(entry);
    entry.push(Buffer.from(text), true);
    // Lets the console's main process handle its window between two steps.
    await setImmediate();
  }

  end(): Buffer {
    this.#zip.end();
    return Buffer.concat(this.#chunks);
  }
}
