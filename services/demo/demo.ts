// Owns `farkeep demo`: sets up all services on this machine, backs up, restores, compares, and removes everything. Must not take shortcuts:
// it uses the same calls as console and command line.
import { rmSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SessionDetail } from '../contracts/models/session.ts';
import type { StoredCertificate } from '../contracts/models/certificate.ts';
import { jobsDomain } from '../contracts/rpc/jobs.ts';
import { pointsDomain } from '../contracts/rpc/points.ts';
import { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { every } from '../kernel/schedule.ts';
import { whenAborted } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { createTimer, startDemoSite, type DemoSite, type StepReporter } from './demo-site.ts';
import { makeSampleFolder } from './sample-folder.ts';
import type { ServiceChild } from '../host/service-child.ts';
import { followSession } from '../host/session-follower.ts';
import { compareTrees, type TreeComparison, type TreeDifference } from './tree-comparison.ts';

export interface DemoOptions {
  /** Folder to back up; default: a small sample. */
  readonly source?: string;
  /** Folder for everything, which is kept; default: a temporary folder that is removed. */
  readonly keep?: string;
  readonly gatewayCount?: number;
  readonly report: StepReporter;
  readonly onProgress: (detail: SessionDetail) => void;
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly isVerified: boolean;
  readonly comparison: TreeComparison;
  /** Differences that count as errors. Excludes files that changed meanwhile or could not be read. */
  readonly differences: readonly TreeDifference[];
  readonly excused: readonly TreeDifference[];
  readonly backup: SessionDetail;
  readonly restore: SessionDetail;
  readonly storedBytes: number;
  readonly backupSeconds: number;
  readonly restoreSeconds: number;
  readonly certificate: StoredCertificate;
}

/** @throws FarkeepError the first error; everything that was started is ended, temporary files are removed */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  return withDemoSite(options, async (site) => {
    const timer = createTimer(options.report);
    const source = options.source === undefined ? path.join(site.root, 'sample') : path.resolve(options.source);
    if (options.source === undefined) {
      await makeSampleFolder(source);
      timer('Sample made', source);
    }
    return tellStory(site, source, options, timer);
  });
}

/** Keeps the set-up running until the signal fires. @param onReady called once everything is ready */
export async function holdDemo(options: DemoOptions, onReady: (site: DemoSite) => void): Promise<void> {
  await withDemoSite(options, async (site) => {
    onReady(site);
    // A pending promise alone does not keep a process running.
    using _keepAlive = every(3_600_000, () => undefined);
    await new Promise<void>((resolve) => whenAborted(options.signal, resolve));
  });
}

async function withDemoSite<Result>(options: DemoOptions, work: (site: DemoSite) => Promise<Result>): Promise<Result> {
  if (options.source !== undefined) await requireRoom(path.resolve(options.source), options.keep ?? tmpdir());
  const root =
    options.keep === undefined ? await mkdtemp(path.join(tmpdir(), 'farkeep-demo-')) : path.resolve(options.keep);
  const children: ServiceChild[] = [];
  // Called at the second Ctrl-C: kills the processes without waiting.
  const endAtOnce = (): void => {
    for (const child of children) child.signal('SIGKILL');
    if (options.keep === undefined) rmSync(root, { recursive: true, force: true });
  };
  process.once('exit', endAtOnce);
  let site: DemoSite | undefined;
  try {
    const { report, signal, gatewayCount = 1 } = options;
    site = await startDemoSite({ root, gatewayCount, report, signal, onStarted: (child) => children.push(child) });
    return await work(site);
  } finally {
    await site?.stop();
    if (options.keep === undefined) await removeTree(root);
    process.off('exit', endAtOnce);
  }
}

