// Owns the input of the job wizard, for a new job and for an existing one. Pure.
import type { CommandInput, ParsedInput } from '../../../services/contracts/contract.ts';
import type { CheckedSource, Job } from '../../../services/contracts/models/tenant.ts';
import type { jobsDomain } from '../../../services/contracts/rpc/jobs.ts';
import { commandLine } from '../../platform/command-line.ts';

/** What a person typed. */
export interface JobDraft {
  readonly name: string;
  readonly folders: readonly string[];
  readonly excludes: string;
  readonly streams: string;
}

/** The settings of a job that the wizard knows. */
export type JobSettings = ParsedInput<typeof jobsDomain, 'add'>;

type JobChanges = Omit<CommandInput<typeof jobsDomain, 'set'>, 'jobId'>;

const maxStreams = 16;

export function draftOf(job: Job | undefined): JobDraft {
  if (job === undefined) return { name: '', folders: [''], excludes: '', streams: '2' };
  const { name, sourcePaths, excludes, streams } = job;
  return { name, folders: sourcePaths, excludes: excludes.join('\n'), streams: String(streams) };
}

export function sourcePathsOf({ folders }: Pick<JobDraft, 'folders'>): string[] {
  return folders.map((folder) => folder.trim()).filter((folder) => folder !== '');
}

/** One pattern for each line. Empty lines and surrounding spaces are ignored. */
export function excludePatterns(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Null unless the text is a whole number of streams that a job may have. */
export function parseStreams(text: string): number | null {
  if (!/^\s*\d{1,2}\s*$/.test(text)) return null;
  const streams = Number(text);
  return streams >= 1 && streams <= maxStreams ? streams : null;
}

/** The paths that the service has to look at. A source that the job has already may be away now, such as a disk that is not connected. */
export function pathsToCheck(sourcePaths: readonly string[], job: Job | undefined): string[] {
  return sourcePaths.filter((path) => job?.sourcePaths.includes(path) !== true);
}

/** Why a job cannot have a source, by its path. */
export function sourceProblems(
  sources: readonly CheckedSource[],
): ReadonlyMap<string, NonNullable<CheckedSource['problem']>> {
  return new Map(sources.flatMap(({ path, problem }) => (problem === null ? [] : [[path, problem] as const])));
}

export function isMoved(job: Job, { providerId, repository }: Pick<JobSettings, 'providerId' | 'repository'>): boolean {
  return providerId !== job.providerId || repository !== job.repository;
}

/** Only what is different. So an unchanged source is not checked again. */
export function changesOf(job: Job, settings: JobSettings): JobChanges {
  const { name, sourcePaths, excludes, streams, providerId, repository } = settings;
  return {
    ...(name === job.name ? {} : { name }),
    ...(isEqual(sourcePaths, job.sourcePaths) ? {} : { sourcePaths }),
    ...(isEqual(excludes, job.excludes) ? {} : { excludes }),
    ...(streams === job.streams ? {} : { streams }),
    ...(isMoved(job, settings) ? { providerId, repository } : {}),
  };
}

export function addCommand(settings: JobSettings, providerName: string): string {
  const { name, sourcePaths, excludes, streams, repository } = settings;
  return commandLine(
    ...['job', 'add', name],
    ...sourcePaths.flatMap((path) => ['--source', path]),
    ...['--provider', providerName, '--repository', repository],
    ...excludes.flatMap((pattern) => ['--exclude', pattern]),
    ...(streams === 2 ? [] : ['--streams', String(streams)]),
  );
}

/** Null when nothing is different. */
export function setCommand(job: Job, settings: JobSettings, providerName: string): string | null {
  const { name, sourcePaths, excludes, streams, repository } = changesOf(job, settings);
  const options = [
    ...(name === undefined ? [] : ['--name', name]),
    ...(sourcePaths ?? []).flatMap((path) => ['--source', path]),
    ...(excludes?.length === 0 ? ['--no-excludes'] : []),
    ...(excludes ?? []).flatMap((pattern) => ['--exclude', pattern]),
    ...(streams === undefined ? [] : ['--streams', String(streams)]),
    ...(repository === undefined ? [] : ['--provider', providerName, '--repository', repository]),
  ];
  return options.length === 0 ? null : commandLine('job', 'set', job.name, ...options);
}

function isEqual(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
