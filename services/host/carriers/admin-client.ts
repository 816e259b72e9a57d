// Owns the client side of the local socket: calls with cancel, events, one connection. Used by the command line, tests and consoles
// that attach to a running service. Must not start services.
import { connect, type Socket } from 'node:net';
import { messageFromServiceSchema, type CallResult, type EventMessage } from '../../contracts/carrier.ts';
import { createDomainClient } from '../../contracts/client.ts';
import type { DomainClient, DomainContract, ServiceRole } from '../../contracts/contract.ts';
import { describeLeftOut } from '../../contracts/row-list.ts';
import { isDenied } from '../../kernel/system-error.ts';
import { systemClock } from '../../kernel/clock.ts';
import { whenAborted } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { findFolderOwner } from '../../kernel/state/folder-owner.ts';
import { roleFolder } from '../../kernel/state/home-folder.ts';
import { findAdminAddress } from './admin-address.ts';
import { createLineReader, encodeLine } from './json-lines.ts';

export interface AdminClient {
  readonly role: ServiceRole;
  /** Methods reject with CallError (the service's error) or with FarkeepError connection.lost. */
  domain<Domain extends DomainContract>(contract: Domain): DomainClient<Domain>;
  call(
    domain: string,
    command: string,
    input: unknown,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CallResult>;
  /** Receives events from now on, in order. @returns a function that ends the subscription */
  subscribe(listener: (event: EventMessage) => void): () => void;
  /** Asks the service to end in order. The service then ends the connection. */
  requestStop(deadlineMs: number): void;
  /** Resolves when either side has ended the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

const connectTimeoutMs = 5_000;

/**
 * @param home the instance's root folder, not the role's folder
 * @throws FarkeepError service.not-running, with the command that starts the service; call.refused for a service of another account
 */
export async function connectAdmin({
  home,
  role,
  onLeftOut = () => undefined,
}: {
  home: string;
  role: ServiceRole;
  /** Called with a sentence about list rows that the service could not show. */
  onLeftOut?: (sentence: string) => void;
}): Promise<AdminClient> {
  const socket = await openSocket(home, role).catch(async (cause: unknown) => {
    throw await connectError(cause, home, role);
  });
  const pending = new Map<string, (result: CallResult) => void>();
  const listeners = new Set<(event: EventMessage) => void>();
  let nextId = 1;
  let isSubscribed = false;
  let isClosed = false;

  const reader = createLineReader((document) => {
    const parsed = messageFromServiceSchema.safeParse(document);
    if (!parsed.success) return;
    if (parsed.data.kind === 'result') pending.get(parsed.data.id)?.(parsed.data.result);
    else if (parsed.data.kind === 'event') for (const listener of [...listeners]) listener(parsed.data);
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      const error = lostConnection(role);
      for (const settle of pending.values()) settle({ ok: false, error: error.toInfo() });
      resolve();
    });
  });
  socket.on('data', (chunk: Buffer) => {
    if (reader.push(chunk) !== undefined) socket.destroy();
  });
  // The 'close' event that follows rejects all pending calls.
  socket.on('error', () => socket.destroy());

  const write = (message: unknown): void => {
    if (!isClosed) socket.write(encodeLine(message));
  };

  const client: AdminClient = {
    role,
    domain: (contract) => createDomainClient(contract, (...call) => client.call(...call)),
    call(domain, command, input, { signal } = {}) {
      if (isClosed) return Promise.resolve({ ok: false, error: lostConnection(role).toInfo() });
      if (signal?.aborted === true) {
        return Promise.resolve({ ok: false, error: new FarkeepError('call.canceled').toInfo() });
      }
      const id = String(nextId);
      nextId += 1;
      return new Promise((resolve) => {
        pending.set(id, (result) => {
          pending.delete(id);
          stopListening();
          if (result.ok)
            for (const { list, ...rows } of result.leftOutRows ?? []) onLeftOut(describeLeftOut(list, rows));
          resolve(result);
        });
        write({ kind: 'call', id, domain, command, input });
        const stopListening = whenAborted(signal, () => write({ kind: 'cancel', id }));
      });
    },
    subscribe(listener) {
      listeners.add(listener);
      if (!isSubscribed) write({ kind: 'subscribe' });
      isSubscribed = true;
      return () => {
        listeners.delete(listener);
      };
    },
    requestStop: (deadlineMs) => write({ kind: 'stop', deadlineMs }),
    closed,
    close: () => {
      socket.end();
      // An open socket would keep the process running. After the last answer, no important data is unsent.
      socket.destroySoon();
    },
  };
  return client;
}

function lostConnection(role: ServiceRole): FarkeepError {
  return new FarkeepError('connection.lost', `The ${role} service ended the connection`, {
    hint: `Check whether the service still runs: farkeep status`,
  });
}

async function openSocket(home: string, role: ServiceRole): Promise<Socket> {
  const address = await findAdminAddress(roleFolder(home, role));
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const timer = systemClock.startTimer(connectTimeoutMs, () => fail(new Error('no answer')));
    const fail = (cause: Error): void => {
      timer.stop();
      socket.destroy();
      reject(cause);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      timer.stop();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

async function connectError(cause: unknown, home: string, role: ServiceRole): Promise<FarkeepError> {
  if (isDenied(cause)) {
    const owner = await findFolderOwner(roleFolder(home, role));
    const ofOwner = owner === undefined ? '' : `, which belongs to ${owner}`;
    return new FarkeepError('call.refused', `This account may not use the ${role} service in ${home}${ofOwner}`, {
      hint: `Use the account ${owner ?? 'that runs the service'} or root, or forward its local socket by SSH (docs/cli.md, Services of another computer).`,
      cause,
    });
  }
  return new FarkeepError('service.not-running', `The ${role} service is not running in ${home}`, {
    hint: `Start it: farkeep serve ${role} --home ${quoteForShell(home)}`,
    cause,
  });
}

export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
