// Owns the typed client: the methods of a domain over any carrier that can send a call. Must not know carriers.
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

/** The error of a call as a rejected promise; `info` is the error that the service sent. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly info: ErrorInfo;

  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }
}

/** Inputs and outputs are also parsed on this side, so that different versions cause an error and not wrong data on the screen. */
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
