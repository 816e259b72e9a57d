// Tests the movers' listener: preambles in pieces of any size, and clients that send none.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { encodePreamble } from '../wire/preamble.ts';
import { listenData, type AcceptedData, type DataListener, type DataListenerOptions } from './data-listener.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(
  options: Partial<DataListenerOptions> = {},
): Promise<{ listener: DataListener; next: Promise<AcceptedData> }> {
  const first = Promise.withResolvers<AcceptedData>();
  const listener = await listenData({
    onConnection: (accepted) => {
      cleanUps.push(() => accepted.socket.destroy());
      first.resolve(accepted);
    },
    ...options,
  });
  cleanUps.push(() => listener.close());
  return { listener, next: first.promise };
}

function client(port: number): { socket: Socket; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.resume();
  cleanUps.push(() => socket.destroy());
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

const ticket = randomBytes(32);

describe('data listener', () => {
  it('passes kind, ticket and the bytes directly after the preamble to its owner', async () => {
    const { listener, next } = await start();
    const { socket } = client(listener.port);
    const following = randomBytes(100_000);
    socket.write(Buffer.concat([encodePreamble({ kind: 'tunnel', ticket }), following]));
    const accepted = await next;
    expect(accepted.kind).toBe('tunnel');
    expect(accepted.ticket.equals(ticket)).toBe(true);
    const parts: Buffer[] = [];
    await new Promise<void>((resolve) => {
      accepted.socket.start(
        {
          onChunk: (chunk) => {
            parts.push(Buffer.from(chunk));
            if (Buffer.concat(parts).length >= following.length) resolve();
            return true;
          },
        },
        accepted.firstBytes,
      );
    });
    expect(Buffer.concat(parts).equals(following)).toBe(true);
  });

  it('accepts a preamble that arrives byte by byte', async () => {
    const { listener, next } = await start();
    const { socket } = client(listener.port);
    for (const byte of encodePreamble({ kind: 'data', ticket })) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const accepted = await next;
    expect(accepted).toMatchObject({ kind: 'data' });
    expect(accepted.firstBytes).toHaveLength(0);
  });

  it.each([
    ['TLS', Buffer.from([0x16, 0x03, 0x01])],
    ['garbage', randomBytes(100).fill(0xee, 0, 1)],
    ['a cut preamble', encodePreamble({ kind: 'data', ticket }).subarray(0, 39)],
  ])('drops %s', async (_name, bytes) => {
    const handedOver: AcceptedData[] = [];
    const { listener } = await start({ preambleTimeoutMs: 500, onConnection: (accepted) => handedOver.push(accepted) });
    const { socket, closed } = client(listener.port);
    socket.end(bytes);
    await closed;
    expect(handedOver).toHaveLength(0);
  });

  it('drops a silent client after its time limit and bounds the number of waiting clients', async () => {
    const { listener } = await start({ preambleTimeoutMs: 1_000, maxPending: 2 });
    const silent = [client(listener.port), client(listener.port)];
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    // The connection that has been silent longest is closed, well before its time limit.
    const newcomer = client(listener.port);
    const first = await Promise.race([
      silent[0]?.closed.then(() => 'oldest'),
      silent[1]?.closed.then(() => 'second'),
      newcomer.closed.then(() => 'newcomer'),
    ]);
    expect(first).toBe('oldest');
    await Promise.all([...silent, newcomer].map(({ closed }) => closed));
  });

  it('continues when its owner fails', async () => {
    let count = 0;
    const second = Promise.withResolvers<AcceptedData>();
    const { listener } = await start({
      onConnection: (accepted) => {
        count += 1;
        if (count === 1) throw new TypeError('a mistake of ours');
        second.resolve(accepted);
      },
    });
    const first = client(listener.port);
    first.socket.write(encodePreamble({ kind: 'data', ticket }));
    await first.closed;
    const other = client(listener.port);
    other.socket.write(encodePreamble({ kind: 'data', ticket }));
    (await second.promise).socket.destroy();
  });
});
