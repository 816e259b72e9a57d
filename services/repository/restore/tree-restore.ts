// Owns the loop of a restore from stored blocks. Works with any source of blocks: a local store, or a mover.
//
// for each item of the manifest, in tree order:
//   begin its entry; for each part of its content, add a step "hole" or "block"
//   request each block; at the end of a file, add a step "finish"
// for each block that arrives, in the order of the requests:
//   check its content and write it to the file of the first step
//   carry out the steps after it, up to the next step "block"
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { decodeBlock, type BlockContext } from '../../blocks/block-codec.ts';
import type { BlockOutcome, BlockStore } from '../../blocks/block-store.ts';
import type { ManifestItem, TreeEntry } from '../points/tree-entry.ts';
import type { FileSink } from './file-sink.ts';
import type { ComparedFile } from './tree-writer.ts';

export interface RestoreProgress {
  readonly entries: number;
  readonly contentBytes: number;
  readonly path: Buffer;
}

export interface RestoreTreeOptions {
  readonly items: AsyncIterable<ManifestItem> | Iterable<ManifestItem>;
  /** A TreeWriter. */
  readonly writer: { begin(entry: TreeEntry): BegunContent | Promise<BegunContent> };
  readonly blocks: Pick<BlockStore, 'readMany'>;
  /** The job that made the restore point. */
  readonly chain: string;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly signal?: AbortSignal;
}

/** Either a sink for the content, or a file that is only compared with the content. */
export type BegunContent = { readonly sink: FileSink } | { readonly compared: ComparedFile } | undefined;

type Step =
  | { readonly do: 'block'; readonly sink: FileSink; readonly lengthBytes: number }
  | { readonly do: 'hole'; readonly sink: FileSink; readonly lengthBytes: number }
  | {
      readonly do: 'finish';
      readonly sink: FileSink;
      readonly end: Extract<ManifestItem, { type: 'file-end' }> | undefined;
    };

/**
 * Limit of waiting steps. Above this limit, all requested blocks are fetched before the restore reads further entries. So the memory stays
 * bounded for trees of empty files.
 */
const maxWaitingSteps = 8192;
const decodesAhead = 4;

/**
 * Restores all items. Files that cannot be restored are problems in the writer's result. Rejects only if the whole restore cannot continue.
 */
export async function restoreTree({
  items,
  writer,
  blocks,
  chain,
  onProgress,
  signal,
}: RestoreTreeOptions): Promise<void> {
  const steps: Step[] = [];
  let head = 0;
  let entries = 0;
  let contentBytes = 0;

  const runReadySteps = async (): Promise<void> => {
    for (let step = steps[head]; step !== undefined && step.do !== 'block'; step = steps[head]) {
      head += 1;
      if (step.do === 'hole') step.sink.hole(step.lengthBytes);
      else await step.sink.finish(step.end);
    }
    if (head > 1024) {
      steps.splice(0, head);
      head = 0;
    }
  };

  const plan = async function* (): AsyncGenerator<Buffer | undefined, void, undefined> {
    let continued: FileSink | undefined;
    let compared: ComparedFile | undefined;
    for await (const item of items) {
      signal?.throwIfAborted();
      let sink: FileSink | undefined = continued;
      let content = item.type === 'content' ? item.content : [];
      if (item.type === 'entry') {
        const begun = await writer.begin(item.entry);
        sink = begun !== undefined && 'sink' in begun ? begun.sink : undefined;
        compared = begun !== undefined && 'compared' in begun ? begun.compared : undefined;
        entries += 1;
        onProgress?.({ entries, contentBytes, path: item.entry.path });
        continued = undefined;
        if (item.entry.kind === 'file') {
          content = item.entry.content;
          if (item.entry.isContinued) continued = sink;
        }
      }
      await compared?.compare(content);
      if (item.type === 'file-end') compared?.finish(item);
      if (sink === undefined) continue;
      for (const { id, lengthBytes } of content) {
        steps.push({ do: id === null ? 'hole' : 'block', sink, lengthBytes });
        if (id !== null) yield id;
      }
      if (item.type === 'file-end' || (item.type === 'entry' && continued === undefined)) {
        steps.push({ do: 'finish', sink, end: item.type === 'file-end' ? item : undefined });
        continued = undefined;
      }
      if (steps[head]?.do !== 'block') await runReadySteps();
      if (steps.length - head > maxWaitingSteps) yield undefined;
    }
  };

  for await (const result of decodeAhead(blocks.readMany(plan()), { chain, kind: 'data', purpose: 'repository' })) {
    signal?.throwIfAborted();
    const step = steps[head];
    if (step?.do !== 'block') throw new FarkeepError('protocol.malformed', 'A block arrived that was not requested');
    head += 1;
    if (!('content' in result)) await step.sink.fail(result.error);
    else if (result.content.length !== step.lengthBytes) {
      await step.sink.fail(
        new FarkeepError(
          'restore.mismatch',
          `A block has ${result.content.length} bytes instead of ${step.lengthBytes}`,
        ),
      );
    } else {
      contentBytes += result.content.length;
      await step.sink.write(result.content);
    }
    await runReadySteps();
  }
  await runReadySteps();
  if (steps.length > head) throw new FarkeepError('connection.lost', 'The blocks ended before the restore point did');
}

type Decoded = { readonly content: Buffer } | { readonly error: unknown };

/** Decodes and checks several blocks at once, and keeps their order. */
async function* decodeAhead(
  outcomes: AsyncIterable<BlockOutcome | undefined>,
  context: BlockContext,
): AsyncGenerator<Decoded, void, undefined> {
  const waiting: Promise<Decoded>[] = [];
  for await (const outcome of outcomes) {
    if (outcome !== undefined) waiting.push(decode(outcome, context));
    while (waiting.length >= decodesAhead || (outcome === undefined && waiting.length > 0)) {
      const next = waiting.shift();
      if (next !== undefined) yield await next;
    }
  }
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield await next;
}

/** Never rejects. */
async function decode(outcome: BlockOutcome, context: BlockContext): Promise<Decoded> {
  if (outcome.block === undefined) return { error: outcome.error };
  try {
    return { content: await decodeBlock(outcome.block, context) };
  } catch (error) {
    return { error };
  }
}
