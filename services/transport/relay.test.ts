// Tests the relay and the data sockets below it, with real connections on loopback.
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import type { FarkeepError } from '../kernel/farkeep-error.ts';
import { listen } from './data-listener.ts';
import { DataSocket } from './data-socket.ts';
import { relay, type RelayResult } from './relay.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function startServer(
  onSocket: (socket: Socket) => void,
  pauseOnConnect = false,
): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  cleanUps.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { server, port: (server.address() as AddressInfo | null)?.port ?? port };
}

/** Connects a client through a relay to a server. */
async function startRelay(): Promise<{
  client: Socket;
  farEnd: Promise<Socket>;
  result: Promise<RelayResult>;
  sockets: Promise<[DataSocket, DataSocket]>;
}> {
  const farEnd = Promise.withResolvers<Socket>();
  const target = await startServer((socket) => farEnd.resolve(socket));
  const result = Promise.withResolvers<RelayResult>();
  const sockets = Promise.withResolvers<[DataSocket, DataSocket]>();
  const middle = await startServer((accepted) => {
    const fromClient = DataSocket.adopt(accepted);
    void DataSocket.open({ host: '127.0.0.1', port: target.port }).then((toServer) => {
      cleanUps.push(
        () => fromClient.destroy(),
        () => toServer.destroy(),
      );
      sockets.resolve([fromClient, toServer]);
      result.resolve(relay(fromClient, toServer));
    });
  }, true);
  const client = connect({ host: '127.0.0.1', port: middle.port, allowHalfOpen: true });
  client.on('error', () => undefined);
  cleanUps.push(() => client.destroy());
  return { client, farEnd: farEnd.promise, result: result.promise, sockets: sockets.promise };
}

/** Reads to the end. `for await` is not used, because it would destroy the socket with its other direction. */
function digestOf(socket: Socket): Promise<{ sizeBytes: number; sha256: string }> {
  return new Promise((resolve) => {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    socket.on('data', (chunk) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    socket.once('end', () => resolve({ sizeBytes, sha256: hash.digest('hex') }));
  });
}

describe('relay', () => {
  it('relays 64 MiB in both directions at once without changing a byte', async () => {
    const { client, farEnd, result } = await startRelay();
    const block = randomBytes(1 << 20);
    const expected = createHash('sha256');
    for (let count = 0; count < 64; count += 1) expected.update(block);
    const digest = expected.digest('hex');
    const send = async (socket: Socket): Promise<void> => {
      for (let count = 0; count < 64; count += 1) {
        if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
      }
      socket.end();
    };
    const server = await farEnd;
    const [, , atServer, atClient] = await Promise.all([
      send(client),
      send(server),
      digestOf(server),
      digestOf(client),
    ]);
    expect(atServer).toEqual({ sizeBytes: 64 << 20, sha256: digest });
    expect(atClient).toEqual({ sizeBytes: 64 << 20, sha256: digest });
    expect((await result).error).toBeUndefined();
  });

  it('keeps a half-closed connection half open', async () => {
    const { client, farEnd, result } = await startRelay();
    client.end('question');
    const server = await farEnd;
    expect((await digestOf(server)).sizeBytes).toBe(8);
    // The direction from server to client still works, long after the other direction has ended.
    server.write('part one, ');
    await new Promise((resolve) => setImmediate(resolve));
    server.end('part two');
    let answer = '';
    client.on('data', (chunk) => (answer += chunk.toString()));
    await new Promise((resolve) => client.once('end', resolve));
    expect(answer).toBe('part one, part two');
    expect((await result).error).toBeUndefined();
  });

  it('stops reading when the reader is slow, with bounded memory, and continues when it reads again', async () => {
    const { client, farEnd, sockets } = await startRelay();
    const server = await farEnd;
    server.pause();
    const [fromClient] = await sockets;
    const block = Buffer.alloc(1 << 20, 7);
    // Far more than all kernel buffers between the two ends hold, so the sender must be stopped long before the end.
    const totalBytes = 256 << 20;
    const sending = (async () => {
      for (let sent = 0; sent < totalBytes; sent += block.length) {
        if (!client.write(block)) await new Promise((resolve) => client.once('drain', resolve));
      }
      client.end();
    })();
    let before = -1;
    let quietTurns = 0;
    // Reading has stopped when the count does not change over many turns of the event loop.
    while (quietTurns < 200) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      quietTurns = fromClient.bytesRead === before ? quietTurns + 1 : 0;
      before = fromClient.bytesRead;
    }
    expect(before).toBeLessThan(64 << 20);
    const memoryBytes = process.memoryUsage().external;
    expect(memoryBytes).toBeLessThan(64 << 20);
    const received = digestOf(server);
    server.resume();
    await sending;
    expect((await received).sizeBytes).toBe(totalBytes);
  });

  it('passes on a reset as a reset', async () => {
    const { client, farEnd, result } = await startRelay();
    const server = await farEnd;
    client.write('half a record');
    await new Promise((resolve) => server.once('data', resolve));
    const closed = new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      let seen: NodeJS.ErrnoException | undefined;
      server.once('error', (error) => (seen = error));
      server.once('close', () => resolve(seen));
    });
    client.resetAndDestroy();
    expect((await closed)?.code).toBe('ECONNRESET');
    expect((await result).error?.code).toBe('connection.lost');
  });
});

