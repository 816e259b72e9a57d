// Owns one round of backups and restores of the same bytes: the raw path, Farkeep, restic, borg, one after the other.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { BorgRepository } from '../peers/borg.ts';
import { FarkeepRun } from './farkeep-run.ts';
import type { FarkeepResult } from './farkeep-run.ts';
import { ResticServer } from '../peers/restic.ts';
import { runRawPath } from '../peers/run-raw.ts';
import type { Figures } from '../figures/statistics.ts';
import type { TestData } from './test-data.ts';

const mb = 1e6;

export interface RoundOptions {
  /** Folder for all files; cleared after use. */
  readonly folder: string;
  readonly round: number;
  readonly figures: Figures;
  readonly withRaw: boolean;
  readonly withRestic: boolean;
  readonly withBorg: boolean;
}

export async function runRound(data: TestData, options: RoundOptions): Promise<void> {
  if (options.withRaw && data.file !== undefined) await runRaw(data.file, data, options);
  await runFarkeep(data, options);
  if (options.withRestic) await runRestic(data, options);
  if (options.withBorg) await runBorg(data, options);
}

/**
 * Deletes only random data. Before ext4 makes a new file, it checks every inode that was deleted in the last minutes. So creating thousands
 * of files after deleting thousands takes several times as long and would slow down the next measurement. Trees stay until the benchmark
 * ends.
 */
async function clear({ file }: TestData, ...places: string[]): Promise<void> {
  if (file === undefined) return;
  for (const place of places) await rm(place, { recursive: true });
}

const placeOf = ({ folder, round }: RoundOptions, part: string): string => path.join(folder, `${part}-${round}`);

async function runRaw(file: string, { name, bytes }: TestData, options: RoundOptions): Promise<void> {
  const { figures } = options;
  for (const direction of ['backup', 'restore']) {
    const { seconds, cpuS } = await runRawPath(file, placeOf(options, 'raw'));
    figures.note(`${name}: raw path ${direction} MB/s`, bytes / mb / seconds);
    figures.note(`${name}: raw path ${direction} CPU s/GB`, cpuS / (bytes / 1e9));
    await rm(placeOf(options, 'raw'));
  }
}

async function runFarkeep(data: TestData, options: RoundOptions): Promise<void> {
  const { figures } = options;
  const { name, source, bytes } = data;
  const restoredTo = placeOf(options, `farkeep-${name}-restored`);
  const noteResult = (what: string, result: FarkeepResult): void =>
    noteFarkeep(figures, `${name}: ${what}`, result, bytes);
  const farkeep = await FarkeepRun.start(placeOf(options, `farkeep-${name}`));
  try {
    const jobId = await farkeep.addJob(source);
    const first = await farkeep.backup(jobId);
    noteResult('farkeep backup', first);
    figures.note(`${name}: farkeep backup bytes on the wire per byte`, first.session.progress.transferredBytes / bytes);
    const again = await farkeep.backup(jobId);
    noteResult('farkeep unchanged', again);
    figures.note(`${name}: farkeep unchanged sent bytes`, again.session.progress.transferredBytes);
    const restored = await farkeep.restore(first.session.pointId ?? '', restoredTo);
    noteResult('farkeep restore', restored);
  } finally {
    await farkeep.stop();
  }
  await clear(data, placeOf(options, `farkeep-${name}`), restoredTo);
}

function noteFarkeep(figures: Figures, name: string, { seconds, movers }: FarkeepResult, bytes: number): void {
  figures.note(`${name} MB/s`, bytes / mb / seconds);
  figures.note(`${name} s`, seconds);
  figures.note(`${name} CPU s/GB`, movers.reduce((sum, { cpuS }) => sum + cpuS, 0) / (bytes / 1e9));
  for (const side of ['source', 'target']) {
    const peak = Math.max(0, ...movers.filter((mover) => mover.side === side).map(({ peakBytes }) => peakBytes));
    figures.note(`${name} peak ${side} MiB`, peak / 2 ** 20);
  }
}

async function runRestic(data: TestData, options: RoundOptions): Promise<void> {
  const { figures } = options;
  const { name, source, bytes } = data;
  const place = placeOf(options, `restic-${name}`);
  const restoredTo = `${place}-restored`;
  const restic = await ResticServer.start(place);
  try {
    figures.note(`${name}: restic backup MB/s`, bytes / mb / (await restic.backup(source)));
    figures.note(`${name}: restic unchanged s`, await restic.backup(source));
    figures.note(`${name}: restic restore MB/s`, bytes / mb / (await restic.restore(restoredTo)));
  } finally {
    await restic.stop();
  }
  await clear(data, place, restoredTo);
}

async function runBorg(data: TestData, options: RoundOptions): Promise<void> {
  const { figures } = options;
  const { name, source, bytes } = data;
  const place = placeOf(options, `borg-${name}`);
  const restoredTo = `${place}-restored`;
  const borg = await BorgRepository.create(place);
  figures.note(`${name}: borg backup MB/s`, bytes / mb / (await borg.backup(source, 'first')));
  figures.note(`${name}: borg unchanged s`, await borg.backup(source, 'second'));
  figures.note(`${name}: borg restore MB/s`, bytes / mb / (await borg.restore('first', restoredTo)));
  await clear(data, place, restoredTo);
}
