// Owns one run of the raw path: three processes, from file to file. The time is from the request for the first byte until the last byte is
// on disk.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RawReport } from './raw-path.ts';

const entry = fileURLToPath(new URL('./raw-path.ts', import.meta.url));

export interface RawResult {
  readonly seconds: number;
  readonly cpuS: number;
  readonly peakMemoryBytes: number;
}

export async function runRawPath(from: string, to: string): Promise<RawResult> {
  const receiver = start(['receive', to]);
  const relay = start(['relay', String((await receiver.listening).port)]);
  const relayPort = (await relay.listening).port;
  const beganMs = performance.now();
  const sender = start(['send', from, String(relayPort)]);
  const reports = await Promise.all([sender.done, relay.done, receiver.done]);
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    seconds,
    cpuS: reports.reduce((sum, { cpuS }) => sum + cpuS, 0),
    peakMemoryBytes: Math.max(...reports.map(({ peakMemoryBytes }) => peakMemoryBytes)),
  };
}

function start(roleAndArguments: string[]): { listening: Promise<RawReport>; done: Promise<RawReport> } {
  const child = fork(entry, roleAndArguments, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const listening = Promise.withResolvers<RawReport>();
  const done = Promise.withResolvers<RawReport>();
  listening.promise.catch(() => undefined); // the sender does not listen; `done` is rejected too
  child.on('message', (message) => {
    const report = message as RawReport;
    (report.type === 'listening' ? listening : done).resolve(report);
  });
  child.on('exit', (exitCode, signal) => {
    const error = new Error(`Raw path: ${roleAndArguments[0] ?? ''} ended with ${signal ?? exitCode ?? 'nothing'}`);
    listening.reject(error);
    done.reject(error);
  });
  return { listening: listening.promise, done: done.promise };
}
