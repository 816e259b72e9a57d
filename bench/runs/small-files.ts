// Owns the benchmark of many small files: first backup, unchanged backup and restore, in turn with restic; then a restore of files that
// were just deleted. Nothing is deleted during the rounds, because on ext4 new files are slow after thousands were deleted
// (docs/performance.md).
import { hash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { measured, atLeast, atMost, type Row } from '../figures/report.ts';
import { FarkeepRun, type FarkeepResult } from './farkeep-run.ts';
import { ResticServer } from '../peers/restic.ts';
import type { Figures } from '../figures/statistics.ts';

/** Part of the names of the figures. */
const name = 'small files';
const filesOfFolder = 1000;
const fileBytes = 1024;

export interface SmallFilesOptions {
  /** Folder for all files; only the steps that measure deletion delete files in it. */
  readonly folder: string;
  readonly figures: Figures;
  readonly rounds: number;
  readonly files: number;
  /** Number of files that are deleted and restored to the same place. */
  readonly deletedFiles: number;
  readonly withRestic: boolean;
  readonly say: (text: string) => void;
}

export async function measureSmallFiles(options: SmallFilesOptions): Promise<void> {
  const { folder, rounds, files, deletedFiles, withRestic, say } = options;
  const source = path.join(folder, 'small-files');
  await makeSmallFiles(source, files);
  for (let round = 1; round <= rounds; round += 1) {
    say(`${files} files of ${fileBytes} bytes: round ${round} of ${rounds}`);
    await runFarkeep(source, path.join(folder, `small-farkeep-${round}`), options);
    if (withRestic) await runRestic(source, path.join(folder, `small-restic-${round}`), options);
  }
  if (deletedFiles === 0) return;
  for (let round = 1; round <= rounds; round += 1) {
    say(`${deletedFiles} files deleted and restored to the same place: round ${round} of ${rounds}`);
    const [ours, theirs] = ['farkeep', 'restic'].map((who) => path.join(folder, `deleted-${who}-${round}`));
    if (ours === undefined || theirs === undefined) return;
    await makeSmallFiles(ours, deletedFiles);
    await restoreDeletedByFarkeep(ours, path.join(folder, `deleted-farkeep-${round}-home`), options.figures);
    if (!withRestic) continue;
    await makeSmallFiles(theirs, deletedFiles);
    await restoreDeletedByRestic(theirs, path.join(folder, `deleted-restic-${round}-home`), options.figures);
  }
}

/** Makes folders of 1,000 files; the text of each file is unique and compresses by about a third. */
export async function makeSmallFiles(folder: string, files: number): Promise<void> {
  for (let first = 0; first < files; first += filesOfFolder) {
    const below = path.join(folder, `folder-${String(first / filesOfFolder).padStart(4, '0')}`);
    await mkdir(below, { recursive: true });
    const count = Math.min(filesOfFolder, files - first);
    await Promise.all(
      Array.from({ length: count }, async (_, index) =>
        writeFile(path.join(below, `file-${String(index).padStart(4, '0')}.txt`), smallContent(first + index)),
      ),
    );
  }
}

/** Gives the same text for the same number in every run. */
function smallContent(number: number): string {
  let text = `file ${number}\n`;
  for (let line = 0; text.length < fileBytes; line += 1) text += `${hash('sha256', `${number}/${line}`)}\n`;
  return text.slice(0, fileBytes);
}

async function runFarkeep(source: string, place: string, { figures, files }: SmallFilesOptions): Promise<void> {
  const farkeep = await FarkeepRun.start(place);
  try {
    const jobId = await farkeep.addJob(source);
    const first = await farkeep.backup(jobId);
    note(figures, 'first backup', first, files);
    note(figures, 'nothing changed', await farkeep.backup(jobId), files);
    note(figures, 'restore', await farkeep.restore(first.session.pointId ?? '', `${place}-restored`), files);
  } finally {
    await farkeep.stop();
  }
}

function note(figures: Figures, what: string, { seconds, movers }: FarkeepResult, files: number): void {
  figures.note(`${name}: farkeep ${what} s`, seconds);
  for (const side of ['source', 'target']) {
    const own = movers.filter((mover) => mover.side === side);
    const cpuS = own.reduce((sum, mover) => sum + mover.cpuS, 0);
    figures.note(`${name}: farkeep ${what} CPU ${side} us per file`, (cpuS * 1e6) / files);
    figures.note(`${name}: farkeep ${what} memory ${side} MiB`, Math.max(0, ...own.map((m) => m.peakBytes)) / 2 ** 20);
  }
}

async function runRestic(source: string, place: string, { figures }: SmallFilesOptions): Promise<void> {
  const restic = await ResticServer.start(place);
  try {
    figures.note(`${name}: restic first backup s`, await restic.backup(source));
    figures.note(`${name}: restic nothing changed s`, await restic.backup(source));
    figures.note(`${name}: restic restore s`, await restic.restore(`${place}-restored`));
  } finally {
    await restic.stop();
  }
}

async function restoreDeletedByFarkeep(source: string, place: string, figures: Figures): Promise<void> {
  const farkeep = await FarkeepRun.start(place);
  try {
    const { session } = await farkeep.backup(await farkeep.addJob(source));
    await rm(source, { recursive: true });
    const { seconds } = await farkeep.restore(session.pointId ?? '', source);
    figures.note(`${name}: farkeep restore of what was deleted s`, seconds);
  } finally {
    await farkeep.stop();
  }
}

async function restoreDeletedByRestic(source: string, place: string, figures: Figures): Promise<void> {
  const restic = await ResticServer.start(place);
  try {
    await restic.backup(source);
    await rm(source, { recursive: true });
    // restic restores whole paths: restoring to the root of the file system puts the files back to their old place.
    figures.note(`${name}: restic restore of what was deleted s`, await restic.restore(path.parse(source).root));
  } finally {
    await restic.stop();
  }
}

const memoryGoalMiB = 220;

export function smallFilesRows(figures: Figures, files: number): Row[] {
  const speed = (what: string): number | undefined =>
    figures.ratio(`${name}: restic ${what} s`, `${name}: farkeep ${what} s`);
  return [
    atLeast(`${files} small files, first backup / restic`, speed('first backup'), 1),
    atLeast(`${files} small files, nothing changed / restic`, speed('nothing changed'), 1),
    atLeast(`${files} small files, restore / restic`, speed('restore'), 1),
    atLeast(`small files deleted and restored to the same place / restic`, speed('restore of what was deleted'), 1),
    atMost(
      `peak memory of the source mover, backup of ${files} small files`,
      figures.highest(`${name}: farkeep first backup memory source`),
      memoryGoalMiB,
      'MiB',
    ),
    ...(['first backup', 'nothing changed', 'restore'] as const).map((what) =>
      measured(`  CPU of both movers, ${what}`, cpuOfBoth(figures, what), 'us a file'),
    ),
  ];
}

function cpuOfBoth(figures: Figures, what: string): number | undefined {
  const source = figures.median(`${name}: farkeep ${what} CPU source us per file`);
  const target = figures.median(`${name}: farkeep ${what} CPU target us per file`);
  return source === undefined || target === undefined ? undefined : source + target;
}
