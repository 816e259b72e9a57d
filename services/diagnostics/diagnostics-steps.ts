// Owns what the diagnostics contain and where each step gets its data. Must not contain names of backed-up files, contents or keys: steps
// never request secrets, and write-diagnostics.ts removes fields whose name may mean a secret.
import { open, readdir, readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, freemem, release, totalmem, type as systemType, uptime } from 'node:os';
import path from 'node:path';
import { serviceRoles, type ServiceRole } from '../contracts/contract.ts';
import { serviceDomain } from '../contracts/rpc/service.ts';
import { sessionsDomain } from '../contracts/rpc/sessions.ts';
import { trustDomain } from '../contracts/rpc/trust.ts';
import { toFarkeepError } from '../kernel/farkeep-error.ts';
import { configFileOf, consoleConfigFileOf } from '../kernel/state/home-folder.ts';
import type { AskService, DiagnosticsFile, DiagnosticsStep } from './diagnostics-step.ts';

/** The archive contains only the end of a log, because a whole log would make the archive too large to send. */
const maxLogBytes = 1024 * 1024;
const maxLogFiles = 20;
const shownSessions = 50;

export interface DiagnosticsSources {
  readonly home: string;
  /** Folder of the console's log files; services on a server write to wherever the admin redirects their output. */
  readonly logFolder: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Settings of the console; absent without a console. */
  readonly settings?: unknown;
  /** The console's view of the service processes; absent without a console. */
  readonly processes?: () => unknown;
  readonly ask: AskService;
}

/** In the order of the archive. */
export function diagnosticsSteps(sources: DiagnosticsSources): readonly DiagnosticsStep[] {
  const { home, logFolder, ask } = sources;
  return [
    { name: 'versions', collect: async () => single(await describeMachine(sources)) },
    { name: 'configuration', collect: async () => single(await readConfiguration(home, sources.settings)) },
    {
      name: 'services',
      collect: async (signal) =>
        single({
          processes: sources.processes?.(),
          services: await askEach(serviceRoles, (role) =>
            ask(role, { domain: serviceDomain.name, command: 'info', input: {} }, signal),
          ),
        }),
    },
    {
      name: 'sessions',
      collect: async (signal) =>
        single(
          await askEach(['provider', 'tenant'], async (role) => {
            const call = { domain: sessionsDomain.name, command: 'list', input: { limit: shownSessions } };
            const { sessions } = sessionsDomain.commands.list.output.parse(await ask(role, call, signal));
            // No names of jobs or tenants. The message of an error may contain a path, so only its code is included.
            return sessions.map(({ id, kind, state, attempt, createdAt, endedAt, progress, warningCount, error }) => ({
              id,
              kind,
              state,
              attempt,
              createdAt,
              endedAt,
              progress,
              warningCount,
              errorCode: error?.code ?? null,
            }));
          }),
        ),
    },
    {
      name: 'trust-journal',
      collect: async (signal) => {
        const call = { domain: trustDomain.name, command: 'journal', input: {} };
        return single(
          await askEach(['tenant'], async (role) => {
            const journal = trustDomain.commands.journal.output.parse(await ask(role, call, signal));
            const { entries, isIntact, brokenAt, head } = journal;
            return { isIntact, brokenAt, head, entries: entries.length };
          }),
        );
      },
    },
    { name: 'logs', collect: () => readLogs(logFolder) },
  ];
}

function single(content: unknown): readonly DiagnosticsFile[] {
  return [{ name: '', content }];
}

/** A service that does not run is part of the result. */
async function askEach(roles: readonly ServiceRole[], ask: (role: ServiceRole) => Promise<unknown>): Promise<unknown> {
  const answers: Record<string, unknown> = {};
  for (const role of roles) {
    try {
      answers[role] = await ask(role);
    } catch (error) {
      const { code, message } = toFarkeepError(error);
      answers[role] = { error: { code, message } };
    }
  }
  return answers;
}

async function describeMachine({ home, versions }: DiagnosticsSources): Promise<unknown> {
  const disk = await statfs(home);
  return {
    createdAt: new Date().toISOString(),
    versions: { ...versions, node: process.versions.node, openssl: process.versions.openssl },
    system: {
      platform: process.platform,
      name: systemType(),
      release: release(),
      arch: arch(),
      processors: availableParallelism(),
      memoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      uptimeSeconds: Math.round(uptime()),
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    home: { folder: home, diskBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize },
  };
}

/** Reads the configuration files that people edit. For an invalid file the result contains the error, never the text. */
async function readConfiguration(home: string, settings: unknown): Promise<unknown> {
  const found: Record<string, unknown> = settings === undefined ? {} : { console: settings };
  for (const role of serviceRoles) {
    for (const file of [configFileOf(home, role), consoleConfigFileOf(home, role)]) {
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const name = path.relative(home, file);
      try {
        found[name] = JSON.parse(text);
      } catch {
        found[name] = { error: 'It is not JSON' };
      }
    }
  }
  return found;
}

async function readLogs(folder: string): Promise<readonly DiagnosticsFile[]> {
  const names = await readdir(folder).catch(() => []);
  const logs = names.filter((name) => name.endsWith('.log')).sort();
  const files: DiagnosticsFile[] = [];
  for (const name of logs.slice(0, maxLogFiles)) {
    files.push({ name, content: await readEnd(path.join(folder, name)) });
  }
  if (files.length > 0) return files;
  return [{ name: 'none.txt', content: 'No log files are kept here; on a server see the log of the system.' }];
}

/** Whole lines only: a line that is cut could contain a part of a secret that redaction does not recognize. */
async function readEnd(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, maxLogBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    return size > length ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await handle.close();
  }
}
