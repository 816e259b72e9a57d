// Owns the rule that a restore point is whole: every block of its manifest, and every block that the manifest names, is there.
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { readManifest } from './manifest.ts';
import { readManifestReferences } from './manifest-chain.ts';
import type { PointRoot } from './point-root-fields.ts';
import type { ManifestItem } from './tree-entry.ts';

export interface PointCheck {
  readonly root: PointRoot;
  readonly hasBlock: (id: Buffer) => boolean;
  readonly readContent: (id: Buffer) => Promise<Buffer>;
  /** Instead of walking the manifest (when it cannot be read here). */
  readonly referenced?: Iterable<Buffer> | AsyncIterable<Buffer> | undefined;
}

/** Identifiers of the data blocks an item refers to. */
export function blocksOf(item: ManifestItem): Buffer[] {
  const content =
    item.type === 'content'
      ? item.content
      : item.type === 'entry' && item.entry.kind === 'file'
        ? item.entry.content
        : [];
  return content.flatMap(({ id }) => (id === null ? [] : [id]));
}

/** Throws point.incomplete naming what is missing. */
export async function checkPointIsWhole({ root, hasBlock, readContent, referenced }: PointCheck): Promise<void> {
  const missing = (what: string, id: Buffer): FarkeepError =>
    new FarkeepError(
      'point.incomplete',
      `Restore point ${root.pointId}: ${what} ${id.toString('hex').slice(0, 16)} is missing`,
    );
  try {
    const { lists, blocks } = await readManifestReferences(root, async (id) => {
      if (!hasBlock(id)) throw missing('the manifest list block', id);
      return readContent(id);
    });
    for (const { id } of [...lists, ...blocks]) if (!hasBlock(id)) throw missing('the manifest block', id);
    if (referenced !== undefined) {
      for await (const id of referenced) if (!hasBlock(id)) throw missing('the block', id);
      return;
    }
    const contents = async function* (): AsyncGenerator<Buffer, void, undefined> {
      for (const { id } of blocks) yield await readContent(id);
    };
    for await (const item of readManifest(contents())) {
      for (const id of blocksOf(item)) if (!hasBlock(id)) throw missing('the block', id);
    }
  } catch (error) {
    const known = toFarkeepError(error, 'storage.io');
    if (known.code === 'point.incomplete') throw known;
    throw new FarkeepError('point.incomplete', `Restore point ${root.pointId} cannot be committed: ${known.message}`, {
      cause: error,
    });
  }
}
