// Owns the typed client: a domain's methods over any carrier that can send a call. Knows no carrier.
import type { DomainClient, DomainContract } from './contract.ts';
import type { CallResult } from './carrier.ts';
import type { ErrorInfo } from './errors.ts';
import { leftOutIn, noteLeftOut } from './row-list.ts';

export type CallSender = (
  domain: string,
  command: string,
  input: unknown,
  options: { readonly signal?: AbortSignal },
) => Promise<CallResult>;

/** The error of a call as a rejected promise; `info` is what the other side said. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly info: ErrorInfo;

  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }
}

/** Inputs and outputs are parsed on this side too, so that a version mismatch shows as an error and not as a wrong screen. */
export function createDomainClient<Domain extends DomainContract>(
  domain: Domain,
  send: CallSender,
): DomainClient<Domain> {
  const methods = Object.entries(domain.commands).map(([command, contract]) => [
    command,
    async (input: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> => {
      const result = await send(domain.name, command, input, options);
      if (!result.ok) throw new CallError(result.error);
      const answer = contract.output.parse(result.value);
      noteLeftOut(answer, [...(result.leftOutRows ?? []), ...leftOutIn(answer)]);
      return answer;
    },
  ]);
  return Object.fromEntries(methods) as DomainClient<Domain>;
}
