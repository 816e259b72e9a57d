// Owns the fields of the JSON in a restore point's root, and their checks. The commit, every reader and the provider's list of points share
// these limits, so every committed point can be listed. The checks are hand-written: every data mover reads a root, and loading a schema
// library took half of a mover's start time (docs/performance.md, section 3).
import { blockBounds } from '../../blocks/block.ts';

/** Limit of manifest blocks that a root names. With more blocks, their list is itself stored as blocks (`manifest.level` 1). */
export const maxManifestBlocksInRoot = 4096;

/** The end of the year 9999, because ISO 8601 writes later years with more than four digits. */
export const maxPointTimeMs = Date.UTC(10_000, 0) - 1;
/** Limits in UTF-16 units, as JavaScript counts characters. */
const pointTextLimits = { jobName: 100, sourceHost: 256, sourcePath: 4096, software: 128 } as const;
const maxSourcePaths = 256;

const pointIdPattern = /^[0-9a-z](?:[0-9a-z-]{0,62}[0-9a-z])?$/;
/** Form of a job identifier. The control channel and the tenant service use the same form. */
const jobIdPattern = /^[0-9a-f]{32}$/;
/** A job name has no control characters. The same rule applies to all names that people enter. */
const jobNamePattern = /^[^\p{Cc}]+$/u;
const blockIdPattern = /^[0-9a-f]{64}$/;

export interface PointTotals {
  /** Sum of the sizes of all files, holes included. */
  sourceBytes: number;
  /** Sum of the lengths of all data blocks that the tree names. */
  contentBytes: number;
  files: number;
  folders: number;
  symlinks: number;
  hardLinks: number;
  specials: number;
  /** Number of data blocks that the tree names; repeated blocks count each time. */
  blocks: number;
  /** Number of entries that could not be read, or that changed during the read. */
  warnings: number;
}

export interface PointRoot {
  readonly pointId: string;
  readonly jobId: string;
  readonly jobName: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** The host name that the backed-up machine reported. */
  readonly sourceHost: string;
  /** Path of the tree's top folder on the source. For display only, never used to access files. */
  readonly sourcePaths: readonly string[];
  readonly state: 'complete' | 'warnings';
  readonly software: string;
  readonly blockIdentifier: 'sha256';
  /** Reserved for encryption at rest. A reader must refuse a point with an unknown value. */
  readonly encryption: 'none';
  readonly totals: PointTotals;
  readonly manifest: {
    /** 0: `blocks` hold the tree; 1: `blocks` hold the list of the blocks that hold the tree. */
    readonly level: 0 | 1;
    readonly blocks: readonly { readonly id: string; readonly lengthBytes: number }[];
  };
}

export function isPointId(text: string): boolean {
  return pointIdPattern.test(text);
}

const pointSuffix = '.manifest';

/** File name of a point's root in `points/`. */
export function pointFileOf(pointId: string): string {
  return `${pointId}${pointSuffix}`;
}

export function isPointFile(name: string): boolean {
  return name.endsWith(pointSuffix) && isPointId(name.slice(0, -pointSuffix.length));
}

/** @param name file name of a point's root */
export function pointIdOf(name: string): string {
  return name.slice(0, -pointSuffix.length);
}

/** A field is missing or invalid; the message names the field. */
export class PointRootProblem extends Error {}

/** Reads the fields of one JSON object. An error names the field. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #place: string;

  constructor(value: unknown, place = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new PointRootProblem(`${place === '' ? 'the root' : `"${place}"`} is not an object`);
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#place = place;
  }

  text(name: string, maxLength: number): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || value.length > maxLength)
      throw this.#problem(name, `a text of at most ${maxLength} characters`);
    return value;
  }

  matching(name: string, pattern: RegExp, maxLength = 64): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || value.length > maxLength || !pattern.test(value))
      throw this.#problem(name, `a text of at most ${maxLength} characters that matches ${String(pattern)}`);
    return value;
  }

  /** Returns the number in this field, a safe integer from `min` to `max`. */
  count(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#own(name);
    if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max)
      throw this.#problem(name, `a whole number from ${min} to ${max}`);
    return Number(value);
  }

  oneOf<const Value extends string | number>(name: string, allowed: readonly Value[]): Value {
    const value = allowed.find((each) => each === this.#own(name));
    if (value === undefined) throw this.#problem(name, `one of ${allowed.join(', ')}`);
    return value;
  }

  list(name: string, min: number, max: number): readonly unknown[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length < min || value.length > max)
      throw this.#problem(name, `a list of ${min} to ${max}`);
    return value;
  }

  object(name: string): Fields {
    return new Fields(this.#own(name), this.#nameOf(name));
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #nameOf(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`;
  }

  #problem(name: string, expected: string): PointRootProblem {
    return new PointRootProblem(`"${this.#nameOf(name)}" is not what it must be: ${expected}`);
  }
}

/** Checks a value and returns it as a root, without unknown fields. @throws PointRootProblem */
export function checkPointRoot(value: unknown): PointRoot {
  const root = new Fields(value);
  const totals = root.object('totals');
  const manifest = root.object('manifest');
  return {
    pointId: root.matching('pointId', pointIdPattern),
    jobId: root.matching('jobId', jobIdPattern),
    jobName: root.matching('jobName', jobNamePattern, pointTextLimits.jobName),
    createdAtMs: root.count('createdAtMs', 0, maxPointTimeMs),
    sourceHost: root.text('sourceHost', pointTextLimits.sourceHost),
    sourcePaths: root
      .list('sourcePaths', 0, maxSourcePaths)
      .map((path) => new Fields({ path }, 'sourcePaths').text('path', pointTextLimits.sourcePath)),
    state: root.oneOf('state', ['complete', 'warnings']),
    software: root.text('software', pointTextLimits.software),
    blockIdentifier: root.oneOf('blockIdentifier', ['sha256']),
    encryption: root.oneOf('encryption', ['none']),
    totals: {
      sourceBytes: totals.count('sourceBytes'),
      contentBytes: totals.count('contentBytes'),
      files: totals.count('files'),
      folders: totals.count('folders'),
      symlinks: totals.count('symlinks'),
      hardLinks: totals.count('hardLinks'),
      specials: totals.count('specials'),
      blocks: totals.count('blocks'),
      warnings: totals.count('warnings'),
    },
    manifest: {
      level: manifest.oneOf('level', [0, 1]),
      blocks: manifest.list('blocks', 1, maxManifestBlocksInRoot).map((each) => {
        const block = new Fields(each, 'manifest.blocks');
        return {
          id: block.matching('id', blockIdPattern),
          lengthBytes: block.count('lengthBytes', 1, blockBounds.repository.content),
        };
      }),
    },
  };
}
