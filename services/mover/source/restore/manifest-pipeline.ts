// Owns fetching a restore point's manifest, for a restore or to save it for browsing (saved-manifest.ts).
import type { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { blockIdOf } from '../../../blocks/block.ts';
import { readManifestReferences } from '../../../repository/points/manifest-chain.ts';
import { readManifest } from '../../../repository/points/manifest.ts';
import { decodePointRoot } from '../../../repository/points/point-root.ts';
import type { PointRoot } from '../../../repository/points/point-root-fields.ts';
import { BlockFetcher } from './block-fetcher.ts';
import type { FetchedBlock } from './block-fetcher.ts';
import type { ManifestOperation, MoverPhase, SourceTotals } from '../../link/local-link.ts';
import { SavedManifestWriter } from './saved-manifest.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import type { FromWorker } from '../streams/worker-link.ts';

const readAheadBlocks = 4;
/** A manifest up to this size is kept in memory if it is read twice. A larger one is fetched again. */
const maxKeptBytes = 16 * 1024 * 1024;

/** Yields the contents of the manifest's blocks in order, and requests a few blocks ahead. */
export async function* fetchManifest(root: PointRoot, fetcher: BlockFetcher): AsyncGenerator<Buffer, void, undefined> {
  const { blocks } = await readManifestReferences(root, async (id) => (await fetcher.fetch(id, 0)).content);
  const ahead: Promise<FetchedBlock>[] = [];
  let next = 0;
  for (;;) {
    for (; ahead.length < readAheadBlocks && next < blocks.length; next += 1) {
      const block = blocks[next];
      if (block !== undefined) ahead.push(fetcher.fetch(block.id, block.lengthBytes));
    }
    const first = ahead.shift();
    if (first === undefined) return;
    yield (await first).content;
  }
}

/** A manifest that can be read several times. A small one is fetched only once. */
export class RereadableManifest {
  readonly #root: PointRoot;
  readonly #fetcher: BlockFetcher;
  #kept: Buffer[] | undefined;

  constructor(root: PointRoot, fetcher: BlockFetcher) {
    this.#root = root;
    this.#fetcher = fetcher;
  }

  /** Yields the contents of the manifest's blocks in order. Only one `read` may run at a time. */
  async *read(): AsyncGenerator<Buffer, void, undefined> {
    if (this.#kept !== undefined) {
      yield* this.#kept;
      return;
    }
    let kept: Buffer[] | undefined = [];
    let keptBytes = 0;
    for await (const content of fetchManifest(this.#root, this.#fetcher)) {
      keptBytes += content.length;
      if (keptBytes > maxKeptBytes) kept = undefined;
      kept?.push(content);
      yield content;
    }
    this.#kept = kept;
  }
}

export class ManifestPipeline {
  readonly #operation: ManifestOperation;
  readonly #pool: PipelineStreams;
  readonly #fetcher: BlockFetcher;
  #entries = 0;
  readonly phase: MoverPhase = 'transferring';

  constructor({ operation, pool }: { operation: ManifestOperation; pool: PipelineStreams }) {
    this.#operation = operation;
    this.#pool = pool;
    this.#fetcher = new BlockFetcher(pool);
  }

  totals(): SourceTotals {
    const { transferredBytes, contentBytes, newBlocks } = this.#pool.counters;
    return {
      totalBytes: undefined,
      totalFiles: undefined,
      processedBytes: transferredBytes,
      readBytes: 0,
      transferredBytes,
      contentBytes,
      durableBytes: 0,
      processedFiles: this.#entries,
      skippedFiles: 0,
      unchangedFiles: 0,
      newBlocks,
      reusedBlocks: 0,
    };
  }

  /** Fetches the manifest, and saves it only if it is complete and can be decoded to its end. */
  async run(rootBytes: Buffer): Promise<{ readonly rootHash: string; readonly warningCount: number }> {
    const root = decodePointRoot(rootBytes, this.#operation.pointId);
    const writer = await SavedManifestWriter.create(this.#operation.saveTo, rootBytes);
    try {
      const contents = fetchManifest(root, this.#fetcher);
      const saved = (async function* save() {
        for await (const content of contents) {
          await writer.add(content);
          yield content;
        }
      })();
      for await (const item of readManifest(saved)) if (item.type === 'entry') this.#entries += 1;
      await writer.finish();
    } catch (error) {
      await writer.discard();
      throw error;
    }
    return { rootHash: blockIdOf(rootBytes).toString('hex'), warningCount: 0 };
  }

  receive(streamIndex: number, message: FromWorker): void {
    this.#fetcher.receive(streamIndex, message);
  }

  fail(error: FarkeepError): void {
    this.#fetcher.fail(error);
  }
}
