// The comparison value: the same bytes from file to file through three processes, with one relay and AES-256-GCM in 1 MiB frames, and
// nothing else. A child process of the benchmark with its role as first argument; reports over the process channel.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { closeSync, fdatasyncSync, fstatSync, openSync, read, writeSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import type { AddressInfo, NetConnectOpts, SocketConstructorOpts } from 'node:net';
import { promisify } from 'node:util';

const frameBytes = 1024 * 1024;
const tagBytes = 16;
const readBufferBytes = 256 * 1024;
const readAsync = promisify(read);
const key = Buffer.alloc(32, 7);

/** The report to the parent; CPU time in seconds, of this process alone. */
export interface RawReport {
  readonly type: 'listening' | 'done';
  readonly port: number;
  readonly cpuS: number;
  readonly peakMemoryBytes: number;
}

function report(type: RawReport['type'], port = 0): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const message: RawReport = { type, port, cpuS: (userCPUTime + systemCPUTime) / 1e6, peakMemoryBytes: maxRSS * 1024 };
  process.send?.(message);
}

function nonceOf(sequence: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(sequence, 8);
  return nonce;
}

/** Connects and reads into one reused buffer (net's `onread`). `take` may use a chunk only until `take` returns. */
function connectWith(port: number, take: (chunk: Buffer) => boolean): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  const options = {
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer, callback: (count: number) => take(buffer.subarray(0, count)) },
  };
  return connect(options as unknown as NetConnectOpts);
}

function adopt(accepted: Socket, take: (chunk: Buffer) => boolean): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  const internals = accepted as unknown as { _handle: object | null };
  const handle = internals._handle;
  internals._handle = null;
  accepted.destroy();
  const onread = { buffer, callback: (count: number) => take(buffer.subarray(0, count)) };
  const socket = new Socket({ handle, onread, pauseOnCreate: true } as unknown as SocketConstructorOpts);
  socket.setNoDelay(true);
  return socket;
}

async function send(file: string, port: number): Promise<void> {
  const socket = connectWith(port, () => true);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const descriptor = openSync(file, 'r');
  const { size } = fstatSync(descriptor);
  const buffers = [Buffer.allocUnsafeSlow(frameBytes), Buffer.allocUnsafeSlow(frameBytes)] as const;
  let sequence = 0;
  let reading = readAsync(descriptor, buffers[0], 0, frameBytes, 0);
  for (let position = 0; position < size; sequence += 1) {
    const { bytesRead } = await reading;
    const current = sequence % 2 === 0 ? buffers[0] : buffers[1];
    position += bytesRead;
    if (position < size)
      reading = readAsync(descriptor, sequence % 2 === 0 ? buffers[1] : buffers[0], 0, frameBytes, position);
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(sequence), { authTagLength: tagBytes });
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bytesRead);
    const body = cipher.update(current.subarray(0, bytesRead));
    cipher.final();
    socket.cork();
    socket.write(head);
    socket.write(body);
    const isTaken = socket.write(cipher.getAuthTag());
    socket.uncork();
    if (!isTaken) await new Promise<void>((resolve) => socket.once('drain', resolve));
  }
  closeSync(descriptor);
  socket.end();
  await new Promise<void>((resolve) => socket.once('close', resolve));
  report('done');
}

function relay(targetPort: number): void {
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const upstream: Socket = connectWith(targetPort, (chunk) => {
      client.write(Buffer.from(chunk));
      return true;
    });
    const client: Socket = adopt(accepted, (chunk) => {
      // 'drain' comes only after a write that returned false. A small rest is waited for too, because the buffer is used again.
      let isWaiting = false;
      upstream.write(chunk, () => {
        if (isWaiting) client.resume();
      });
      isWaiting = upstream.writableLength > 0;
      return !isWaiting;
    });
    upstream.once('connect', () => client.resume());
    client.once('end', () => upstream.end());
    upstream.once('close', () => {
      report('done');
      process.disconnect?.();
      server.close();
    });
  });
  server.listen(0, '127.0.0.1', () => report('listening', (server.address() as AddressInfo).port));
}

function receive(file: string): void {
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const descriptor = openSync(file, 'w');
    const frame = Buffer.allocUnsafeSlow(4 + frameBytes + tagBytes);
    let filled = 0;
    let sequence = 0;
    const take = (chunk: Buffer): boolean => {
      let offset = 0;
      while (offset < chunk.length) {
        const wanted = filled < 4 ? 4 : 4 + frame.readUInt32BE(0) + tagBytes;
        const count = chunk.copy(frame, filled, offset, Math.min(chunk.length, offset + wanted - filled));
        filled += count;
        offset += count;
        if (filled <= 4 || filled < wanted) continue;
        const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(sequence), { authTagLength: tagBytes });
        decipher.setAuthTag(frame.subarray(wanted - tagBytes, wanted));
        const body = decipher.update(frame.subarray(4, wanted - tagBytes));
        decipher.final();
        writeSync(descriptor, body);
        sequence += 1;
        filled = 0;
      }
      return true;
    };
    const socket = adopt(accepted, take);
    socket.once('end', () => {
      fdatasyncSync(descriptor);
      closeSync(descriptor);
      socket.end();
      report('done');
      process.disconnect?.();
      server.close();
    });
    socket.resume();
  });
  server.listen(0, '127.0.0.1', () => report('listening', (server.address() as AddressInfo).port));
}

const [, , role, first = '', second = ''] = process.argv;
if (role === 'send') {
  await send(first, Number(second));
  process.disconnect?.();
} else if (role === 'relay') relay(Number(first));
else if (role === 'receive') receive(first);
