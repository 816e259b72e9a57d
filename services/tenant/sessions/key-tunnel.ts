// Owns the tunnel connection of one attempt on the tenant's side: delivers Key B encrypted with Key A and waits for the proof.
// Must not keep a key: both keys belong to the caller, who zeroes them.
import { Deadline } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Secret } from '../../kernel/secret.ts';
import { connectData, whyNoTicket, type DataSocket } from '../../transport/data-socket.ts';
import { TunnelClient } from '../../wire/tunnel.ts';
import type { GatewayAddress } from '../providers/provider-link.ts';

export interface KeyTunnelOptions {
  readonly gateway: GatewayAddress;
  /** 32 bytes, single use. */
  readonly ticket: Buffer;
  readonly keyA: Secret;
  readonly keyB: Secret;
  readonly sessionId: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly onOpened: () => void;
}

/**
 * Resolves when the target has proven that it holds Key B.
 * @throws ticket.invalid (closed before a byte came), security.tampered, security.key-proof, connection.lost, call.timeout, call.canceled
 */
export async function deliverKeyB(options: KeyTunnelOptions): Promise<void> {
  const { gateway, ticket, keyA, keyB, sessionId, attempt, signal, timeoutMs } = options;
  const socket = await connectData({
    host: gateway.host,
    port: gateway.port,
    kind: 'tunnel',
    ticket,
    signal,
    timeoutMs,
  });
  const tunnel = new TunnelClient({ keyA, keyB, sessionId, attempt });
  try {
    await exchange(socket, tunnel, options);
  } finally {
    tunnel.dispose();
  }
}

function exchange(socket: DataSocket, tunnel: TunnelClient, options: KeyTunnelOptions): Promise<void> {
  const { signal, timeoutMs, gateway, onOpened } = options;
  return new Promise((resolve, reject) => {
    let isProven = false;
    let hasAnswer = false;
    let failure: FarkeepError | undefined;
    const fail = (error: FarkeepError): void => {
      if (isProven) return;
      failure ??= error;
      socket.destroy();
    };
    const deadline = new Deadline({ limitMs: timeoutMs, signal }, (reason) =>
      fail(
        reason === 'aborted'
          ? new FarkeepError('call.canceled')
          : new FarkeepError('call.timeout', `The target did not prove Key B within ${timeoutMs} ms`),
      ),
    );
    socket.start({
      onChunk: (chunk) => {
        if (!hasAnswer) onOpened();
        hasAnswer = true;
        try {
          const { send, done } = tunnel.push(chunk);
          if (send !== undefined) void Promise.resolve(socket.write(send)).catch(() => undefined);
          if (done !== undefined) {
            isProven = true;
            socket.end();
          }
        } catch (error) {
          fail(toFarkeepError(error, 'protocol.malformed'));
          return false;
        }
        return true;
      },
      onEnd: () => {
        if (!isProven) fail(lost(hasAnswer, gateway, undefined));
        else socket.end();
      },
      onClose: (error) => {
        deadline.stop();
        if (isProven) resolve();
        else reject(failure ?? lost(hasAnswer, gateway, error));
      },
    });
    // A failed write is reported as a closed connection.
    void Promise.resolve(socket.write(tunnel.start())).catch(() => undefined);
  });
}

function lost(hasAnswer: boolean, { name }: GatewayAddress, cause: FarkeepError | undefined): FarkeepError {
  return hasAnswer
    ? new FarkeepError('connection.lost', `The tunnel through ${name} broke before Key B was proven`, { cause })
    : new FarkeepError(
        'ticket.invalid',
        cause === undefined
          ? `${name} refused the ticket of the tunnel: ${whyNoTicket}`
          : `${name} closed the tunnel before the other side answered: ${cause.message}`,
        { cause },
      );
}
