// Owns reading the manifest's blocks by the root of a restore point, and making the list of these blocks. If there are too many blocks for
// the root, the list is itself stored as blocks.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { blockIdBytes } from '../../blocks/block.ts';
import { maxManifestBlockBytes } from './manifest-format.ts';
import { maxManifestBlocksInRoot, type PointRoot } from './point-root-fields.ts';

export interface ManifestBlockReference {
  readonly id: Buffer;
  readonly lengthBytes: number;
}

const referenceBytes = blockIdBytes + 4;
const referencesPerListBlock = 16_384;
/**
 * Limit of manifest blocks; allows at least 128 GiB of manifest. Without this limit, an attacker could name a list block of a few MiB 4,096
 * times, and the list would need gigabytes of memory.
 */
export const maxManifestBlocks = 2 ** 20;

/**
 * Returns the manifest's description for the root. If there are very many blocks, their list is returned as `listBlocks`: the caller must
 * store these contents as blocks too, and the root names only these.
 *
 * @param idOf returns the identifier of a content, as for every block of the job
 */
export function describeManifest(
  references: readonly ManifestBlockReference[],
  idOf: (content: Buffer) => Buffer,
): {
  readonly manifest: PointRoot['manifest'];
  readonly listBlocks: { readonly id: Buffer; readonly content: Buffer }[];
} {
  if (references.length <= maxManifestBlocksInRoot) {
    return {
      manifest: {
        level: 0,
        blocks: references.map(({ id, lengthBytes }) => ({ id: id.toString('hex'), lengthBytes })),
      },
      listBlocks: [],
    };
  }
  const listBlocks: { id: Buffer; content: Buffer }[] = [];
  for (let start = 0; start < references.length; start += referencesPerListBlock) {
    const part = references.slice(start, start + referencesPerListBlock);
    const content = Buffer.alloc(part.length * referenceBytes);
    part.forEach(({ id, lengthBytes }, index) => {
      id.copy(content, index * referenceBytes);
      content.writeUInt32BE(lengthBytes, index * referenceBytes + blockIdBytes);
    });
    listBlocks.push({ id: idOf(content), content });
  }
  return {
    manifest: {
      level: 1,
      blocks: listBlocks.map(({ id, content }) => ({ id: id.toString('hex'), lengthBytes: content.length })),
    },
    listBlocks,
  };
}

/**
 * Yields the manifest's blocks in order. Each list of blocks is read when its first entry is needed. The list is released after its last
 * entry.
 *
 * @param readContent gives the checked content of a block
 */
export async function* manifestReferences(
  root: PointRoot,
  readContent: (id: Buffer) => Promise<Buffer>,
): AsyncGenerator<ManifestBlockReference, void, undefined> {
  const direct = root.manifest.blocks.map(({ id, lengthBytes }) => ({ id: Buffer.from(id, 'hex'), lengthBytes }));
  if (root.manifest.level === 0) {
    yield* direct;
    return;
  }
  let count = 0;
  for (const { id } of direct) {
    const content = await readContent(id);
    if (content.length === 0 || content.length % referenceBytes !== 0)
      throw new FarkeepError('storage.damaged', `Restore point ${root.pointId}: the list of its manifest is malformed`);
    count += content.length / referenceBytes;
    if (count > maxManifestBlocks)
      throw new FarkeepError(
        'storage.damaged',
        `Restore point ${root.pointId}: its manifest claims more than ${maxManifestBlocks} blocks`,
      );
    for (let at = 0; at < content.length; at += referenceBytes) {
      const lengthBytes = content.readUInt32BE(at + blockIdBytes);
      if (lengthBytes === 0 || lengthBytes > maxManifestBlockBytes)
        throw new FarkeepError(
          'storage.damaged',
          `Restore point ${root.pointId}: a manifest block claims ${lengthBytes} bytes`,
        );
      yield { id: content.subarray(at, at + blockIdBytes), lengthBytes };
    }
  }
}

/** Returns all blocks of the manifest in order, for callers that read several at a time. The largest manifest needs up to 200 MiB. */
export async function readManifestReferences(
  root: PointRoot,
  readContent: (id: Buffer) => Promise<Buffer>,
): Promise<{ readonly blocks: ManifestBlockReference[] }> {
  const blocks: ManifestBlockReference[] = [];
  for await (const reference of manifestReferences(root, readContent)) blocks.push(reference);
  return { blocks };
}

/** Yields the contents of the manifest's blocks in order, for readManifest. `readContent` must limit the cost. */
export async function* readManifestContents(
  root: PointRoot,
  readContent: (id: Buffer) => Promise<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const { id, lengthBytes } of manifestReferences(root, readContent)) {
    const content = await readContent(id);
    if (content.length !== lengthBytes)
      throw new FarkeepError(
        'storage.damaged',
        `Restore point ${root.pointId}: a manifest block has ${content.length} bytes instead of ${lengthBytes}`,
      );
    yield content;
  }
}
