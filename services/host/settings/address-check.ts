// Owns the check of one address of a service: whether it can listen there, or whether something answers there. Changes nothing.
import { connect, createServer } from 'node:net';
import { reachOf } from '../../contracts/address-reach.ts';
import type { AddressCheck } from '../../contracts/models/network.ts';
import { signalWithin, whenAborted } from '../../kernel/deadline.ts';
import { systemErrorCode } from '../../kernel/system-error.ts';
import { findPortUser } from './port-user.ts';

export interface CheckedAddress {
  readonly use: 'listen' | 'dial';
  readonly host: string;
  readonly port: number;
  /** "host:port" of the listeners of the own service while it runs. */
  readonly ownListeners: readonly string[];
  readonly signal: AbortSignal;
}

const connectLimitMs = 5_000;

/** Never rejects. */
export async function checkAddress(address: CheckedAddress): Promise<AddressCheck> {
  const { host, use } = address;
  const found = use === 'listen' ? await tryToListen(address) : await tryToConnect(address);
  return { reach: reachOf(host), program: null, detail: '', ...found };
}

type Found = Pick<AddressCheck, 'outcome'> & Partial<AddressCheck>;

async function tryToListen({ host, port, ownListeners }: CheckedAddress): Promise<Found> {
  const error = await new Promise<Error | undefined>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (error === undefined) return { outcome: 'free' };
  const detail = error.message;
  switch (systemErrorCode(error)) {
    case 'EADDRINUSE':
      if (ownListeners.includes(`${host}:${port}`) || ownListeners.includes(`[${host}]:${port}`)) {
        return { outcome: 'own-service' };
      }
      return { outcome: 'in-use', program: (await findPortUser(port)) ?? null, detail };
    case 'EACCES':
    case 'EPERM':
      return { outcome: 'not-allowed', detail };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { outcome: 'unknown-name', detail };
    default:
      return { outcome: 'not-here', detail };
  }
}

async function tryToConnect({ host, port, signal }: CheckedAddress): Promise<Found> {
  using limit = signalWithin({ limitMs: connectLimitMs, signal });
  const error = await new Promise<Error | undefined>((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: Error | undefined): void => {
      stopWatching();
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish(undefined)).once('error', finish);
    const stopWatching = whenAborted(limit.signal, () => finish(new Error('No answer in time')));
  });
  if (error === undefined) return { outcome: 'answers' };
  const code = systemErrorCode(error);
  const detail = error.message;
  return { outcome: code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'unknown-name' : 'no-answer', detail };
}
