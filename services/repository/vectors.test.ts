// Compares the objects that this code writes into a repository folder with recorded bytes (vectors/*.json). format-document.test.ts reads
// the same files.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ManifestWriter, readManifest as readEntries } from '../testing/independent/manifest-records.ts';
import { expectVector } from '../testing/vector-file.ts';
import { decodeMarks, encodeMarks } from './packs/damage-marks.ts';
import { ManifestEncoder, readManifest } from './points/manifest.ts';
import {
  blockHeaderBytes,
  encodeBlockHeader,
  encodePackEnd,
  encodePackHeader,
  packHeaderBytes,
} from './packs/pack-format.ts';
import { decodePointRoot, encodePointRoot } from './points/point-root.ts';
import type { ContentReference, ManifestItem, TreeEntry } from './points/tree-entry.ts';

const vector = (name: string): URL => new URL(`./vectors/${name}.json`, import.meta.url);
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();

/** Contents that the manifest names and the pack holds. */
const contents = [Buffer.from('The first block.'), Buffer.from('words '.repeat(100)), Buffer.from('end')];
/** The second content as a zstd frame. */
const packed = Buffer.from('28b52ffd6058016d000030776f7264732001004f529522', 'hex');
const blockOf = (index: number): ContentReference => {
  const content = contents[index] ?? Buffer.alloc(0);
  return { id: sha256(content), lengthBytes: content.length };
};

function manifestItems(): ManifestItem[] {
  const entry = (name: string, rest: object): ManifestItem => ({
    type: 'entry',
    entry: {
      path: Buffer.from(name, 'latin1'),
      mode: 0o644,
      owner: { uid: 1000, gid: 1001, userName: 'jo', groupName: '' },
      mtimeNs: 1_700_000_000_123_456_789n,
      isChangedWhileRead: false,
      isUnreadable: false,
      extendedAttributes: [],
      ...rest,
    } as unknown as TreeEntry,
  });
  const hole = { id: null, lengthBytes: 70_000 };
  const file = { kind: 'file', isContinued: false };
  return [
    entry('', { kind: 'folder', mode: 0o755 }),
    entry('continued', {
      ...file,
      isContinued: true,
      sizeBytes: 4_000,
      content: [blockOf(0)],
      isChangedWhileRead: true,
    }),
    { type: 'content', content: [hole, blockOf(1), blockOf(2)] },
    { type: 'file-end', sizeBytes: 16 + 70_000 + 600 + 3, isChangedWhileRead: true, isUnreadable: false },
    entry('empty', { ...file, sizeBytes: 0, content: [], mtimeNs: -1n }),
    entry('folder', { kind: 'folder', mode: 0o2750, mtimeNs: 0n }),
    entry('folder/link', { kind: 'symlink', mode: 0o777, target: Buffer.from('../no where/\xe9', 'latin1') }),
    entry('folder/pipe', { kind: 'special', special: 'fifo', deviceMajor: 0, deviceMinor: 0 }),
    entry('folder/\xe9\xff', { ...file, sizeBytes: 70_016, content: [blockOf(0), hole] }),
    entry('folder.txt', {
      ...{ kind: 'hardlink', target: Buffer.from('empty'), mtimeNs: -1n },
      extendedAttributes: [{ name: Buffer.from('user.note'), value: Buffer.of(0, 255) }],
    }),
    entry('null', { kind: 'special', special: 'character-device', deviceMajor: 1, deviceMinor: 3 }),
    entry('unread', { ...file, sizeBytes: 12, content: [], isUnreadable: true }),
  ];
}

async function itemsOf(pieces: readonly Buffer[]): Promise<ManifestItem[]> {
  const items: ManifestItem[] = [];
  for await (const item of readManifest(pieces)) items.push(item);
  return items;
}

