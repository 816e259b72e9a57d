// Process entry of `npm run bench`: interleaved rounds of the raw path, Farkeep and restic on the same bytes, ratios within a round, medians.
// Prints a table and appends one JSON document to bench/results.
import { createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { FarkeepRun } from './farkeep-run.ts';
import type { FarkeepResult } from './farkeep-run.ts';
import { gatewayIdleMemory } from './gateway-memory.ts';
import { ResticServer, whyNoRestic } from './restic.ts';
import { runRawPath } from './run-raw.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    /** MiB of incompressible data. */
    size: { type: 'string', default: '2048' },
    tree: { type: 'string', default: '/usr/lib' },
    'tree-files': { type: 'string', default: '20000' },
    folder: { type: 'string', default: tmpdir() },
    'without-restic': { type: 'boolean', default: false },
  },
});

const rounds = Number(values.rounds);
const mb = 1e6;

/** Everything that is measured, by name; one number for each round. */
const figures = new Map<string, number[]>();
const note = (name: string, value: number): void => {
  figures.set(name, [...(figures.get(name) ?? []), value]);
};
const median = (name: string): number | undefined => {
  const sorted = [...(figures.get(name) ?? [])].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
};
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function noteFarkeep(name: string, { seconds, movers }: FarkeepResult, bytes: number): void {
  note(`${name} MB/s`, bytes / mb / seconds);
  note(`${name} s`, seconds);
  note(`${name} CPU s/GB`, movers.reduce((sum, { cpuS }) => sum + cpuS, 0) / (bytes / 1e9));
  for (const side of ['source', 'target']) {
    const peak = Math.max(0, ...movers.filter((mover) => mover.side === side).map(({ peakBytes }) => peakBytes));
    note(`${name} peak ${side} MiB`, peak / 2 ** 20);
  }
}

async function makeRandomFile(file: string, bytes: number): Promise<void> {
  const output = createWriteStream(file);
  const chunk = Buffer.alloc(4 * 1024 * 1024);
  for (let left = bytes; left > 0; left -= chunk.length) {
    const part = randomFillSync(Buffer.from(chunk)).subarray(0, Math.min(left, chunk.length));
    if (!output.write(part)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'close');
}

/** Copies a real tree, folder by folder, until it has so many files. */
async function copyTree(from: string, to: string, wantedFiles: number): Promise<{ files: number; bytes: number }> {
  const copied = { files: 0, bytes: 0 };
  const copyFolder = async (below: string): Promise<void> => {
    await mkdir(path.join(to, below), { recursive: true });
    const entries = await readdir(path.join(from, below), { withFileTypes: true });
    for (const entry of entries.sort((left, right) => left.name.localeCompare(right.name))) {
      if (copied.files >= wantedFiles) return;
      const name = path.join(below, entry.name);
      if (entry.isDirectory()) await copyFolder(name);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        await cp(path.join(from, name), path.join(to, name), { verbatimSymlinks: true, preserveTimestamps: true });
        if (!entry.isFile()) continue;
        copied.files += 1;
        copied.bytes += (await stat(path.join(to, name))).size;
      }
    }
  };
  await copyFolder('.');
  return copied;
}

const folder = await mkdtemp(path.join(values.folder, 'farkeep-bench-'));
const resticReason = values['without-restic'] ? 'it was left out' : await whyNoRestic();
if (resticReason !== undefined) say(`restic is not compared: ${resticReason}`);

async function inRound(
  data: { name: string; source: string; bytes: number; file?: string },
  round: number,
): Promise<void> {
  const { name, source, bytes, file } = data;
  const at = (part: string): string => path.join(folder, `${part}-${round}`);
  if (file !== undefined) {
    for (const direction of ['backup', 'restore']) {
      const { seconds, cpuS } = await runRawPath(file, at('raw'));
      note(`${name}: raw path ${direction} MB/s`, bytes / mb / seconds);
      note(`${name}: raw path ${direction} CPU s/GB`, cpuS / (bytes / 1e9));
      await rm(at('raw'));
    }
  }
  const farkeep = await FarkeepRun.start(at(`farkeep-${name}`));
  try {
    const jobId = await farkeep.addJob(source);
    const first = await farkeep.backup(jobId);
    noteFarkeep(`${name}: farkeep backup`, first, bytes);
    const again = await farkeep.backup(jobId);
    noteFarkeep(`${name}: farkeep unchanged`, again, bytes);
    note(`${name}: farkeep unchanged sent bytes`, again.session.progress.transferredBytes);
    noteFarkeep(`${name}: farkeep restore`, await farkeep.restore(first.session.pointId ?? '', at('restored')), bytes);
  } finally {
    await farkeep.stop();
  }
  await rm(at(`farkeep-${name}`), { recursive: true });
  await rm(at('restored'), { recursive: true });
  if (resticReason !== undefined) return;
  const restic = await ResticServer.start(at('restic'));
  try {
    note(`${name}: restic backup MB/s`, bytes / mb / (await restic.backup(source)));
    note(`${name}: restic unchanged s`, await restic.backup(source));
    note(`${name}: restic restore MB/s`, bytes / mb / (await restic.restore(at('restored'))));
  } finally {
    await restic.stop();
  }
  await rm(at('restic'), { recursive: true });
  await rm(at('restored'), { recursive: true });
}

