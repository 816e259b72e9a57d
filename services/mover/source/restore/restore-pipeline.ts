// Owns a restore on the source mover's main thread. Stream workers have checked every content against its identifier. The tree writer
// decides what may be written where.
//
// for each selected entry of the manifest, in tree order: begin it at the tree writer
//   correct file exists: nothing to fetch file of one small block: request it, a stream worker makes the file
//   other file: request its blocks; write them in order when they arrive
//   wait while the limits are reached: 16 MiB in flight, 128 open files, 512 files at the workers
// after the last entry: wait for all files, finish the tree writer (metadata of folders)
// disk full: end the restore; other problem of one file: warn and continue
import type { ErrorInfo } from '../../../contracts/errors.ts';
import { FarkeepError, toFarkeepError } from '../../../kernel/farkeep-error.ts';
import { blockIdOf } from '../../../blocks/block.ts';
import { readManifest } from '../../../repository/points/manifest.ts';
import { decodePointRoot } from '../../../repository/points/point-root.ts';
import type { PointRoot } from '../../../repository/points/point-root-fields.ts';
import { isDamage, noRoomLeft, restoreFailure } from '../../../repository/restore/restore-failure.ts';
import { chooseItems, findLinkedElsewhere } from '../../../repository/points/tree-selection.ts';
import { countOfKind, isMissed, namesOf } from '../../../repository/points/special-files.ts';
import type {
  BegunFile,
  ComparedFile,
  TreeWriter,
  TreeWriterOptions,
} from '../../../repository/restore/tree-writer.ts';
import type { FileSink, PlaceableFile } from '../../../repository/restore/file-sink.ts';
import type { RestoreCounts } from '../../../repository/restore/restore-failure.ts';
import type { RestoreProblem } from '../../../repository/restore/restore-problems.ts';
import type { SmallFile } from '../../../repository/restore/small-file.ts';
import type { ContentReference, FileEntry, ManifestItem, TreeEntry } from '../../../repository/points/tree-entry.ts';
import { BlockFetcher } from './block-fetcher.ts';
import type { FetchedBlock } from './block-fetcher.ts';
import { InFlightBudget } from '../streams/in-flight-budget.ts';
import type {
  MoverPhase,
  RestoredFigures,
  RestoreOperation,
  SourceEvent,
  SourceTotals,
} from '../../link/local-link.ts';
import { fetchManifest, RereadableManifest } from './manifest-pipeline.ts';
import { PathSelection } from './path-selection.ts';
import { showPath } from '../walk/path-text.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import type { FromWorker } from '../streams/worker-link.ts';

/** Limit of contents that are requested and not yet written. */
const inFlightBytes = 16 * 1024 * 1024;
/** Cost of a block beside its content, so that the number of tiny blocks is limited too. */
const blockOverheadBytes = 2048;
const maxOpenFiles = 128;
/** Limit of files that stream workers are making. Such a file has no open descriptor, but keeps its folder open. */
const maxPlacedFiles = 512;
/** Number of missing paths that the error message names. */
const maxNamedPaths = 5;

/** The used part of the tree writer. */
export type RestoreWriter = Pick<TreeWriter, 'begin' | 'counts' | 'finish'>;

export interface RestorePipelineOptions {
  readonly operation: RestoreOperation;
  readonly pool: PipelineStreams;
  readonly emit: (event: SourceEvent) => void;
  /** @throws restore.target */
  readonly openWriter: (options: TreeWriterOptions) => RestoreWriter;
}

/** A file that is being written: its pieces are written in order, as they arrive. */
interface OpenFile {
  readonly sink: FileSink;
  readonly objectName: string;
  tail: Promise<void>;
  error: unknown;
}

interface RestoredObject {
  bytes: number;
  problems: number;
  /** Number of entries that are damaged in the restore point. */
  losses: number;
}

export class RestorePipeline {
  readonly #operation: RestoreOperation;
  readonly #pool: PipelineStreams;
  readonly #emit: (event: SourceEvent) => void;
  readonly #openWriter: RestorePipelineOptions['openWriter'];
  readonly #fetcher: BlockFetcher;
  readonly #budget = new InFlightBudget(inFlightBytes);
  readonly #files = new Set<Promise<void>>();
  readonly #openFiles = new InFlightBudget(maxOpenFiles);
  readonly #placedFiles = new InFlightBudget(maxPlacedFiles);
  readonly #objects = new Map<string, RestoredObject>();
  readonly #aborted = Promise.withResolvers<never>();
  /** Undefined after the restore is finished. */
  #writer: RestoreWriter | undefined;
  /** Pipes and sockets that were requested by their own name. */
  readonly #namedSpecials: string[] = [];
  #counts: RestoreCounts | undefined;
  #current: OpenFile | ComparedFile | undefined;
  /** Number of files that stream workers are making. */
  #placing = 0;
  #onNonePlacing: (() => void) | undefined;
  #total: { bytes: number; files: number } | undefined;
  #processedBytes = 0;
  #processedFiles = 0;
  #writtenBytes = 0;
  #reusedBlocks = 0;
  /** True after a failure of the attempt. The next attempt restores the missing files, so they are not reported as problems. */
  #isBroken = false;
  phase: MoverPhase = 'transferring';

