// Owns the input of the repository wizard, its errors, and what changes at a repository. Pure.
import type { Repository } from '../../../services/contracts/models/provider.ts';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { commandLine } from '../../platform/command-line.ts';

export interface RepositoryDraft {
  readonly name: string;
  readonly folder: string;
}

export interface RepositoryChanges {
  readonly name?: string;
  readonly folder?: string;
}

export type RepositoryNameProblem = 'field.required' | 'field.name' | 'repositoryWizard.name.taken';

/** @param others the repositories that keep their names */
export function repositoryNameProblem(
  name: string,
  others: readonly Pick<Repository, 'name'>[],
): RepositoryNameProblem | null {
  const isTaken = others.some((other) => other.name.toLowerCase() === name.toLowerCase());
  return nameProblem(name) ?? (isTaken ? 'repositoryWizard.name.taken' : null);
}

/** Only what differs from the repository. */
export function repositoryChanges(before: RepositoryDraft, { name, folder }: RepositoryDraft): RepositoryChanges {
  return {
    ...(name === before.name ? {} : { name }),
    ...(folder.trim() === before.folder ? {} : { folder: folder.trim() }),
  };
}

/** @param before null for a new repository */
export function repositoryCommand(before: RepositoryDraft | null, draft: RepositoryDraft): string {
  if (before === null) return commandLine('repository', 'add', draft.name, '--folder', draft.folder.trim());
  const { name, folder } = repositoryChanges(before, draft);
  return commandLine(
    ...['repository', 'set', before.name],
    ...(name === undefined ? [] : ['--name', name]),
    ...(folder === undefined ? [] : ['--folder', folder]),
  );
}
