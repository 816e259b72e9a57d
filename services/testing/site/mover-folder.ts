// Owns a temporary folder with a source, and backups and restores of it between two real data movers. For tests only.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import type { MoverEvent, RestoreOperation, SourceEvent } from '../../mover/link/local-link.ts';
import { startMoverHere } from './mover-here.ts';
import { runMoverSession, type MoverSessionOptions, type MoverSessionResult } from './mover-session.ts';

export class MoverFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), 'farkeep-mover-'));
  readonly source = path.join(this.path, 'source');
  /** The provider's folder of the tenant. */
  readonly tenant = path.join(this.path, 'tenant');
  /** Where `restore` writes to. */
  readonly out = path.join(this.path, 'out');

  constructor() {
    mkdirSync(this.source);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  inSource(name: string): string {
    return path.join(this.source, name);
  }

  backup(
    pointId: string,
    more: Partial<MoverSessionOptions> = {},
    excludes: readonly string[] = [],
  ): Promise<MoverSessionResult> {
    return runMoverSession({
      tenantFolder: this.tenant,
      startMover: startMoverHere,
      operation: {
        kind: 'backup',
        sourcePaths: [this.source],
        excludes,
        jobId: '0b'.repeat(16),
        jobName: 'Job',
        pointId,
        fileCachePath: path.join(this.path, 'cache.sqlite'),
      },
      ...more,
    });
  }

  restore(pointId: string, more: Partial<RestoreOperation> = {}): Promise<MoverSessionResult> {
    return runMoverSession({
      tenantFolder: this.tenant,
      startMover: startMoverHere,
      operation: { kind: 'restore', pointId, paths: [], destination: this.out, overwrite: 'always', ...more },
    });
  }
}

export const newPointId = (): string => randomBytes(16).toString('hex');

/** How a session ended that has succeeded on both sides. */
export function finished(result: MoverSessionResult): SourceEvent & { type: 'finished' } {
  expect(result.source).toEqual({ kind: 'finished' });
  expect(result.target).toEqual({ kind: 'finished' });
  const event = result.sourceEvents.find((item) => item.type === 'finished');
  if (event?.type !== 'finished' || !('warningCount' in event))
    throw new Error('The source did not say that it finished');
  return event;
}

export function warnings(events: readonly MoverEvent[]): { code: string; path: string }[] {
  return events.flatMap((event) =>
    event.type === 'warning' ? [{ code: event.warning.code, path: event.warning.path }] : [],
  );
}

/** Makes files old enough for the cache to trust their times. */
export function settle(...files: readonly string[]): void {
  const past = new Date(Date.now() - 10_000);
  for (const file of files) utimesSync(file, past, past);
}

export function canMakeDevices(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'farkeep-device-'));
  try {
    execFileSync('mknod', [path.join(folder, 'null'), 'c', '1', '3'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
