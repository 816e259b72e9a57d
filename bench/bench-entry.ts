// Process entry of `npm run bench`: runs the chosen parts one after the other, prints a table, and adds one JSON document to bench/results
// when no part was left out. Throughput: interleaved rounds on the same bytes, ratios within a round, medians.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { serviceRoles } from '../services/contracts/contract.ts';
import { spawnService } from '../services/host/service-child.ts';
import { chooseParts, isEverything, type BenchPart } from './bench-parts.ts';
import {
  borgRows,
  consoleRows,
  costRows,
  gatewayRows,
  handshakeRows,
  startUpRows,
  throughputRows,
} from './bench-rows.ts';
import { whyNoBorg } from './peers/borg.ts';
import { measureConsole, whyNoConsole, type ConsoleFigures } from './console/console-figures.ts';
import { gatewayIdleMemory } from './gateway/gateway-memory.ts';
import { passBytes, passBytesDirectly } from './gateway/gateway-throughput.ts';
import { startGatewayUnderTest } from './gateway/gateway-under-test.ts';
import { measureHandshakes, type HandshakeResult } from './gateway/handshakes.ts';
import { whyNoProcessUsage } from './figures/process-usage.ts';
import { formatRow, toJson, type Row } from './figures/report.ts';
import { whyNoRestic } from './peers/restic.ts';
import { timeCommand, timeConsoleStart, timeServiceStarts } from './console/start-up.ts';
import { measureSmallFiles, smallFilesRows } from './runs/small-files.ts';
import { Figures } from './figures/statistics.ts';
import { copyTree, makeRandomData } from './runs/test-data.ts';
import { runRound } from './runs/throughput.ts';

const { values } = parseArgs({
  options: {
    /** Parts to run, separated by commas. */
    only: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    /** MiB of incompressible data. */
    size: { type: 'string', default: '1024' },
    tree: { type: 'string', default: '/usr/lib' },
    'tree-files': { type: 'string', default: '20000' },
    'small-files': { type: 'string', default: '100000' },
    /** Number of small files that are deleted and restored to the same place; 0 skips this step. */
    'deleted-files': { type: 'string', default: '60000' },
    'small-rounds': { type: 'string', default: '3' },
    /** MiB that one measurement sends through the gateway alone. */
    'gateway-size': { type: 'string', default: '4096' },
    /** MiB of each backup during which the console is measured. */
    'console-size': { type: 'string', default: '3072' },
    /** File for a profile of the session view. */
    'console-profile': { type: 'string' },
    starts: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    'without-restic': { type: 'boolean', default: false },
  },
});

const mib = 2 ** 20;
const rounds = Number(values.rounds);
const parts = choosePartsOrEnd();
const figures = new Figures();
const rows: Row[] = [];
const notMeasured: string[] = [];
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const folder = await mkdtemp(path.join(values.folder, 'farkeep-bench-'));
const data = { files: 0, treeBytes: 0 };

