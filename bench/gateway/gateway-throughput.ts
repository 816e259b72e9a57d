// Owns measuring how fast a gateway relays bytes and its CPU time: sender, gateway and receiver are three processes, without other parts.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { BytePeerReport } from '../peers/byte-peer.ts';
import type { GatewayUnderTest } from './gateway-under-test.ts';
import { cpuSecondsOf } from '../figures/process-usage.ts';

const entry = fileURLToPath(new URL('../peers/byte-peer.ts', import.meta.url));

export interface PassedBytes {
  /** At the receiver, from the first byte to the last. */
  readonly bytesPerSecond: number;
  /** CPU time of the gateway process. */
  readonly cpuSecondsPerGb: number;
}

export async function passBytes(gateway: GatewayUnderTest, streams: number, sizeBytes: number): Promise<PassedBytes> {
  const receiver = startPeer(['receive', String(streams)]);
  const tickets = await gateway.makeRoutes(streams, (await receiver.listening).port);
  const cpuBefore = cpuSecondsOf(gateway.pid);
  const bytesPerSecond = await transfer(gateway.port, tickets, sizeBytes, receiver);
  return { bytesPerSecond, cpuSecondsPerGb: (cpuSecondsOf(gateway.pid) - cpuBefore) / (sizeBytes / 1e9) };
}

/** Passes bytes between the same sender and receiver without a gateway: the limit of the machine. @returns bytes a second */
export async function passBytesDirectly(streams: number, sizeBytes: number): Promise<number> {
  const receiver = startPeer(['receive', String(streams)]);
  const tickets = Array.from({ length: streams }, () => randomBytes(32));
  return transfer((await receiver.listening).port, tickets, sizeBytes, receiver);
}

async function transfer(
  port: number,
  tickets: readonly Buffer[],
  sizeBytes: number,
  receiver: BytePeer,
): Promise<number> {
  const texts = tickets.map((ticket) => ticket.toString('hex'));
  const sender = startPeer(['send', String(port), String(sizeBytes), ...texts]);
  const [{ bytes, seconds }, sent] = await Promise.all([receiver.done, sender.done]);
  if (bytes !== sent.bytes) throw new Error(`${bytes} of ${sent.bytes} bytes arrived`);
  return bytes / seconds;
}

interface BytePeer {
  readonly listening: Promise<{ port: number }>;
  readonly done: Promise<{ bytes: number; seconds: number }>;
}

function startPeer(args: string[]): BytePeer {
  const child = fork(entry, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const listening = Promise.withResolvers<{ port: number }>();
  const done = Promise.withResolvers<{ bytes: number; seconds: number }>();
  listening.promise.catch(() => undefined); // a sender does not listen; `done` is rejected too
  child.on('message', (message) => {
    const report = message as BytePeerReport;
    if (report.type === 'listening') listening.resolve(report);
    else done.resolve(report);
  });
  child.once('exit', (code) => {
    const error = new Error(`The ${args[0] ?? ''} process ended with ${String(code)}`);
    listening.reject(error);
    done.reject(error);
  });
  return { listening: listening.promise, done: done.promise };
}
