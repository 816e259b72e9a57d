// Owns the path from a call message to a handler and back: checks the name, parses input and output by the contract, always returns a
// CallResult. Must not know the carrier of the call.
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { CallResult } from '../../contracts/carrier.ts';
import type { CallContext, CommandContract, DomainContract, DomainHandlers } from '../../contracts/contract.ts';
import { describeLeftOut, leftOutIn } from '../../contracts/row-list.ts';
import { systemClock, type Clock, type Timer, type Timers } from '../../kernel/clock.ts';
import { whenAborted } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';

/** A domain with the handlers of the service that serves it. */
export interface ServedDomain {
  readonly contract: DomainContract;
  /** Handlers by command name; made by `serveDomain`, which checks their types. */
  readonly handlers: Readonly<Record<string, CommandHandler>>;
}
type CommandHandler = (input: unknown, context: CallContext) => unknown;

export interface CallRequest {
  readonly domain: string;
  readonly command: string;
  readonly input: unknown;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly caller: CallContext['caller'];
  /** The dispatcher generates an identifier when the caller provides none. */
  readonly correlationId?: string;
}

export interface Dispatcher {
  /** Never rejects: the result contains every error. */
  call(request: CallRequest, options: CallOptions): Promise<CallResult>;
}

/** How long a handler may ignore a cancel. After that, the caller gets an answer without the handler. */
const cancelGraceMs = 5_000;
/** Messages of unexpected errors can contain whole documents; the log contains them in full. */
const maxMessageLength = 600;

/** Connects handlers to their contract. No other code joins the two types. */
export function serveDomain<Domain extends DomainContract>(
  contract: Domain,
  handlers: DomainHandlers<Domain>,
): ServedDomain {
  return { contract, handlers: handlers as unknown as ServedDomain['handlers'] };
}