describe('DataSocket', () => {
  it('reports that everything was written, also when its direction was ended meanwhile', async () => {
    const arrived = Promise.withResolvers<Socket>();
    const { port } = await startServer((socket) => arrived.resolve(socket.pause()));
    const socket = await DataSocket.open({ host: '127.0.0.1', port });
    cleanUps.push(() => socket.destroy());
    const written = socket.write(Buffer.alloc(32 << 20));
    expect(written).not.toBe(true);
    socket.end();
    const server = await arrived.promise;
    const received = digestOf(server);
    server.resume();
    await written;
    expect((await received).sizeBytes).toBe(32 << 20);
  });

  it('loses no data and does not hang with pieces of any size, readers that pause, and many connections at once', async () => {
    const target = await startServer((accepted) => {
      // Sends back everything that it receives, with pauses.
      const socket = DataSocket.adopt(accepted);
      let count = 0;
      socket.start({
        onChunk: (chunk) => {
          count += 1;
          const copy = Buffer.from(chunk);
          const write = (): void => {
            const written = socket.write(copy);
            if (written === true) socket.resume();
            else
              written.then(
                () => socket.resume(),
                () => undefined,
              );
          };
          if (count % 3 === 0) setImmediate(write);
          else queueMicrotask(write);
          return false;
        },
        onEnd: () => socket.end(),
      });
    }, true);
    const middle = await startServer((accepted) => {
      const fromClient = DataSocket.adopt(accepted);
      void DataSocket.open({ host: '127.0.0.1', port: target.port }).then((toServer) => relay(fromClient, toServer));
    }, true);
    await Promise.all(
      Array.from({ length: 12 }, async (_, connection) => {
        const socket = await DataSocket.open({ host: '127.0.0.1', port: middle.port });
        cleanUps.push(() => socket.destroy());
        const sent = createHash('sha256');
        const received = createHash('sha256');
        const ended = new Promise<void>((resolve, reject) => {
          socket.start({
            onChunk: (chunk) => {
              received.update(chunk);
              return true;
            },
            onEnd: resolve,
            onClose: (error) => {
              if (error !== undefined) reject(error);
            },
          });
        });
        for (let round = 0; round < 60; round += 1) {
          const pieces = Array.from({ length: 1 + (round % 4) }, (__, piece) =>
            randomBytes(((round * 7919 + piece * 104_729 + connection * 31) % 90_000) + 1),
          );
          for (const piece of pieces) sent.update(piece);
          const written = socket.write(pieces);
          if (written !== true) await written;
        }
        socket.end();
        await ended;
        expect(received.digest('hex')).toBe(sent.digest('hex'));
      }),
    );
  });

  it('reports an unreachable address by name', async () => {
    const { server, port } = await startServer(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    await expect(DataSocket.open({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'gateway.unreachable',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('connects by name when only one family of its addresses answers', async () => {
    const { port } = await startServer((socket) => socket.end('found'));
    const socket = await DataSocket.open({ host: 'localhost', port });
    const received = await new Promise<string>((resolve) => {
      let text = '';
      socket.start({
        onChunk: (chunk) => {
          text += chunk.toString();
          return true;
        },
        onEnd: () => {
          socket.end();
          resolve(text);
        },
      });
    });
    expect(received).toBe('found');
  });

  it('closes only the connection whose handler throws', async () => {
    const { port } = await startServer((socket) => socket.write('boom'));
    const socket = await DataSocket.open({ host: '127.0.0.1', port });
    const error = await new Promise<FarkeepError | undefined>((resolve) => {
      socket.start({
        onChunk: () => {
          throw new TypeError('not what I expected');
        },
        onClose: resolve,
      });
    });
    expect(error?.code).toBe('call.internal');
    expect(error?.message).toContain('not what I expected');
  });

  it('keeps the content of a chunk while reading is stopped', async () => {
    const { port } = await startServer((socket) => {
      socket.write(Buffer.alloc(300_000, 1));
      socket.end(Buffer.alloc(300_000, 2));
    });
    const socket = await DataSocket.open({ host: '127.0.0.1', port });
    let ones = 0;
    let twos = 0;
    await new Promise<void>((resolve) => {
      socket.start({
        onChunk: (chunk) => {
          setImmediate(() => {
            for (const byte of chunk) {
              if (byte === 1) ones += 1;
              else if (byte === 2) twos += 1;
            }
            socket.resume();
          });
          return false;
        },
        onEnd: () => socket.end(),
        onClose: () => resolve(),
      });
    });
    expect([ones, twos]).toEqual([300_000, 300_000]);
  });
});
