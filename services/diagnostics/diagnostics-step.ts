// Owns the one shape of a step of the diagnostics: a name, and the files that it finds. Knows no archive.
import type { ServiceRole } from '../contracts/contract.ts';
import type { DiagnosticsStepName } from '../contracts/rpc/console.ts';

export interface DiagnosticsFile {
  /** Inside the step's place in the archive, such as "tenant.log"; empty when the step is one file. */
  readonly name: string;
  /** A text is a log, line by line; anything else becomes JSON. Both pass the redaction when they are written. */
  readonly content: unknown;
}

export interface DiagnosticsStep {
  readonly name: DiagnosticsStepName;
  /** Fails alone: what the other steps find is written all the same. */
  collect(signal: AbortSignal): Promise<readonly DiagnosticsFile[]>;
}

/** A call to a service of this instance. @throws FarkeepError service.not-running, and what the service answers */
export type AskService = (
  role: ServiceRole,
  call: { readonly domain: string; readonly command: string; readonly input: unknown },
  signal: AbortSignal,
) => Promise<unknown>;
