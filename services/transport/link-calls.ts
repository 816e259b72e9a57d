// Owns typed calls on the gateway link over the generic peer: both sides check inputs and outputs. Must not know what the calls do.
import type { z } from 'zod';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { linkRequests } from '../wire/gateway-link-messages.ts';
import type { ControlPeer, RequestHandler, RequestOptions } from './control-peer.ts';

type LinkRequests = typeof linkRequests;
export type LinkRequestName = keyof LinkRequests;
export type LinkInput<Name extends LinkRequestName> = z.infer<LinkRequests[Name]['input']>;
export type LinkOutput<Name extends LinkRequestName> = z.infer<LinkRequests[Name]['output']>;

/** @throws FarkeepError as sent by the other side; `protocol.malformed` when the answer has another form */
export async function callLink<Name extends LinkRequestName>(
  peer: ControlPeer,
  name: Name,
  input: LinkInput<Name>,
  options: RequestOptions = {},
): Promise<LinkOutput<Name>> {
  const answer = linkRequests[name].output.safeParse(await peer.request(name, input, options));
  if (!answer.success)
    throw new FarkeepError('protocol.malformed', `The answer to "${name}" does not have the form of this version`);
  return answer.data as LinkOutput<Name>;
}

export type LinkHandlers = {
  readonly [Name in LinkRequestName]?: (input: LinkInput<Name>) => Promise<LinkOutput<Name>>;
};

/** Returns a request handler that calls `handlers` only for known requests with valid input. */
export function handleLink(handlers: LinkHandlers): RequestHandler {
  return async (type, payload) => {
    if (!Object.hasOwn(handlers, type))
      throw new FarkeepError('call.unknown', `There is no "${type}" on this side of the gateway link`);
    const name = type as LinkRequestName;
    const input = linkRequests[name].input.safeParse(payload);
    if (!input.success)
      throw new FarkeepError('call.invalid', `"${type}" on the gateway link does not have the form of this version`);
    // The schema of `name` made the input; TypeScript cannot follow this through the table.
    const handler = handlers[name] as ((checked: unknown) => Promise<unknown>) | undefined;
    return handler?.(input.data);
  };
}
