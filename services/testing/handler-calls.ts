// Owns calling the handlers of one domain in tests as a carrier does: input and answer pass the real dispatcher and its schemas. Also owns
// stand-ins for the collaborators of handlers. For tests only.
import { CallError, createDomainClient } from '../contracts/client.ts';
import type { CallContext, DomainClient, DomainContract, DomainHandlers } from '../contracts/contract.ts';
import type { ErrorInfo } from '../contracts/errors.ts';
import { createDispatcher, serveDomain } from '../host/carriers/dispatcher.ts';
import { silentLogger } from '../kernel/logger.ts';
import { ManualClock } from './manual-clock.ts';

export const adminAtCommandLine = 'admin (command line)';

/** The calls of a domain. A refused call rejects with a `CallError`; see `refusalOf`. */
export function callHandlers<Domain extends DomainContract>(
  contract: Domain,
  handlers: DomainHandlers<Domain>,
  caller: CallContext['caller'] = { kind: 'command line', account: 'admin' },
): DomainClient<Domain> {
  const clock = new ManualClock();
  const dispatcher = createDispatcher({
    domains: [serveDomain(contract, handlers)],
    logger: silentLogger,
    clock,
    timers: clock,
  });
  return createDomainClient(contract, (domain, command, input, { signal = new AbortController().signal }) =>
    dispatcher.call({ domain, command, input }, { signal, caller }),
  );
}

/** What a refused call says. Throws when the call was not refused, or failed in another way. */
export async function refusalOf(call: Promise<unknown>): Promise<ErrorInfo> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallError) return error.info;
    throw error;
  }
  throw new Error('The call was not refused');
}

/** A collaborator that has only the members that a test needs. The use of another member fails the call. */
export function standIn<Whole extends object>(part: Partial<Whole>): Whole {
  return part as Whole;
}
