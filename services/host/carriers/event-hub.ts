// Owns the event stream of one service process: parses payloads, numbers them, sends them to every subscriber. Keeps no history: a
// subscriber that misses an event sees the gap in the numbers and fetches snapshots.
import type { EventMessage } from '../../contracts/carrier.ts';
import type { DomainContract, EventPublisher } from '../../contracts/contract.ts';
import type { Logger } from '../../kernel/logger.ts';

export interface EventHub {
  readonly publish: EventPublisher;
  /** Returns the function that ends the subscription; safe to call twice. */
  subscribe(deliver: (message: EventMessage) => void): () => void;
}

export function createEventHub({ logger }: { readonly logger: Logger }): EventHub {
  const subscribers = new Set<(message: EventMessage) => void>();
  let sequence = 0;

  function publish(domain: DomainContract, event: string, payload: unknown): void {
    // The number is used even when the event cannot be sent, so that clients see the gap and fetch the state.
    sequence += 1;
    const contract = domain.events[event];
    const parsed = contract?.payload.safeParse(payload);
    if (parsed?.success !== true) {
      const issues = parsed?.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
      logger.error('event does not match its contract', { event: `${domain.name}.${event}`, issues });
      return;
    }
    const message: EventMessage = { kind: 'event', sequence, domain: domain.name, event, payload: parsed.data };
    for (const deliver of [...subscribers]) {
      try {
        deliver(message);
      } catch (error) {
        logger.error('event subscriber failed', { error });
      }
    }
  }

  return {
    publish,
    subscribe(deliver) {
      // A new function for each subscription, so that the same function can subscribe twice.
      const subscriber = (message: EventMessage): void => deliver(message);
      subscribers.add(subscriber);
      return () => {
        subscribers.delete(subscriber);
      };
    },
  };
}
