// Owns a restore destination in memory that replaces the tree writer. It stores files by path, and reports the same problems and counts as
// the real tree writer. For tests of the source side only. Must not be used to test owners, modes, links or crashes: it has none of these.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { RestoreWriter } from '../../mover/source/restore/restore-pipeline.ts';
import { RestoreProblems } from '../../repository/restore/restore-problems.ts';
import type { PlaceableFile } from '../../repository/restore/file-sink.ts';
import type { placeSmallFile } from '../../repository/restore/small-file.ts';
import type { TreeWriterOptions } from '../../repository/restore/tree-writer.ts';
import type { FileEntry } from '../../repository/points/tree-entry.ts';

/** Larger files are not made by the stream workers: their pieces pass through the main thread. */
const smallBytes = 1000;

export class MemoryTree {
  /** Content by path. */
  readonly files = new Map<string, string>();
  /** Paths of existing folders, which block a file of the same path. */
  readonly folders = new Set<string>();
  /** Each write waits for this promise, so that a test can delay writes. */
  writing: Promise<void> = Promise.resolve();
  /** Undefined until the restore has called `finish`. */
  isComplete: boolean | undefined;
  openFiles = 0;
  maxOpenFiles = 0;

  readonly openWriter = ({ overwrite, onProblem = () => undefined }: TreeWriterOptions): RestoreWriter => {
    const problems = new RestoreProblems(onProblem);
    const open = new Set<MemoryFile>();
    return {
      counts: problems.counts,
      begin: (entry) => {
        const path = entry.path.toString();
        if (entry.kind !== 'file') return undefined;
        if (this.folders.has(path)) {
          problems.fail(entry.path, new FarkeepError('restore.exists', 'Its place is taken by a folder'));
          return undefined;
        }
        if (this.files.has(path) && overwrite === 'never') {
          problems.leftAlone(entry.path, false);
          return undefined;
        }
        const sink = new MemoryFile(entry, this, (error) => {
          open.delete(sink);
          if (error === undefined) {
            problems.counts.files += 1;
            problems.counts.contentBytes += entry.sizeBytes;
          } else problems.fail(entry.path, error);
        });
        open.add(sink);
        return { sink };
      },
      finish: async (isComplete) => {
        for (const sink of open) await sink.fail(new FarkeepError('restore.incomplete', 'Its content did not arrive'));
        this.isComplete = isComplete ?? true;
        const remarks = problems.finish();
        const { counts, list, count } = problems;
        return { counts, problems: list, problemCount: count, remarks, specials: [] };
      },
    };
  };

  /** In place of `placeSmallFile`. */
  readonly placeFile: typeof placeSmallFile = ({ name }, content) => {
    this.files.set(name.toString(), Buffer.concat(content).toString('latin1'));
    return [];
  };
}

class MemoryFile implements PlaceableFile {
  readonly entry: FileEntry;
  readonly lane = 0;
  readonly #tree: MemoryTree;
  readonly #onEnd: (error: unknown) => void;
  readonly #pieces: Buffer[] = [];
  #isEnded = false;

  constructor(entry: FileEntry, tree: MemoryTree, onEnd: (error: unknown) => void) {
    this.entry = entry;
    this.#tree = tree;
    this.#onEnd = onEnd;
    tree.openFiles += 1;
    tree.maxOpenFiles = Math.max(tree.maxOpenFiles, tree.openFiles);
  }

  get smallFile(): PlaceableFile['smallFile'] {
    const { sizeBytes, content, path, mode, owner, mtimeNs } = this.entry;
    if (sizeBytes > smallBytes || content.length !== 1) return undefined;
    return {
      folder: Buffer.alloc(0),
      name: path,
      isHidden: false,
      metadata: { mode, owner, mtimeNs },
      isOwnerRestored: false,
      bornOwner: undefined,
      isReplacing: false,
    };
  }

  placed(): void {
    this.#end(undefined);
  }

  async write(content: Buffer, release?: () => void): Promise<void> {
    this.#pieces.push(Buffer.from(content));
    release?.();
    await this.#tree.writing;
  }

  hole(lengthBytes: number): void {
    this.#pieces.push(Buffer.alloc(lengthBytes));
  }

  async finish(): Promise<void> {
    this.#tree.files.set(this.entry.path.toString(), Buffer.concat(this.#pieces).toString('latin1'));
    this.#end(undefined);
  }

  async fail(error: unknown): Promise<void> {
    this.#end(error);
  }

  #end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#tree.openFiles -= 1;
    this.#onEnd(error);
  }
}
