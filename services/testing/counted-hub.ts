// Owns counting the subscribers of an event hub, for tests that must know when a subscription has started or ended.
import type { EventHub } from '../host/carriers/event-hub.ts';

export type CountedHub = EventHub & { readonly subscriberCount: () => number };

export function countSubscribers(hub: EventHub): CountedHub {
  const subscriptions = new Set<symbol>();
  return {
    ...hub,
    subscribe(deliver) {
      const subscription = Symbol('subscription');
      const end = hub.subscribe(deliver);
      subscriptions.add(subscription);
      return () => {
        end();
        subscriptions.delete(subscription);
      };
    },
    subscriberCount: () => subscriptions.size,
  };
}
