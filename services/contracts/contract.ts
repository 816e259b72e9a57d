// Owns how a domain is declared: commands and events as zod schemas, in one place. Bridge, clients, dispatcher and command line derive from
// the declaration.
import type { z } from 'zod';

/** The roles that run as a service process. services/host/role-table.ts has all other facts about a role. */
export const serviceRoles = ['provider', 'gateway', 'tenant'] as const;
export type ServiceRole = (typeof serviceRoles)[number];

/** The processes to which a call can be sent. `console` is the Electron main process. The others are service processes. */
export const callTargets = ['console', ...serviceRoles] as const;
export type CallTarget = (typeof callTargets)[number];

export interface CommandContract {
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

export interface EventContract {
  readonly payload: z.ZodType;
}

export interface DomainContract {
  readonly name: string;
  /** Which processes serve this domain. */
  readonly targets: readonly CallTarget[];
  readonly commands: Readonly<Record<string, CommandContract>>;
  readonly events: Readonly<Record<string, EventContract>>;
}

/** Declares a domain and keeps the literal types. */
export function defineDomain<const Domain extends DomainContract>(domain: Domain): Domain {
  return domain;
}

export type CommandName<Domain extends DomainContract> = keyof Domain['commands'] & string;
export type EventName<Domain extends DomainContract> = keyof Domain['events'] & string;

/** The input that a caller passes. */
export type CommandInput<Domain extends DomainContract, Name extends CommandName<Domain>> = z.input<
  Domain['commands'][Name]['input']
>;
/** The input that a handler receives: parsed, with defaults. */
export type ParsedInput<Domain extends DomainContract, Name extends CommandName<Domain>> = z.output<
  Domain['commands'][Name]['input']
>;
export type CommandOutput<Domain extends DomainContract, Name extends CommandName<Domain>> = z.output<
  Domain['commands'][Name]['output']
>;
export type EventPayload<Domain extends DomainContract, Name extends EventName<Domain>> = z.output<
  Domain['events'][Name]['payload']
>;

export interface CallContext {
  /** Fires when the caller cancels or disconnects. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** The caller, for journals: "console" or "command line", with the account's name. */
  readonly caller: { readonly kind: 'console' | 'command line'; readonly account: string };
}

/** The handlers that a service registers with the dispatcher for one domain. */
export type DomainHandlers<Domain extends DomainContract> = {
  readonly [Name in CommandName<Domain>]: (
    input: ParsedInput<Domain, Name>,
    context: CallContext,
  ) => Promise<z.input<Domain['commands'][Name]['output']>> | z.input<Domain['commands'][Name]['output']>;
};

/** The methods of one domain for a caller. They reject with the error of the call. */
export type DomainClient<Domain extends DomainContract> = {
  readonly [Name in CommandName<Domain>]: (
    input: CommandInput<Domain, Name>,
    options?: { readonly signal?: AbortSignal },
  ) => Promise<CommandOutput<Domain, Name>>;
};

/** Publishes an event of a domain from a service. */
export type EventPublisher = <Domain extends DomainContract, Name extends EventName<Domain>>(
  domain: Domain,
  event: Name,
  payload: z.input<Domain['events'][Name]['payload']>,
) => void;
