// Owns the typing of an event from the bridge: finds domain and event in the contract, and parses the payload.
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';
import type { EventPayload } from '../../../services/contracts/contract.ts';
import { domains } from '../../../services/contracts/rpc/domains.ts';

type Domains = typeof domains;

/** Every event of every domain as one discriminated union: "jobs.changed" with its payload. */
export type TypedEvent = {
  [Key in keyof Domains]: {
    [Name in keyof Domains[Key]['events'] & string]: {
      readonly name: `${Domains[Key]['name']}.${Name}`;
      readonly payload: EventPayload<Domains[Key], Name>;
    };
  }[keyof Domains[Key]['events'] & string];
}[keyof Domains];

/** Null if the contract has no such event, or the payload has another shape. The caller then fetches a snapshot. */
export function typeEvent({ domain, event, payload }: BridgeEvent): TypedEvent | null {
  const contract = Object.values(domains).find(({ name }) => name === domain);
  if (contract === undefined || !Object.hasOwn(contract.events, event)) return null;
  const schema = Object.entries(contract.events).find(([name]) => name === event)?.[1].payload;
  const parsed = schema?.safeParse(payload);
  if (parsed?.success !== true) return null;
  return { name: `${domain}.${event}`, payload: parsed.data } as TypedEvent;
}