  constructor({ operation, pool, emit, openWriter }: RestorePipelineOptions) {
    this.#operation = operation;
    this.#pool = pool;
    this.#emit = emit;
    this.#openWriter = openWriter;
    this.#fetcher = new BlockFetcher(pool);
    // The failure may come after the end of the restore. Then this promise has no other handler.
    this.#aborted.promise.catch(() => undefined);
  }

  totals(): SourceTotals {
    const { transferredBytes, contentBytes, newBlocks } = this.#pool.counters;
    return {
      totalBytes: this.#total?.bytes,
      totalFiles: this.#total?.files,
      processedBytes: this.#processedBytes,
      readBytes: this.#writtenBytes,
      transferredBytes,
      contentBytes,
      durableBytes: 0,
      processedFiles: this.#processedFiles,
      skippedFiles: this.#counts?.skipped ?? 0,
      unchangedFiles: 0,
      newBlocks,
      reusedBlocks: this.#reusedBlocks,
      restored: this.#restored(),
    };
  }

  /**
   * Problems of single files are warnings. `failure` is set if the restore as a whole has failed.
   *
   * @throws restore.target, storage.damaged, and whatever ends the session
   */
  async run(
    rootBytes: Buffer,
  ): Promise<{ readonly rootHash: string; readonly warningCount: number; readonly failure: ErrorInfo | undefined }> {
    const operation = this.#operation;
    const root = decodePointRoot(rootBytes, operation.pointId);
    const selection = new PathSelection(operation.paths);
    if (selection.isAll)
      this.#total = { bytes: root.totals.sourceBytes, files: root.totals.files + root.totals.hardLinks };
    const writer = this.#openWriter({
      destination: operation.destination,
      overwrite: operation.overwrite,
      onProblem: (problem) => {
        this.#problem(problem);
      },
    });
    this.#writer = writer;
    this.#counts = writer.counts;
    for await (const item of await this.#chosenItems(root, selection)) {
      const step = this.#item(item, writer, selection);
      if (step !== undefined) await step;
    }
    this.phase = 'finalizing';
    await Promise.race([this.#allEnded(), this.#aborted.promise]);
    this.#writer = undefined;
    const result = await writer.finish();
    this.#counts = result.counts;
    for (const group of result.specials) {
      if (isMissed(group.kind)) continue;
      this.#emit({ type: 'remark', text: `${countOfKind(group)} not made anew: ${namesOf(group, showPath)}` });
    }
    for (const remark of result.remarks)
      this.#emit({ type: 'remark', text: `${remark.text}: ${namesOf(remark, showPath)}` });
    // If no requested path exists, this is the failure of the restore, without a warning for each path.
    const unmatched = selection.isAnyMatched ? selection.unmatched() : [];
    for (const path of unmatched) {
      this.#emit({
        type: 'warning',
        warning: { code: 'restore.incomplete', message: 'It is not in the restore point', path },
      });
    }
    for (const path of this.#namedSpecials) {
      const message = 'It is a pipe or a socket; a restore does not make these';
      this.#emit({ type: 'warning', warning: { code: 'restore.incomplete', message, path } });
    }
    for (const [name, { bytes, problems, losses }] of this.#objects) {
      this.#emit({
        type: 'object',
        name,
        state: losses > 0 ? 'failed' : problems > 0 ? 'warning' : 'succeeded',
        bytes,
      });
    }
    return {
      rootHash: blockIdOf(rootBytes).toString('hex'),
      warningCount: result.problemCount + unmatched.length + this.#namedSpecials.length,
      failure: this.#failure(result.counts, selection)?.toInfo(),
    };
  }

  /**
   * Ends an interrupted attempt, after all stream workers have ended. Complete files stay, everything else is removed.
   * Files that the attempt did not reach are not reported as problems.
   */
  async close(): Promise<void> {
    this.#isBroken = true;
    await Promise.all(this.#files);
    await this.#writer?.finish(false);
    this.#writer = undefined;
  }

  #restored(): RestoredFigures {
    const counts = this.#counts;
    if (counts === undefined) return { files: 0, bytes: 0, skipped: 0, failed: 0 };
    const { files, hardLinks, contentBytes, skipped, failed } = counts;
    return { files: files + hardLinks, bytes: contentBytes, skipped, failed };
  }

  #failure(counts: RestoreCounts, selection: PathSelection): FarkeepError | undefined {
    const missing = selection.unmatched();
    if (missing.length > 0 && !selection.isAnyMatched) {
      const more = missing.length > maxNamedPaths ? ` and ${missing.length - maxNamedPaths} more` : '';
      const named = missing.slice(0, maxNamedPaths).map((path) => `"${path}"`);
      return new FarkeepError('call.not-found', `The restore point does not hold ${named.join(', ')}${more}`, {
        hint: 'Paths are relative to the source folder, as "farkeep point ls" shows them.',
      });
    }
    return restoreFailure(counts);
  }

  receive(streamIndex: number, message: FromWorker): void {
    this.#fetcher.receive(streamIndex, message);
  }

  fail(error: FarkeepError): void {
    this.#isBroken = true;
    this.#aborted.reject(error);
    for (const budget of [this.#budget, this.#openFiles, this.#placedFiles]) budget.fail(error);
    this.#fetcher.fail(error);
  }

  /**
   * If a hard link is selected but its first name is not, the link is restored as a file. To find such links, the manifest is read a second
   * time. Restore points without hard links do not need this second read.
   */
  async #chosenItems(root: PointRoot, selection: PathSelection): Promise<AsyncIterable<ManifestItem>> {
    if (selection.isAll) return readManifest(fetchManifest(root, this.#fetcher));
    const isChosen = (path: Buffer): boolean => selection.includes(path);
    const choice = { isChosen, leadsToChosen: (path: Buffer): boolean => selection.leadsTo(path) };
    if (root.totals.hardLinks === 0)
      return chooseItems(readManifest(fetchManifest(root, this.#fetcher)), choice, new Set());
    const contents = new RereadableManifest(root, this.#fetcher);
    const wanted = await findLinkedElsewhere(readManifest(contents.read()), isChosen);
    return chooseItems(readManifest(contents.read()), choice, wanted);
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.#files);
    if (this.#placing > 0) await new Promise<void>((resolve) => (this.#onNonePlacing = resolve));
  }

  /** Returns a promise only if it has to wait: a turn of the event loop for each small file would cost more than making the file. */
  #item(item: ManifestItem, writer: RestoreWriter, selection: PathSelection): Promise<void> | undefined {
    const current = this.#current;
    switch (item.type) {
      case 'entry':
        this.#current = undefined;
        return this.#entry(item.entry, writer, selection);
      case 'content':
        if (current === undefined) return undefined;
        return 'sink' in current ? this.#content(current, item.content) : current.compare(item.content);
      case 'file-end':
        this.#current = undefined;
        if (current === undefined) return undefined;
        if ('sink' in current) this.#end(current, item);
        else this.#passed(current.entry, () => current.finish(item));
        return undefined;
    }
  }

  #entry(entry: TreeEntry, writer: RestoreWriter, selection: PathSelection): Promise<void> | undefined {
    if (entry.kind === 'special' && !isMissed(entry.special) && selection.names(entry.path))
      this.#namedSpecials.push(showPath(entry.path));
    const isOnTheWay = entry.kind === 'folder' && !selection.includes(entry.path);
    const objectName = isOnTheWay ? '' : this.#object(entry.path);
    const begun = writer.begin(entry, isOnTheWay);
    if (entry.kind === 'hardlink') this.#processedFiles += 1;
    if (begun instanceof Promise) return begun.then((file) => this.#file(entry, file, objectName));
    return this.#file(entry, begun, objectName);
  }

  #file(entry: TreeEntry, begun: BegunFile, objectName: string): Promise<void> | undefined {
    if (entry.kind !== 'file') return undefined;
    if (begun === undefined) {
      this.#passed(entry);
      return undefined;
    }
    if ('sink' in begun) {
      const { smallFile } = begun.sink;
      return smallFile === undefined
        ? this.#open(entry, begun.sink, objectName)
        : this.#place(begun.sink, smallFile, objectName);
    }
    this.#current = begun.compared;
    return begun.compared.compare(entry.content);
  }

  /** Counts a file that needs no blocks. */
  #passed(entry: FileEntry, end?: () => void): void {
    end?.();
    this.#processedFiles += 1;
    this.#processedBytes += entry.sizeBytes;
  }

  async #open(entry: FileEntry, sink: PlaceableFile, objectName: string): Promise<void> {
    if (!this.#openFiles.tryTake(1)) await this.#openFiles.take(1);
    const file: OpenFile = { sink, objectName, tail: Promise.resolve(), error: undefined };
    await this.#content(file, entry.content);
    if (entry.isContinued) this.#current = file;
    else this.#end(file, undefined);
  }

  /** Requests the block, and lets the worker that receives it make the file. Waits while the limits are reached. */
  #place(sink: PlaceableFile, smallFile: SmallFile, objectName: string): Promise<void> | undefined {
    const cost = sink.entry.sizeBytes + blockOverheadBytes;
    const ask = (): void => this.#askFor(sink, smallFile, objectName, cost);
    if (this.#placedFiles.tryTake(1)) {
      if (this.#budget.tryTake(cost)) {
        ask();
        return undefined;
      }
      return this.#budget.take(cost).then(ask);
    }
    return this.#placedFiles
      .take(1)
      .then(() => this.#budget.take(cost))
      .then(ask);
  }

  #askFor(sink: PlaceableFile, file: SmallFile, objectName: string, cost: number): void {
    const { sizeBytes, content } = sink.entry;
    const id = content[0]?.id;
    if (id == null) throw new FarkeepError('call.internal', 'A file without a block cannot be made of one');
    this.#placing += 1;
    this.#fetcher.place(id, { lane: sink.lane, lengthBytes: sizeBytes, file }, (outcome) => {
      this.#placing -= 1;
      this.#processedFiles += 1;
      this.#processedBytes += sizeBytes;
      this.#budget.giveBack(cost);
      this.#placedFiles.giveBack(1);
      if (outcome.error === undefined) {
        sink.placed(outcome.refused);
        this.#written(sizeBytes, objectName);
      } else this.#finishing(sink.fail(outcome.error));
      if (this.#placing === 0) this.#onNonePlacing?.();
    });
  }

  /** Requests the pieces and queues their writing. Waits while the limits are reached. */
  async #content(file: OpenFile, content: readonly ContentReference[]): Promise<void> {
    for (const { id, lengthBytes } of content) {
      if (id === null) {
        file.tail = file.tail.then(() => {
          file.sink.hole(lengthBytes);
          this.#processedBytes += lengthBytes;
        });
        continue;
      }
      const cost = lengthBytes + blockOverheadBytes;
      await this.#budget.take(cost);
      const arriving = this.#fetcher.fetch(id, lengthBytes);
      file.tail = file.tail.then(() => this.#write(file, arriving, lengthBytes, cost));
    }
  }

  async #write(file: OpenFile, arriving: Promise<FetchedBlock>, lengthBytes: number, cost: number): Promise<void> {
    try {
      const { content, release } = await arriving;
      if (content.length !== lengthBytes)
        throw new FarkeepError('restore.mismatch', `A block has ${content.length} bytes instead of ${lengthBytes}`);
      if (file.error !== undefined) return;
      await file.sink.write(content, release);
      this.#written(lengthBytes, file.objectName);
    } catch (error) {
      file.error ??= error;
    } finally {
      this.#processedBytes += lengthBytes;
      this.#budget.giveBack(cost);
    }
  }

  #end(file: OpenFile, end: Parameters<FileSink['finish']>[0]): void {
    this.#finishing(
      file.tail
        .then(() => (file.error === undefined ? file.sink.finish(end) : file.sink.fail(file.error)))
        .finally(() => {
          this.#openFiles.giveBack(1);
          this.#processedFiles += 1;
        }),
    );
  }

  #written(lengthBytes: number, objectName: string): void {
    this.#writtenBytes += lengthBytes;
    const object = this.#objects.get(objectName);
    if (object !== undefined) object.bytes += lengthBytes;
  }

  #finishing(end: Promise<void>): void {
    const done: Promise<void> = end
      .catch((error: unknown) => {
        this.fail(toFarkeepError(error));
      })
      .finally(() => this.#files.delete(done));
    this.#files.add(done);
  }

  /** Returns the first part of the path; the top folder has an empty name. */
  #object(path: Buffer): string {
    const slash = path.indexOf(0x2f);
    const name = showPath(slash === -1 ? path : path.subarray(0, slash));
    if (name !== '' && !this.#objects.has(name)) {
      this.#objects.set(name, { bytes: 0, problems: 0, losses: 0 });
      this.#emit({ type: 'object', name, state: 'running', bytes: 0 });
    }
    return name;
  }

  #problem({ path, code, message, isRestored, group }: RestoreProblem): void {
    if (this.#isBroken) return;
    if (code === 'storage.disk-full') {
      // Further data could not be written, so the session ends now.
      this.fail(noRoomLeft(`${showPath(path)} could not be written, and nothing after it`));
      return;
    }
    const object = this.#objects.get(this.#object(path));
    if (object !== undefined) {
      object.problems += 1;
      if (!isRestored && isDamage(code)) object.losses += 1;
    }
    const text = group === undefined ? message : `${message}: ${namesOf(group, showPath)}`;
    this.#emit({ type: 'warning', warning: { code, message: text, path: showPath(path) } });
  }
}
