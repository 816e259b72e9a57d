// One end of a stream of meaningless bytes, in its own process: `send PORT BYTES TICKET...` or `receive STREAMS`. A child process of the
// benchmark; reports over the process channel.
import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';
import { listenData } from '../../services/transport/data-listener.ts';
import { encodePreamble } from '../../services/wire/preamble.ts';

const chunk = Buffer.alloc(1024 * 1024, 0x5a);

/** The report to the parent; `seconds` from the first byte to the last. */
export type BytePeerReport =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'done'; readonly bytes: number; readonly seconds: number };

const report = (message: BytePeerReport): void => {
  process.send?.(message);
};

/** Writes a ticket and `sizeBytes` bytes, then waits until the other end has read all bytes. */
async function send(port: number, ticket: Buffer, sizeBytes: number): Promise<void> {
  const onread = { buffer: Buffer.alloc(1024), callback: () => true };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread } as unknown as NetConnectOpts);
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
  socket.write(encodePreamble({ kind: 'data', ticket }));
  for (let left = sizeBytes; left > 0; left -= chunk.length) {
    if (socket.write(chunk.subarray(0, Math.min(left, chunk.length)))) continue;
    await Promise.race([new Promise<void>((resolve) => socket.once('drain', resolve)), closed]);
  }
  socket.end();
  await closed;
}

/** Reads `streams` streams to their ends, as a data mover does, and discards the bytes. */
async function receive(streams: number): Promise<void> {
  let [bytes, ended, beganMs] = [0, 0, 0];
  const listener = await listenData({
    onConnection: ({ socket, firstBytes }) => {
      if (beganMs === 0) beganMs = performance.now();
      bytes += firstBytes.length;
      socket.start({
        onChunk: (part) => {
          bytes += part.length;
          return true;
        },
        onEnd: () => {
          socket.end();
          ended += 1;
          if (ended < streams) return;
          report({ type: 'done', bytes, seconds: (performance.now() - beganMs) / 1000 });
          void listener.close();
          process.disconnect?.();
        },
      });
    },
  });
  report({ type: 'listening', port: listener.port });
}

const [, , role, first = '', second = '', ...tickets] = process.argv;
if (role === 'receive') await receive(Number(first));
else {
  const sizeBytes = Math.floor(Number(second) / tickets.length);
  const beganMs = performance.now();
  await Promise.all(tickets.map((ticket) => send(Number(first), Buffer.from(ticket, 'hex'), sizeBytes)));
  report({ type: 'done', bytes: sizeBytes * tickets.length, seconds: (performance.now() - beganMs) / 1000 });
  process.disconnect?.();
}
