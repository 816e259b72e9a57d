// Owns a site for tests of broken connections and stopped processes: a stack whose first gateway is behind a proxy, a job with one big file
// of random bytes, and functions that interrupt its transfer. Must not be used by the product.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { SessionProgress } from '../../contracts/models/session.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { growingFigures } from '../../session/attempt-figures.ts';
import { Stack, type StackOptions } from './stack.ts';
import { TamperingProxy } from '../hostile/tampering-proxy.ts';

export const fileBytes = 12 * 1024 * 1024;

export interface ProxiedSite {
  readonly stack: Stack;
  readonly proxy: TamperingProxy;
  readonly source: string;
  readonly jobId: string;
  readonly folder: string;
}

/** @param undo gets the functions that end the site; call them in reverse order */
export async function startProxiedSite(
  undo: (() => Promise<unknown>)[],
  { sizeBytes = fileBytes, ...options }: Partial<StackOptions> & { readonly sizeBytes?: number } = {},
): Promise<ProxiedSite> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-site-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const source = path.join(folder, 'source');
  await mkdir(source);
  await writeFile(path.join(source, 'big.bin'), randomBytes(sizeBytes));
  let proxy: TamperingProxy | undefined;
  const stack = await Stack.start({
    folder,
    addressOf: async (index, real) => {
      if (index > 0) return real;
      proxy = await TamperingProxy.start(real);
      return { host: '127.0.0.1', port: proxy.port };
    },
    ...options,
  });
  undo.push(() => proxy?.close() ?? Promise.resolve());
  undo.push(() => stack.stop());
  if (proxy === undefined) throw new Error('There is no proxy');
  const provider = await stack.addProvider();
  const jobId = await stack.addJob(provider.id, source);
  return { stack, proxy, source, jobId, folder };
}

/** Runs `strike` once when a data connection has carried this many bytes; does not delay the bytes. */
export function strikeAfter(proxy: TamperingProxy, bytes: number, strike: () => void): void {
  let isDone = false;
  proxy.interfere = ({ kind, direction, offset }) => {
    if (isDone || kind !== 'data' || direction !== 'to-gateway' || offset < bytes) return undefined;
    isDone = true;
    strike();
    return undefined;
  };
}

/** Process ids of the data movers that this process has forked, by side. Synchronous, because the relayed bytes wait for the answer. */
export function moverPids(side: 'source' | 'target'): number[] {
  const pids: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8');
      const isOwn = new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(readFileSync(`/proc/${entry}/status`, 'utf8'));
      if (isOwn && command.includes('mover-entry') && command.split('\0').includes(side)) pids.push(Number(entry));
    } catch {
      // The process has ended meanwhile.
    }
  }
  return pids;
}

export async function expectWhole(
  { stack, source, folder }: ProxiedSite,
  pointId: string | null,
  state: 'succeeded' | 'warning' = 'succeeded',
): Promise<void> {
  const restored = path.join(folder, `restored-${pointId ?? ''}`);
  expect(await stack.restore(pointId ?? '', restored)).toMatchObject({ error: null, state });
  const [saved, original] = await Promise.all([
    readFile(path.join(restored, 'big.bin')),
    readFile(path.join(source, 'big.bin')),
  ]);
  expect(saved.equals(original)).toBe(true);
}

/** Each side has published figures of this session that only grow, and both sides have the same last figures. */
export function expectGrownFigures({ stack }: ProxiedSite, sessionId: string): void {
  const last = [stack.tenant, stack.provider].map(({ events }) => {
    const shown = events
      .of(sessionsDomain, 'progressed')
      .filter((told) => told.sessionId === sessionId)
      .map(({ progress }) => progress);
    for (const [index, progress] of shown.entries()) {
      const before = shown[index - 1];
      if (before === undefined) continue;
      for (const name of growingFigures) expect(progress[name], name).toBeGreaterThanOrEqual(before[name]);
      if (before.totalBytes !== null) expect(progress.totalBytes).not.toBeNull();
    }
    return shown.at(-1);
  });
  const figuresOf = (progress: SessionProgress | undefined): unknown =>
    growingFigures.map((name) => [name, progress?.[name]]);
  expect(figuresOf(last[1])).toEqual(figuresOf(last[0]));
}
