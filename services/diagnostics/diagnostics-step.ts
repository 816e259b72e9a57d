// Owns the interface of a step of the diagnostics: a name, and the files that the step collects. Must not know the archive.
import type { ServiceRole } from '../contracts/contract.ts';
import type { DiagnosticsStepName } from '../contracts/rpc/console.ts';

export interface DiagnosticsFile {
  /** Name inside the step's folder in the archive, such as "tenant.log"; empty when the step is one file. */
  readonly name: string;
  /** A string is a log of lines; any other value becomes JSON. Secrets are removed from both before they are written. */
  readonly content: unknown;
}

export interface DiagnosticsStep {
  readonly name: DiagnosticsStepName;
  /** Collects the files. A failure does not affect the other steps. */
  collect(signal: AbortSignal): Promise<readonly DiagnosticsFile[]>;
}

/** A call to a service of this instance. @throws FarkeepError service.not-running, or the error of the service */
export type AskService = (
  role: ServiceRole,
  call: { readonly domain: string; readonly command: string; readonly input: unknown },
  signal: AbortSignal,
) => Promise<unknown>;
