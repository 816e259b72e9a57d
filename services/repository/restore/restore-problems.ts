// Owns the problem report of a restore: single problems by name, and one problem of each kind for many entries, with a count and the first
// names.
import type { ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { reasonOf, type RefusedStep } from './entry-metadata.ts';
import { isDamage, type RestoreCounts } from './restore-failure.ts';
import { countOfKind, type SpecialGroup } from '../points/special-files.ts';

export interface NamedGroup {
  readonly count: number;
  /** Raw bytes of the first paths. */
  readonly firstPaths: readonly Buffer[];
}

export interface RestoreProblem {
  /** Path of the entry in the restore point, as raw bytes. For a group of entries, the path of the first entry. */
  readonly path: Buffer;
  readonly code: ErrorCode;
  readonly message: string;
  /** True if the entry exists despite the problem (for example with the wrong owner). */
  readonly isRestored: boolean;
  /** The group of entries that the message describes. */
  readonly group?: NamedGroup;
}

/** A note that needs no action. */
export interface RestoreRemark extends NamedGroup {
  readonly text: string;
}

const maxProblems = 1000;
const maxNamed = 3;
const stepWords = { owner: 'owner', mode: 'mode', time: 'modification time' };

interface OpenGroup {
  readonly code: ErrorCode | undefined;
  readonly textOf: (count: number) => string;
  count: number;
  readonly firstPaths: Buffer[];
}

export class RestoreProblems {
  readonly #onProblem: (problem: RestoreProblem) => void;
  readonly #problems: RestoreProblem[] = [];
  readonly #groups = new Map<string, OpenGroup>();
  #count = 0;
  readonly counts: RestoreCounts = {
    files: 0,
    folders: 0,
    symlinks: 0,
    hardLinks: 0,
    contentBytes: 0,
    skipped: 0,
    failed: 0,
    damaged: 0,
    noRoom: 0,
  };

  constructor(onProblem: (problem: RestoreProblem) => void) {
    this.#onProblem = onProblem;
  }

  /** The first thousand problems. */
  get list(): readonly RestoreProblem[] {
    return this.#problems;
  }

  get count(): number {
    return this.#count;
  }

  /** Reports an entry that was not restored. */
  fail(path: Buffer, error: unknown): void {
    this.counts.failed += 1;
    const { code, message } = placeError(error);
    if (isDamage(code)) this.counts.damaged += 1;
    if (code === 'storage.disk-full') this.counts.noRoom += 1;
    this.#add({ path, code, message, isRestored: false });
  }

  /** Reports a defect of a restored entry. */
  note(path: Buffer, error: unknown): void {
    const { code, message } = placeError(error);
    this.#add({ path, code, message, isRestored: true });
  }

  /** @param isOwnerRestored false without root: foreign owners are then not expected */
  refused(path: Buffer, steps: readonly RefusedStep[], isOwnerRestored: boolean): void {
    for (const { step, reason } of steps) {
      const word = stepWords[step];
      this.#addTo(
        `${step} ${reason}`,
        step === 'owner' && !isOwnerRestored ? undefined : 'restore.incomplete',
        (count) => `The ${word} of ${entries(count)} could not be set (${reason})`,
        path,
      );
    }
  }

  attributesIgnored(path: Buffer): void {
    this.#addTo(
      'attributes',
      'restore.incomplete',
      (count) =>
        `Extended attributes of ${entries(count)} are in the restore point, but this version does not restore them`,
      path,
    );
  }

  /** Reports an existing, different entry that the rule protects. @param isAskedFor true when the rule was chosen for exactly this case */
  leftAlone(path: Buffer, isAskedFor: boolean): void {
    this.counts.skipped += 1;
    this.#addTo(
      'left alone',
      isAskedFor ? undefined : 'restore.exists',
      (count) =>
        isAskedFor
          ? `${entries(count)} left alone: newer than in the restore point`
          : `${entries(count)} left alone by the overwrite rule: what stands there differs from the restore point`,
      path,
    );
  }

  failGroup({ kind, count, firstPaths }: SpecialGroup): void {
    this.counts.failed += count;
    const kindText = countOfKind({ kind, count });
    const message =
      count === 1
        ? `A ${kindText.slice(2)} is recorded but cannot be made`
        : `${kindText} are recorded but cannot be made`;
    this.#addGroup('restore.incomplete', message, { count, firstPaths }, false);
  }

  /** Adds the grouped problems. @returns the groups that are only notes */
  finish(): readonly RestoreRemark[] {
    const remarks: RestoreRemark[] = [];
    for (const { code, textOf, count, firstPaths } of this.#groups.values()) {
      if (code === undefined) remarks.push({ text: textOf(count), count, firstPaths });
      else this.#addGroup(code, textOf(count), { count, firstPaths }, true);
    }
    this.#groups.clear();
    return remarks;
  }

  #addGroup(code: ErrorCode, message: string, group: NamedGroup, isRestored: boolean): void {
    const path = group.firstPaths[0] ?? Buffer.alloc(0);
    this.#add({ path, code, message, isRestored, ...(group.count > 1 ? { group } : {}) });
  }

  #addTo(key: string, code: ErrorCode | undefined, textOf: (count: number) => string, path: Buffer): void {
    const group = this.#groups.get(key) ?? { code, textOf, count: 0, firstPaths: [] };
    this.#groups.set(key, group);
    group.count += 1;
    if (group.firstPaths.length < maxNamed) group.firstPaths.push(path);
  }

  #add(problem: RestoreProblem): void {
    this.#count += 1;
    if (this.#problems.length < maxProblems) this.#problems.push(problem);
    this.#onProblem(problem);
  }
}

/** Describes a failure to place an entry, without paths through a descriptor: the problem names the entry. */
export function placeError(error: unknown): FarkeepError {
  if (error instanceof FarkeepError) return error;
  const { code } = toFarkeepError(error, 'storage.io');
  return new FarkeepError(code, `It could not be written here: ${reasonOf(error)}`, { cause: error });
}

function entries(count: number): string {
  return count === 1 ? 'one entry' : `${count} entries`;
}