/** Ratios are taken within each round, so that the machine's mood cancels out. */
function ratio(numerator: string, denominator: string): number | undefined {
  const [above, below] = [figures.get(numerator) ?? [], figures.get(denominator) ?? []];
  const ratios = above
    .flatMap((value, index) => (below[index] === undefined ? [] : [value / below[index]]))
    .sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)];
}

interface Goal {
  readonly text: string;
  readonly value: number | undefined;
  readonly unit: string;
  readonly limit: number;
  readonly isAtLeast: boolean;
}

function goals(treeFiles: number, gatewayBytes: number | undefined): Goal[] {
  const atLeast = (text: string, value: number | undefined, limit: number): Goal => ({
    text,
    value,
    limit,
    unit: '',
    isAtLeast: true,
  });
  const atMost = (text: string, value: number | undefined, limit: number, unit: string): Goal => ({
    text,
    value,
    limit,
    unit,
    isAtLeast: false,
  });
  const peaks = [...figures.keys()]
    .filter((name) => name.includes('peak'))
    .map((name) => Math.max(...(figures.get(name) ?? [0])));
  return [
    atLeast(
      'backup of random data / raw path',
      ratio('random: farkeep backup MB/s', 'random: raw path backup MB/s'),
      0.45,
    ),
    atLeast('backup of random data / restic', ratio('random: farkeep backup MB/s', 'random: restic backup MB/s'), 2.5),
    atLeast('backup of a real tree / restic', ratio('tree: farkeep backup MB/s', 'tree: restic backup MB/s'), 1.5),
    atLeast(
      'restore of random data / raw path',
      ratio('random: farkeep restore MB/s', 'random: raw path restore MB/s'),
      0.6,
    ),
    atLeast(
      'restore of random data / restic',
      ratio('random: farkeep restore MB/s', 'random: restic restore MB/s'),
      1.5,
    ),
    atLeast('restore of a real tree / restic', ratio('tree: farkeep restore MB/s', 'tree: restic restore MB/s'), 1.5),
    atMost(`second backup of an unchanged tree of ${treeFiles} files`, median('tree: farkeep unchanged s'), 3, 's'),
    atMost('peak memory of any data mover', peaks.length === 0 ? undefined : Math.max(...peaks), 250, 'MiB'),
    atMost(
      'gateway with 1,000 idle connections',
      gatewayBytes === undefined ? undefined : gatewayBytes / 2 ** 20,
      150,
      'MiB',
    ),
  ];
}

try {
  const bytes = Number(values.size) * 2 ** 20;
  say(`Preparing ${values.size} MiB of random data and a tree of ${values['tree-files']} files ...`);
  const random = path.join(folder, 'random');
  await mkdir(random);
  await makeRandomFile(path.join(random, 'file'), bytes);
  const tree = path.join(folder, 'tree');
  const { files, bytes: treeBytes } = await copyTree(values.tree, tree, Number(values['tree-files']));
  say(`The tree has ${files} files, ${(treeBytes / mb).toFixed(0)} MB.`);
  for (let round = 1; round <= rounds; round += 1) {
    say(`Round ${round} of ${rounds}`);
    await inRound({ name: 'random', source: random, bytes, file: path.join(random, 'file') }, round);
    await inRound({ name: 'tree', source: tree, bytes: treeBytes }, round);
  }
  const gatewayBytes = await gatewayIdleMemory(path.join(folder, 'gateway'));

  say('');
  for (const name of [...figures.keys()].sort())
    say(`${name.padEnd(46)} ${(median(name) ?? 0).toFixed(2).padStart(10)}`);
  say('');
  const reached = goals(files, gatewayBytes).map((goal) => {
    const { text, value, limit, unit, isAtLeast } = goal;
    const isReached = value === undefined ? undefined : isAtLeast ? value >= limit : value <= limit;
    const verdict = isReached === undefined ? 'not measured' : isReached ? 'reached' : 'MISSED';
    const shown = value === undefined ? '-' : `${value.toFixed(2)} ${unit}`.trim();
    say(
      `${text.padEnd(56)} ${shown.padStart(12)}   ${isAtLeast ? 'at least' : 'at most'} ${limit} ${unit}  ${verdict}`,
    );
    return { ...goal, isReached: isReached ?? null };
  });

  const results = fileURLToPath(new URL('./results/', import.meta.url));
  await mkdir(results, { recursive: true });
  const document = {
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memoryBytes: totalmem(),
      system: `${process.platform} ${release()}`,
      node: process.version,
    },
    settings: { rounds, sizeMiB: Number(values.size), treeFiles: files, treeBytes },
    figures: Object.fromEntries(figures),
    goals: reached,
  };
  const file = path.join(results, `${document.date.replaceAll(':', '-').slice(0, 19)}.json`);
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  say(`\nWritten to bench/results/${path.basename(file)}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