describe('recorded objects of a repository', () => {
  it('include a manifest, and the same manifest with other piece boundaries', async () => {
    const encoder = new ManifestEncoder();
    const items = manifestItems();
    const pieces = [...items.flatMap((item) => encoder.add(item)), encoder.finish()];
    const read = await itemsOf(pieces);
    expect(read).toEqual(items);
    // The second implementation writes this manifest: one record in each piece, and files that continue after two contents.
    const writer = new ManifestWriter(1, 2);
    for (const entry of readEntries(pieces)) writer.add(entry);
    const cutPieces = writer.finish();
    expect(cutPieces.length).toBe(13);
    const entries = (from: readonly ManifestItem[]): unknown[] =>
      from.flatMap((item) => (item.type === 'entry' ? [[item.entry.path, item.entry.kind, item.entry.mtimeNs]] : []));
    expect(entries(await itemsOf(cutPieces))).toEqual(entries(items));
    expectVector(vector('manifest'), {
      about:
        'docs/repository-format.md, section 4. "pieces" is one manifest as a writer makes it; "cutPieces" holds the same entries, ' +
        'without the names of owners and without attributes, and ends its pieces and its continued files elsewhere. Names, targets and identifiers are hex; ' +
        'mtimeNs is text, since it needs more than 53 bits.',
      entries: readEntries(pieces).map(({ path, content, target, mtimeNs, ...rest }) => ({
        path: path.map((name) => Buffer.from(name, 'latin1').toString('hex')),
        ...rest,
        mtimeNs: `${mtimeNs}`,
        target: Buffer.from(target, 'latin1').toString('hex'),
        content: content.map(({ id, length }) => ({ id: id?.toString('hex') ?? null, length })),
      })),
      pieces: pieces.map((piece) => piece.toString('hex')),
      cutPieces: cutPieces.map((piece) => piece.toString('hex')),
    });
  });

  it('include the root of a restore point', () => {
    const root = {
      pointId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
      jobId: '0123456789abcdef0123456789abcdef',
      jobName: 'docum\u00e9nts',
      createdAtMs: 1_700_000_000_000,
      sourceHost: 'pc.example',
      sourcePaths: ['/home/jo'],
      state: 'complete',
      software: 'a vector',
      blockIdentifier: 'sha256',
      encryption: 'none',
      totals: {
        ...{ sourceBytes: 70_619, contentBytes: 619, files: 1, folders: 1, symlinks: 0, hardLinks: 0, specials: 0 },
        ...{ blocks: 3, warnings: 0 },
      },
      manifest: { level: 0, blocks: [{ id: sha256('piece').toString('hex'), lengthBytes: 5 }] },
    } as const;
    const bytes = encodePointRoot(root);
    expect(decodePointRoot(bytes)).toEqual(root);
    expectVector(vector('root'), {
      about: 'docs/repository-format.md, section 5. The file, in hex.',
      fields: root,
      bytes: bytes.toString('hex'),
    });
  });

  it('include a pack', () => {
    const packId = sha256('pack').subarray(0, 16);
    const parts = [encodePackHeader({ packId, createdAtMs: 1_700_000_000_000 })];
    let offset = packHeaderBytes;
    const blocks = contents.map((content, index) => {
      const stored = index === 1 ? packed : content;
      const encoding = index === 1 ? ('zstd' as const) : ('raw' as const);
      const lengths = { storedLength: stored.length, contentLength: content.length };
      const block = {
        id: sha256(content),
        encoding,
        ...lengths,
        crc: crc32(stored),
        offset: offset + blockHeaderBytes,
      };
      parts.push(encodeBlockHeader(block), stored);
      offset += blockHeaderBytes + stored.length;
      return block;
    });
    parts.push(encodePackEnd(packId, blocks, offset));
    expectVector(vector('pack'), {
      about: 'docs/repository-format.md, section 3. The file, in hex, and what it holds.',
      name: `${packId.toString('hex')}.pack`,
      contents: contents.map((content) => content.toString('hex')),
      bytes: Buffer.concat(parts).toString('hex'),
    });
  });

  it('include marks of damaged blocks', () => {
    const ids = contents.map(sha256);
    const [first, second] = ['pack', 'another pack'].map((name) => sha256(name).subarray(0, 16));
    if (first === undefined || second === undefined) throw new Error('There are two packs');
    const plain = [
      { packId: first, ids: ids.slice(0, 2), untrueIds: [] },
      { packId: second, ids: [], untrueIds: [] },
    ];
    const withCauses = [{ packId: first, ids, untrueIds: ids.slice(2) }];
    const files = [plain, withCauses].map((packs) => {
      const bytes = encodeMarks(packs);
      expect(decodeMarks(bytes)).toEqual(packs);
      return {
        packs: packs.map(({ packId, ids: all, untrueIds }) => ({
          pack: packId.toString('hex'),
          blocks: all.map((id) => ({ id: id.toString('hex'), isUntrue: untrueIds.includes(id) })),
        })),
        bytes: bytes.toString('hex'),
      };
    });
    expectVector(vector('marks'), {
      about: 'docs/repository-format.md, section 9. Two files, of version 1 and 2, in hex.',
      files,
    });
  });
});
