// Owns the events that a service under test publishes: checks each against its contract, records it, and lets tests wait for it.
import type { DomainContract, EventName, EventPayload, EventPublisher } from '../contracts/contract.ts';

interface Recorded {
  readonly domain: string;
  readonly event: string;
  readonly payload: unknown;
}

export class RecordedEvents {
  readonly all: Recorded[] = [];
  readonly #waiting = new Set<() => void>();

  readonly publish: EventPublisher = (domain, event, payload) => {
    const contract = (domain as DomainContract).events[event];
    if (contract === undefined) throw new Error(`${domain.name}.${event} is not in the contract`);
    this.all.push({ domain: domain.name, event, payload: contract.payload.parse(payload) });
    for (const check of [...this.#waiting]) check();
  };

  of<Domain extends DomainContract, Name extends EventName<Domain>>(
    domain: Domain,
    event: Name,
  ): EventPayload<Domain, Name>[] {
    return this.all
      .filter((recorded) => recorded.domain === domain.name && recorded.event === event)
      .map((recorded) => recorded.payload as EventPayload<Domain, Name>);
  }

  /** The first matching event, recorded or future. */
  async waitFor<Domain extends DomainContract, Name extends EventName<Domain>>(
    domain: Domain,
    event: Name,
    isWanted: (payload: EventPayload<Domain, Name>) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<EventPayload<Domain, Name>> {
    const found = Promise.withResolvers<EventPayload<Domain, Name>>();
    const timer = setTimeout(
      () => found.reject(new Error(`${domain.name}.${event} did not come within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const check = (): void => {
      const match = this.of(domain, event).find(isWanted);
      if (match !== undefined) found.resolve(match);
    };
    this.#waiting.add(check);
    try {
      check();
      return await found.promise;
    } finally {
      this.#waiting.delete(check);
      clearTimeout(timer);
    }
  }
}