function choosePartsOrEnd(): ReadonlySet<BenchPart> {
  try {
    return chooseParts(values.only);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

/** Runs a part. If it cannot run, the reason is recorded and the other parts still run. */
async function runPart(part: BenchPart, reason: string | undefined, work: () => Promise<void>): Promise<void> {
  if (!parts.has(part)) return;
  if (reason !== undefined) {
    notMeasured.push(`${part}: ${reason}`);
    return;
  }
  const beganMs = performance.now();
  try {
    await work();
  } catch (error) {
    const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    notMeasured.push(`${part}: it failed, ${firstLine}`);
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
  say(`${part}: ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
}

async function runThroughput(): Promise<void> {
  const resticReason = values['without-restic'] ? 'it was left out' : await whyNoRestic();
  const withRestic = parts.has('throughput') && resticReason === undefined;
  if (parts.has('throughput') && resticReason !== undefined) notMeasured.push(`restic: ${resticReason}`);
  const borgReason = await whyNoBorg();
  if (parts.has('borg') && borgReason !== undefined) notMeasured.push(`borg: ${borgReason}`);
  if (!parts.has('throughput') && borgReason !== undefined) return;
  say(`Preparing ${values.size} MiB of random data and a tree of ${values['tree-files']} files ...`);
  const random = await makeRandomData(path.join(folder, 'random'), Number(values.size) * mib);
  const tree = await copyTree(values.tree, path.join(folder, 'tree'), Number(values['tree-files']));
  data.files = tree.files;
  data.treeBytes = tree.bytes;
  say(`The tree has ${tree.files} files, ${(tree.bytes / 1e6).toFixed(0)} MB.`);
  for (let round = 1; round <= rounds; round += 1) {
    say(`Round ${round} of ${rounds}`);
    // borg is the slowest and its ratio has no goal, so one round is enough.
    const withBorg = parts.has('borg') && borgReason === undefined && round === 1;
    const options = { folder, round, figures, withRaw: parts.has('throughput'), withRestic, withBorg };
    await runRound(random, options);
    await runRound(tree, options);
  }
  for (const source of [random.source, tree.source]) await rm(source, { recursive: true });
}

async function runSmallFiles(): Promise<void> {
  const resticReason = values['without-restic'] ? 'it was left out' : await whyNoRestic();
  if (resticReason !== undefined) notMeasured.push(`restic, small files: ${resticReason}`);
  await measureSmallFiles({
    folder,
    figures,
    rounds: Number(values['small-rounds']),
    files: Number(values['small-files']),
    deletedFiles: Number(values['deleted-files']),
    withRestic: resticReason === undefined,
    say,
  });
}

async function runGateway(): Promise<void> {
  const bytes = Number(values['gateway-size']) * mib;
  const gateway = await startGatewayUnderTest(path.join(folder, 'gateway'));
  try {
    figures.note('gateway: without, one stream MB/s', (await passBytesDirectly(1, bytes)) / 1e6);
    for (const [name, streams] of [
      ['one stream', 1],
      ['four streams', 4],
    ] as const) {
      const { bytesPerSecond, cpuSecondsPerGb } = await passBytes(gateway, streams, bytes);
      figures.note(`gateway: ${name} MB/s`, bytesPerSecond / 1e6);
      figures.note(`gateway: ${name} CPU s/GB`, cpuSecondsPerGb);
    }
  } finally {
    await gateway.stop();
  }
  // In a new process that has relayed nothing yet.
  const idle = await startGatewayUnderTest(path.join(folder, 'gateway-idle'));
  try {
    figures.note('gateway: 1,000 idle MiB', (await gatewayIdleMemory(idle)) / mib);
  } finally {
    await idle.stop();
  }
}

async function runStartUp(): Promise<void> {
  const count = Number(values.starts);
  const note = (name: string, seconds: number): void => figures.note(`start-up: ${name} s`, seconds);
  const home = path.join(folder, 'start-up');
  const tenant = await spawnService({ role: 'tenant', home, logFile: path.join(home, 'log', 'tenant.log') });
  try {
    for (let index = 0; index < count; index += 1) {
      note('farkeep --version', await timeCommand(['--version'], home));
      note('farkeep status', await timeCommand(['status'], home));
    }
  } finally {
    await tenant.stop(5_000);
  }
  for (const role of serviceRoles) {
    for (const seconds of await timeServiceStarts(role, folder, count)) note(role, seconds);
  }
  const consoleReason = whyNoConsole();
  if (consoleReason !== undefined) notMeasured.push(`start-up of the console: ${consoleReason}`);
  else for (let index = 0; index < count; index += 1) note('console', await timeConsoleStart());
}

async function runConsole(): Promise<ConsoleFigures> {
  const source = await makeRandomData(path.join(folder, 'console-data'), Number(values['console-size']) * mib);
  const result = await measureConsole(source.source, values['console-profile']);
  await rm(source.source, { recursive: true });
  for (const { name, selfMs, share } of result.costs) {
    say(`${(share * 100).toFixed(1).padStart(6)} % ${selfMs.toFixed(0).padStart(7)} ms  ${name}`);
  }
  return result;
}

let handshakes: HandshakeResult | undefined;
let consoleResult: ConsoleFigures | undefined;
const loadBefore = loadavg();
try {
  const usageReason = whyNoProcessUsage();
  const withRounds = parts.has('throughput') ? 'throughput' : 'borg';
  await runPart(withRounds, undefined, runThroughput);
  await runPart('small-files', undefined, runSmallFiles);
  await runPart('gateway', usageReason, runGateway);
  await runPart('handshakes', usageReason, async () => {
    handshakes = await measureHandshakes(path.join(folder, 'handshakes'), { tls: 800, login: 40 });
  });
  await runPart('startup', undefined, runStartUp);
  await runPart('console', usageReason ?? whyNoConsole(), async () => {
    consoleResult = await runConsole();
  });

  if (parts.has('throughput')) rows.push(...throughputRows(figures, data.files), ...costRows(figures));
  if (parts.has('borg')) rows.push(...borgRows(figures));
  if (parts.has('small-files')) rows.push(...smallFilesRows(figures, Number(values['small-files'])));
  if (parts.has('gateway')) rows.push(...gatewayRows(figures));
  if (parts.has('handshakes')) rows.push(...handshakeRows(handshakes));
  if (parts.has('startup')) rows.push(...startUpRows(figures));
  if (parts.has('console')) rows.push(...consoleRows(consoleResult, process.env['FARKEEP_BENCH_ELECTRON']));

  say('');
  for (const name of figures.names()) {
    say(`${name.padEnd(58)} ${(figures.median(name) ?? 0).toFixed(2).padStart(10)}`);
  }
  say('');
  for (const row of rows) say(formatRow(row));
  for (const reason of notMeasured) say(`not measured: ${reason}`);
  const load = (averages: readonly number[]): string => averages[0]?.toFixed(1) ?? '-';
  say(`Load of this machine: ${load(loadBefore)} before, ${load(loadavg())} after, with ${cpus().length} cores`);

  // An incomplete run is not stored, because its result cannot be compared.
  if (isEverything(parts) && process.exitCode === undefined) {
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
        electron: process.env['FARKEEP_BENCH_ELECTRON'] ?? null,
        loadBefore: loadBefore[0],
      },
      settings: {
        rounds,
        sizeMiB: Number(values.size),
        treeFiles: data.files,
        treeBytes: data.treeBytes,
        smallFiles: Number(values['small-files']),
        gatewaySizeMiB: Number(values['gateway-size']),
        consoleSizeMiB: Number(values['console-size']),
      },
      figures: figures.toJson(),
      handshakes: handshakes ?? null,
      console: consoleResult ?? null,
      goals: rows.filter(({ goal }) => goal !== undefined).map(toJson),
      measured: rows.filter(({ goal }) => goal === undefined).map(toJson),
      notMeasured,
    };
    const file = path.join(results, `${document.date.replaceAll(':', '-').slice(0, 19)}.json`);
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
    say(`\nWritten to bench/results/${path.basename(file)}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
