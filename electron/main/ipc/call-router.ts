// Owns the target of each call from the renderer: the console's own dispatcher or a service. Checks the envelope; does not use Electron.
import { bridgeCallSchema, type CallResult } from '../../../services/contracts/carrier.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { domains } from '../../../services/contracts/rpc/domains.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Dispatcher } from '../../../services/host/carriers/dispatcher.ts';

export interface CallRouterOptions {
  readonly dispatcher: Dispatcher;
  readonly callService: (
    role: ServiceRole,
    call: { domain: string; command: string; input: unknown },
    signal: AbortSignal,
  ) => Promise<CallResult>;
  readonly account: string;
}

export interface CallRouter {
  /** @param owner the caller (a window's contents). Identifiers are unique for each owner. Never rejects. */
  call(owner: number, raw: unknown): Promise<CallResult>;
  cancel(owner: number, rawId: unknown): void;
  /** Cancels all calls of an owner that was closed. */
  cancelAll(owner: number): void;
}

/** A page that has more calls than this at the same time has a defect. A service would also refuse so many calls. */
const maxCallsInFlight = 200;

const targetsByDomain = new Map<string, readonly string[]>(
  Object.values(domains).map(({ name, targets }) => [name, targets]),
);

export function createCallRouter({ dispatcher, callService, account }: CallRouterOptions): CallRouter {
  const inFlight = new Map<string, AbortController>();
  const key = (owner: number, id: string): string => `${owner} ${id}`;

  return {
    async call(owner, raw) {
      const parsed = bridgeCallSchema.safeParse(raw);
      if (!parsed.success) return refuse(new FarkeepError('call.invalid', 'The message is not a call of this version'));
      const { id, target, domain, command, input } = parsed.data;
      if (targetsByDomain.get(domain)?.includes(target) !== true) {
        return refuse(new FarkeepError('call.unknown', `"${target}" does not serve "${domain}"`));
      }
      if (inFlight.has(key(owner, id)))
        return refuse(new FarkeepError('call.invalid', 'The call identifier is in use'));
      if (inFlight.size >= maxCallsInFlight) {
        return refuse(new FarkeepError('connection.refused-limit', `More than ${maxCallsInFlight} calls at once`));
      }
      const controller = new AbortController();
      inFlight.set(key(owner, id), controller);
      try {
        const request = { domain, command, input };
        return await (target === 'console'
          ? dispatcher.call(request, { signal: controller.signal, caller: { kind: 'console', account } })
          : callService(target, request, controller.signal));
      } finally {
        inFlight.delete(key(owner, id));
      }
    },
    cancel(owner, rawId) {
      if (typeof rawId === 'string') inFlight.get(key(owner, rawId))?.abort();
    },
    cancelAll(owner) {
      for (const [name, controller] of inFlight) if (name.startsWith(`${owner} `)) controller.abort();
    },
  };
}

export function refuse(error: FarkeepError): CallResult {
  return { ok: false, error: error.toInfo() };
}
