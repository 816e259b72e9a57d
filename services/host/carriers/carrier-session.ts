// Owns one caller's connection to a service, over any carrier: its running calls, their cancellation, its event subscription.
// Must not know sockets or process channels: the carrier provides `send` and passes on received messages.
import { messageToServiceSchema, type MessageFromService } from '../../contracts/carrier.ts';
import type { CallContext } from '../../contracts/contract.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EventHub } from './event-hub.ts';

export interface CarrierSession {
  /** @returns false when the message does not fit the contract. A carrier that strangers can reach should then disconnect. */
  receive(message: unknown): boolean;
  /** Cancels all calls and ends the subscription; later results are dropped. Safe to call twice. */
  close(): void;
}

export interface CarrierSessionOptions {
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  readonly caller: CallContext['caller'];
  readonly logger: Logger;
  readonly send: (message: MessageFromService) => void;
  /** The caller requests the end of the whole service. */
  readonly onStopRequested: (deadlineMs: number) => void;
}

/** Limit of simultaneous calls of one caller, so that no caller can exhaust the service. */
const maxCallsInFlight = 256;

export function createCarrierSession(options: CarrierSessionOptions): CarrierSession {
  const { dispatcher, events, caller, logger, onStopRequested } = options;
  const calls = new Map<string, AbortController>();
  let unsubscribe: (() => void) | undefined;
  let isClosed = false;

  const send = (message: MessageFromService): void => {
    if (!isClosed) options.send(message);
  };
  const refuse = (id: string, error: FarkeepError): void => {
    send({ kind: 'result', id, result: { ok: false, error: error.toInfo() } });
  };

  async function call(id: string, domain: string, command: string, input: unknown): Promise<void> {
    const controller = new AbortController();
    calls.set(id, controller);
    try {
      const result = await dispatcher.call({ domain, command, input }, { signal: controller.signal, caller });
      send({ kind: 'result', id, result });
    } finally {
      calls.delete(id);
    }
  }

  return {
    receive(raw) {
      if (isClosed) return true;
      const parsed = messageToServiceSchema.safeParse(raw);
      if (!parsed.success) {
        const id = callIdOf(raw);
        if (id === undefined) return false;
        refuse(id, new FarkeepError('call.invalid', 'The message is not a call of this version'));
        return true;
      }
      const message = parsed.data;
      switch (message.kind) {
        case 'call':
          if (calls.has(message.id))
            refuse(message.id, new FarkeepError('call.invalid', 'The call identifier is in use'));
          else if (calls.size >= maxCallsInFlight) {
            refuse(
              message.id,
              new FarkeepError('connection.refused-limit', `More than ${maxCallsInFlight} calls at once`, {
                hint: 'Wait for the answers to earlier calls.',
              }),
            );
          } else void call(message.id, message.domain, message.command, message.input);
          return true;
        case 'cancel':
          calls.get(message.id)?.abort();
          return true;
        case 'subscribe':
          unsubscribe ??= events.subscribe(send);
          return true;
        case 'stop':
          logger.info('stop requested', { caller: caller.kind, deadlineMs: message.deadlineMs });
          onStopRequested(message.deadlineMs);
          return true;
      }
    },
    close() {
      isClosed = true;
      unsubscribe?.();
      for (const controller of calls.values()) controller.abort();
    },
  };
}

/** Returns the identifier of a call, so that a caller with another version gets an answer; undefined without a valid identifier. */
function callIdOf(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || !('kind' in raw) || raw.kind !== 'call' || !('id' in raw))
    return undefined;
  return typeof raw.id === 'string' && raw.id.length > 0 && raw.id.length <= 64 ? raw.id : undefined;
}