export function createDispatcher({
  domains,
  logger,
  clock,
  timers = systemClock,
}: {
  readonly domains: readonly ServedDomain[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers?: Timers;
}): Dispatcher {
  // Maps, not objects: a name such as "constructor" must not reach a prototype.
  const routes = new Map<string, Map<string, { contract: CommandContract; handler: CommandHandler }>>();
  for (const { contract, handlers } of domains) {
    const commands = new Map<string, { contract: CommandContract; handler: CommandHandler }>();
    for (const [name, command] of Object.entries(contract.commands)) {
      const handler = handlers[name];
      // The compiler checks that no handler is missing. If one is missing anyway, the other commands must still work.
      if (handler === undefined) logger.error('a command has no handler', { command: `${contract.name}.${name}` });
      else commands.set(name, { contract: command, handler });
    }
    routes.set(contract.name, commands);
  }

  async function run({ domain, command, input }: CallRequest, context: CallContext): Promise<unknown> {
    const route = routes.get(domain)?.get(command);
    if (route === undefined) throw unknownOperation(domain, command, routes);
    const parsed = route.contract.input.safeParse(input ?? {});
    if (!parsed.success) throw invalidInput(parsed.error);
    context.signal.throwIfAborted();
    const value = await withCancelGrace(Promise.resolve(route.handler(parsed.data, context)), context.signal, timers);
    const output = route.contract.output.safeParse(value);
    if (!output.success) {
      // A program error of the handler. The output may contain secrets, so the message names only the wrong field.
      throw new Error(`${domain}.${command} returned what its contract does not allow (${firstIssue(output.error)})`);
    }
    return output.data;
  }

  return {
    async call(request, { signal, caller, correlationId = randomBytes(8).toString('hex') }) {
      const log = logger.child({ call: `${request.domain}.${request.command}`, correlationId });
      const startedAt = clock.now();
      try {
        // With `await` inside the `try`, synchronous exceptions and later rejections are both caught.
        const value = await run(request, { signal, caller, correlationId });
        log.debug('call done', { durationMs: clock.now() - startedAt });
        const leftOutRows = leftOutIn(value);
        if (leftOutRows.length === 0) return { ok: true, value };
        const leftOut = leftOutRows.map(({ list, ...rows }) => describeLeftOut(list, rows));
        log.warn('rows of a list do not fit the contract', { leftOut });
        return { ok: true, value, leftOutRows };
      } catch (thrown) {
        const error = signal.aborted && isAbort(thrown) ? new FarkeepError('call.canceled') : toFarkeepError(thrown);
        if (error.code === 'call.internal') log.error('call failed unexpectedly', { error: thrown });
        else log.debug('call refused', { code: error.code, message: error.message });
        const info = error.toInfo(correlationId);
        return { ok: false, error: { ...info, message: shorten(info.message) } };
      }
    },
  };
}

/** A handler that ignores its signal must not block the caller for ever. */
async function withCancelGrace(work: Promise<unknown>, signal: AbortSignal, timers: Timers): Promise<unknown> {
  let grace: Timer | undefined;
  let stopListening: (() => void) | undefined;
  const graceOver = new Promise<never>((_resolve, reject) => {
    const onLate = (): void =>
      reject(new FarkeepError('call.canceled', 'Canceled; the operation is still ending in the background'));
    stopListening = whenAborted(signal, () => (grace = timers.startTimer(cancelGraceMs, onLate)));
  });
  try {
    return await Promise.race([work, graceOver]);
  } finally {
    stopListening?.();
    grace?.stop();
  }
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError');
}

function unknownOperation(
  domain: string,
  command: string,
  routes: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): FarkeepError {
  const isDomainKnown = routes.has(domain);
  return new FarkeepError(
    'call.unknown',
    isDomainKnown ? `"${domain}" has no operation "${command}"` : `This service does not serve "${domain}"`,
  );
}

function invalidInput(error: z.ZodError): FarkeepError {
  const path = error.issues[0]?.path.map(String).join('.') ?? '';
  return new FarkeepError('call.invalid', firstIssue(error), {
    ...(path === '' ? {} : { field: path }),
  });
}

type Issue = z.ZodError['issues'][number];

/** "The password must have at least 8 characters": names the field, never the value, which may be a password. */
function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'The input is not valid';
  const path = issue.path.map(String).join('.');
  const plain = inPlainWords(issue);
  if (plain === undefined) return path === '' ? issue.message : `${path}: ${issue.message}`;
  if (path === '') return `The input ${plain}`;
  return `${/^[a-z]+$/.test(path) ? `The ${path}` : `"${path}"`} ${plain}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** Rewords the most common messages of zod; undefined for other messages and for those that a contract defines. */
function inPlainWords(issue: Issue): string | undefined {
  if (!/^(Too small|Too big|Invalid)/.test(issue.message)) return undefined;
  switch (issue.code) {
    case 'too_small': {
      const least = String(issue.minimum);
      if (issue.origin === 'string' || issue.origin === 'array') {
        return least === '1' ? 'must not be empty' : `must have at least ${least} ${counted(issue.origin)}`;
      }
      return issue.inclusive === false ? `must be more than ${least}` : `must be at least ${least}`;
    }
    case 'too_big': {
      const most = String(issue.maximum);
      if (issue.origin === 'string' || issue.origin === 'array') {
        return `must have at most ${most} ${counted(issue.origin)}`;
      }
      return issue.inclusive === false ? `must be less than ${most}` : `must be at most ${most}`;
    }
    case 'invalid_type': {
      if (issue.message.endsWith('received undefined')) return 'is missing';
      const name = typeNames[issue.expected];
      return name === undefined ? undefined : `must be ${name}`;
    }
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'must be an instant such as 2027-03-31T12:00:00Z'
        : 'does not have the form that is expected';
    default:
      return undefined;
  }
}

function counted(origin: string): string {
  return origin === 'string' ? 'characters' : 'entries';
}

function shorten(message: string): string {
  return message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength)}…`;
}