async function tellStory(
  site: DemoSite,
  source: string,
  { signal, onProgress }: DemoOptions,
  timer: (title: string, detail: string) => void,
): Promise<DemoResult> {
  const tenant = site.tenant.client;
  const follow = async (sessionId: string): Promise<SessionDetail> => {
    const session = await followSession(tenant, sessionId, { signal, listener: { onProgress } });
    if (session.state === 'succeeded' || session.state === 'warning') return session;
    throw session.error === null
      ? new FarkeepError('call.internal', `The ${session.kind} session ended as ${session.state}`)
      : FarkeepError.fromInfo(session.error);
  };

  const job = await tenant.domain(jobsDomain).add({
    name: 'demo',
    sourcePaths: [source],
    providerId: site.serviceProvider.id,
    repository: site.repository,
  });
  const startedAtMs = Date.now();
  const backup = await follow((await tenant.domain(jobsDomain).run({ jobId: job.id })).sessionId);
  const { repositories } = await site.provider.client.domain(repositoriesDomain).list({});
  const storedBytes = backup.storedBytes ?? repositories.find(({ name }) => name === site.repository)?.usedBytes ?? 0;
  timer('Backup', `${backup.progress.processedFiles} files of ${source}`);
  const seenByProvider = await site.provider.client.domain(sessionsDomain).show({ sessionId: backup.id });
  timer('Handshake and keys', describeKeys(backup, seenByProvider));

  const { points } = await tenant.domain(pointsDomain).list({});
  const point = points.find(({ id }) => id === backup.pointId) ?? points.at(-1);
  if (point === undefined) throw new FarkeepError('point.incomplete', 'The backup ended without a restore point');
  const destination = path.join(site.root, 'restored');
  const { sessionId } = await tenant.domain(pointsDomain).restore({ pointId: point.id, destination });
  const restore = await follow(sessionId);
  timer('Restore', `${restore.progress.processedFiles} files to ${destination}`);

  const comparison = await compareTrees(source, destination, signal);
  const excused = comparison.differences.filter((difference) => isExcused(difference, startedAtMs, backup, source));
  const differences = comparison.differences.filter((difference) => !excused.includes(difference));
  const { files, folders, links } = comparison;
  timer(
    'Comparison',
    differences.length === 0
      ? `${files} files, ${folders} folders, ${links} links: content, modes, times and links are the same`
      : `${differences.length} differences`,
  );
  return {
    isVerified: differences.length === 0,
    comparison,
    differences,
    excused,
    backup,
    restore,
    storedBytes,
    backupSeconds: secondsOf(backup),
    restoreSeconds: secondsOf(restore),
    certificate: site.certificate,
  };
}

/**
 * Describes the keys. Fails when the two sides do not show the same identifiers, because the key exchange must give both sides the same
 * keys.
 */
function describeKeys(backup: SessionDetail, seenByProvider: SessionDetail): string {
  const own = backup.keys.at(-1);
  const providerKeys = seenByProvider.keys.at(-1);
  const isSame = own?.keyA === providerKeys?.keyA && own?.keyB === providerKeys?.keyB;
  if (own === undefined || own.keyA === null || own.keyB === null || !isSame) {
    throw new FarkeepError('security.key-proof', 'Tenant and provider do not name the same keys');
  }
  const { tls } = backup;
  const channel = tls === null ? '' : `${tls.version}, ${tls.cipher}, ${tls.group}; `;
  return `${channel}Key A ${own.keyA}, Key B ${own.keyB}, the same on both sides`;
}

/**
 * Whether a difference is not an error of the backup: the entry changed after the start of the backup, or the entry could not be read and
 * has a warning.
 */
function isExcused(
  { path: name, leftChangedAtMs }: TreeDifference,
  startedAtMs: number,
  backup: SessionDetail,
  source: string,
): boolean {
  if (leftChangedAtMs >= startedAtMs) return true;
  return backup.warnings.some((warning) => {
    if (warning.path === null) return false;
    const relative = path.isAbsolute(warning.path) ? path.relative(source, warning.path) : warning.path;
    return name === relative || name.startsWith(`${relative}${path.sep}`);
  });
}

function secondsOf({ createdAt, endedAt }: SessionDetail): number {
  return endedAt === null ? 0 : (Date.parse(endedAt) - Date.parse(createdAt)) / 1000;
}

/** Checks the free space first, because the demo writes the folder twice: as blocks and restored. */
async function requireRoom(source: string, target: string): Promise<void> {
  const status = await stat(source).catch(() => undefined);
  if (status?.isDirectory() !== true) throw new FarkeepError('source.missing', `${source} is not a folder`);
  const existing = await firstExisting(path.resolve(target));
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const neededBytes = 2 * (await measureTree(source, freeBytes / 2));
  if (neededBytes <= freeBytes) return;
  throw new FarkeepError(
    'storage.disk-full',
    `The demo needs about twice the size of ${source}, more than is free in ${existing}`,
    {
      hint: 'Choose a smaller folder with --source, or a larger disk with --keep DIR.',
    },
  );
}

async function firstExisting(folder: string): Promise<string> {
  for (let current = folder; ; current = path.dirname(current)) {
    if ((await stat(current).catch(() => undefined)) !== undefined || current === path.dirname(current)) return current;
  }
}

/** Allocated bytes; stops counting above `limitBytes`. */
async function measureTree(folder: string, limitBytes: number): Promise<number> {
  let total = 0;
  const waiting = [folder];
  for (let current = waiting.pop(); current !== undefined && total <= limitBytes; current = waiting.pop()) {
    // The backup leaves out an unreadable folder too.
    for (const entry of await readdir(current, { withFileTypes: true }).catch(() => [])) {
      const name = path.join(current, entry.name);
      if (entry.isDirectory()) waiting.push(name);
      else if (entry.isFile()) total += (await lstat(name).catch(() => ({ blocks: 0 }))).blocks * 512;
    }
  }
  return total;
}

/** Restored folders have the modes of the source, which may be read-only. */
async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    await makeRemovable(root);
    await rm(root, { recursive: true, force: true });
  }
}

async function makeRemovable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeRemovable(path.join(folder, entry.name));
  }
}
