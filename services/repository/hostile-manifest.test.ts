// Tests manifests that an attacker made expensive to read. The cost of commit and verify must depend on the stored size, not on the claimed
// size.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { appendContent, randomContent, rootOf, scratchFolder } from '../testing/repository/repository-fixture.ts';
import { blockIdOf } from '../blocks/block.ts';
import { extractPoint } from './restore/extract.ts';
import { RecordWriter, manifestMagic, recordTypes } from './points/manifest-format.ts';
import { ManifestWalk } from './points/manifest-walk.ts';
import { ManifestDecoder } from './points/manifest.ts';
import { encodePointRoot } from './points/point-root.ts';
import { TenantStore } from './store/tenant-store.ts';
import { verifyPlace } from './store/verify.ts';
import { openFolderPlace } from './folder/folder-place.ts';

const logger = silentLogger;
const mebibyte = 1024 * 1024;

type Record = readonly [type: number, body: (output: RecordWriter) => void];

function piece(flags: number, at: string, records: readonly Record[]): Buffer {
  const output = new RecordWriter();
  const head = Buffer.alloc(6);
  head.writeUInt32BE(manifestMagic);
  head.writeUInt8(1, 4);
  head.writeUInt8(flags, 5);
  output.raw(head);
  output.sized(Buffer.from(at));
  for (const [type, body] of records) {
    const record = new RecordWriter();
    body(record);
    output.byte(type);
    output.sized(record.view());
  }
  return output.take();
}

function entry(type: number, depth: number, name: string, flags: number, rest: (output: RecordWriter) => void): Record {
  return [
    type,
    (output) => {
      output.number(depth);
      output.sized(Buffer.from(name));
      output.number(0o600);
      for (let field = 0; field < 2; field += 1) output.number(0);
      for (let field = 0; field < 2; field += 1) output.sized(Buffer.alloc(0));
      for (let field = 0; field < 3; field += 1) output.number(0);
      output.byte(flags);
      output.number(0);
      rest(output);
    },
  ];
}

interface Reference {
  readonly id?: Buffer;
  readonly lengthBytes: number;
}

function writeContent(output: RecordWriter, content: readonly Reference[]): void {
  output.number(content.length);
  for (const { id, lengthBytes } of content) {
    output.byte(id === undefined ? 0 : 1);
    output.number(lengthBytes);
    if (id !== undefined) output.raw(id);
  }
}

const contentRecord = (content: readonly Reference[]): Record => [
  recordTypes.content,
  (output) => {
    writeContent(output, content);
  },
];
const top = entry(recordTypes.folder, 0, '', 0, () => undefined);
/** The record of a continued file "f" in the top folder, without content in this record. */
const openFile = entry(recordTypes.file, 1, 'f', 4, (output) => {
  output.number(0);
  output.number(0);
});
const begin = piece(1, '', [top, openFile]);
const insideFile = (records: readonly Record[]): Buffer => piece(4, 'f', records);
const finish = (sizeBytes: number): Buffer =>
  insideFile([
    [
      recordTypes.fileEnd,
      (output) => {
        output.number(sizeBytes);
        output.byte(0);
      },
    ],
    [
      recordTypes.end,
      (output) => {
        output.number(2);
      },
    ],
  ]);

/** A record of 1,024 holes of one byte each. */
const holeRecord = Buffer.concat([
  Buffer.from([recordTypes.content, 0x82, 0x10, 0x80, 0x08]),
  Buffer.alloc(2048, '\0\x01'),
]);

/**
 * Returns a manifest piece of about `bytes` bytes. The piece contains one-byte holes of a file. Each value of `first` gives a different
 * piece.
 */
function holes(bytes: number, first = 1): { readonly content: Buffer; readonly sizeBytes: number } {
  const records = Math.floor(bytes / holeRecord.length);
  const begun = insideFile([contentRecord([{ lengthBytes: first }])]);
  const content = Buffer.concat([begun, ...Array.from({ length: records }, () => holeRecord)]);
  return { content, sizeBytes: records * 1024 + first };
}

/** Stores each piece once. Returns the root of a restore point whose manifest consists of these pieces, named through a list block. */
async function storePieces(store: TenantStore, pieces: readonly Buffer[], pointId: string): Promise<Buffer> {
  const ids = new Map<Buffer, Buffer>();
  for (const each of new Set(pieces)) ids.set(each, await appendContent(store, each));
  const list = Buffer.alloc(pieces.length * 36);
  pieces.forEach((each, index) => {
    ids.get(each)?.copy(list, index * 36);
    list.writeUInt32BE(each.length, index * 36 + 32);
  });
  const blocks: { id: string; lengthBytes: number }[] = [];
  for (let start = 0; start < list.length; start += 36 * 400_000) {
    const part = list.subarray(start, start + 36 * 400_000);
    blocks.push({ id: (await appendContent(store, part)).toString('hex'), lengthBytes: part.length });
  }
  return encodePointRoot(rootOf(pointId, { manifest: { level: 1, blocks } }));
}

async function commit(store: TenantStore, pieces: readonly Buffer[], pointId = 'p'): Promise<void> {
  await store.commitPoint({ pointId, root: await storePieces(store, pieces, pointId) });
}

/** Returns the used CPU time in seconds, and the growth of this process's peak memory in MiB. */
async function costOf(work: () => Promise<unknown>): Promise<{ readonly seconds: number; readonly mebibytes: number }> {
  const [cpu, memory] = [process.cpuUsage(), process.resourceUsage().maxRSS];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (user + system) / 1e6, mebibytes: (process.resourceUsage().maxRSS - memory) / 1024 };
}

describe('an expensive manifest', () => {
  it('that names one piece 200,000 times: commit and verify walk this piece once', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const { content, sizeBytes } = holes(mebibyte);
    const times = 200_000;
    const pieces = [begin, ...Array.from({ length: times }, () => content), finish(sizeBytes * times)];
    const atCommit = await costOf(() => commit(store, pieces));
    expect(atCommit.seconds).toBeLessThan(5);
    expect(atCommit.mebibytes).toBeLessThan(200);
    const atVerify = await costOf(async () => {
      expect((await verifyPlace({ place: openFolderPlace(scratch.folder), logger })).ok).toBe(true);
    });
    expect(atVerify.seconds).toBeLessThan(5);
  });

  it('is refused early when its pieces unpack to far more than their stored size', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const bombs = Array.from({ length: 60 }, (_, index) => holes(mebibyte, index + 1));
    const size = bombs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const pieces = [begin, ...bombs.map(({ content }) => content), finish(size)];
    for (const each of pieces) await appendContent(store, each);
    await store.flush();
    expect(await store.usedBytes()).toBeLessThan(mebibyte);
    const { seconds } = await costOf(async () => {
      await expect(commit(store, pieces)).rejects.toMatchObject({
        code: 'point.incomplete',
        message: expect.stringContaining('64 times what is stored'),
      });
    });
    expect(seconds).toBeLessThan(3);
    expect(await store.listPoints()).toEqual([]);
    // An attacker could write the root to the disk directly, so readers must refuse it as well.
    writeFileSync(path.join(scratch.folder, 'points', 'p.manifest'), await storePieces(store, pieces, 'p'));
    await store.flush();
    const reading = await costOf(async () => {
      const to = path.join(scratch.folder, 'out');
      await expect(extractPoint({ place: openFolderPlace(scratch.folder), pointId: 'p', to })).rejects.toMatchObject({
        code: 'storage.damaged',
        message: expect.stringContaining('64 times what is stored'),
      });
      const { damaged } = await verifyPlace({ place: openFolderPlace(scratch.folder), logger });
      expect(damaged).toMatchObject([{ manifest: 'points/p.manifest' }]);
    });
    expect(reading.seconds).toBeLessThan(20);
    expect(reading.mebibytes).toBeLessThan(400);
  });

  it('is refused when it is a list of half a million pieces in a few kilobytes', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const one = insideFile([contentRecord([{ lengthBytes: 1 }])]);
    const pieces = [begin, ...Array.from({ length: 500_000 }, () => one), finish(500_000)];
    await expect(commit(store, pieces)).rejects.toMatchObject({ code: 'point.incomplete' });
  });

  it('that names one block millions of times: the block is looked up once, and a missing block after it is found', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const id = await appendContent(store, Buffer.from('x'));
    const record = contentRecord(Array.from({ length: 1024 }, () => ({ id, lengthBytes: 1 })));
    const pieceOf = (last: Reference): Buffer =>
      insideFile([...Array.from({ length: 29 }, () => record), contentRecord([last])]);
    const distinct = Array.from({ length: 14 }, (_, index) => pieceOf({ lengthBytes: index + 1 }));
    const size = 14 * 29 * 1024 + (14 * 15) / 2;
    const { seconds } = await costOf(() => commit(store, [begin, ...distinct, finish(size)]));
    expect(seconds).toBeLessThan(3);
    for (const missing of [Buffer.alloc(32), Buffer.alloc(32, 0xff), randomContent(32)]) {
      const pieces = [begin, pieceOf({ id: missing, lengthBytes: 1 }), finish(29 * 1024 + 1)];
      await expect(commit(store, pieces, 'q')).rejects.toMatchObject({
        code: 'point.incomplete',
        message: expect.stringContaining(missing.toString('hex').slice(0, 16)),
      });
    }
  });

  it('may name a piece of one file several times: the restored file is complete', async () => {
    await using scratch = await scratchFolder();
    const folder = path.join(scratch.folder, 'tenant');
    const block = randomContent(1000);
    {
      await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
      const id = await appendContent(store, block);
      const again = insideFile([contentRecord([{ id, lengthBytes: 1000 }])]);
      await commit(store, [begin, again, again, again, finish(3000)]);
      // A repeated piece is refused if it breaks the order of entries, or if the file's size no longer matches.
      await expect(commit(store, [begin, again, again, finish(3000)], 'q')).rejects.toMatchObject({
        code: 'point.incomplete',
      });
      await expect(commit(store, [begin, begin, again, finish(1000)], 'q')).rejects.toMatchObject({
        code: 'point.incomplete',
      });
    }
    const to = path.join(scratch.folder, 'out');
    await extractPoint({ place: openFolderPlace(folder), pointId: 'p', to });
    expect(readFileSync(path.join(to, 'f'))).toEqual(Buffer.concat([block, block, block]));
  });

  it('may have a hard link to a missing file: only this entry gets a problem', async () => {
    await using scratch = await scratchFolder();
    const folder = path.join(scratch.folder, 'tenant');
    const link = (name: string, target: string): Record =>
      entry(recordTypes.hardlink, 1, name, 0, (output) => {
        output.sized(Buffer.from(target));
      });
    const empty = (name: string): Record =>
      entry(recordTypes.file, 1, name, 0, (output) => {
        output.number(0);
        output.number(0);
      });
    const end: Record = [
      recordTypes.end,
      (output) => {
        output.number(5);
      },
    ];
    {
      await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
      await commit(store, [piece(1, '', [top, empty('b'), link('c', 'a'), link('d', 'b'), empty('e'), end])]);
      const forward = piece(1, '', [top, empty('b'), link('c', 'd'), link('d', 'b'), empty('e'), end]);
      await expect(commit(store, [forward], 'q')).rejects.toMatchObject({ code: 'point.incomplete' });
    }
    const to = path.join(scratch.folder, 'out');
    const { problems } = await extractPoint({ place: openFolderPlace(folder), pointId: 'p', to });
    expect(problems.map((problem) => problem.path.toString())).toEqual(['c']);
    for (const name of ['b', 'd', 'e']) expect(existsSync(path.join(to, name)), name).toBe(true);
  });

  it('may not have a piece without a record', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const pieces = [begin, insideFile([]), finish(0)];
    await expect(commit(store, pieces)).rejects.toMatchObject({ code: 'point.incomplete' });
    const decoder = new ManifestDecoder();
    expect(() => pieces.forEach((each) => [...decoder.decode(each)])).toThrow('no record');
  });
});

/** Returns the decoder's result for these pieces: the named blocks in order, or the error. */
function decoded(pieces: readonly Buffer[]): { readonly blocks: string[]; readonly isRefused: boolean } {
  const decoder = new ManifestDecoder();
  const blocks: string[] = [];
  try {
    for (const each of pieces) {
      for (const item of decoder.decode(each)) {
        const content =
          item.type === 'content'
            ? item.content
            : item.type === 'entry' && item.entry.kind === 'file'
              ? item.entry.content
              : [];
        for (const { id } of content) if (id !== null) blocks.push(id.toString('hex'));
      }
    }
    decoder.finish();
    return { blocks, isRefused: false };
  } catch {
    return { blocks, isRefused: true };
  }
}

function walked(pieces: readonly Buffer[]): { readonly blocks: string[]; readonly isRefused: boolean } {
  const blocks: string[] = [];
  const walk = new ManifestWalk((bytes, at) => {
    blocks.push(bytes.toString('hex', at, at + 32));
  });
  try {
    for (const each of pieces) {
      const key = blockIdOf(each).toString('hex');
      if (!walk.repeat(key)) walk.piece(each, key);
    }
    walk.finish();
    return { blocks, isRefused: false };
  } catch {
    return { blocks, isRefused: true };
  }
}

describe('the walk through a manifest', () => {
  const id = blockIdOf(Buffer.from('x'));
  const whole = [
    piece(1, '', [
      top,
      entry(recordTypes.folder, 1, 'a', 0, () => undefined),
      entry(recordTypes.file, 2, 'b', 0, (output) => {
        output.number(7);
        writeContent(output, [{ id, lengthBytes: 3 }, { lengthBytes: 4 }]);
      }),
      entry(recordTypes.hardlink, 2, 'c', 0, (output) => {
        output.sized(Buffer.from('a/b'));
      }),
      entry(recordTypes.special, 1, 'b', 0, (output) => {
        output.byte(3);
        output.number(8);
        output.number(1);
      }),
      entry(recordTypes.symlink, 1, 'e', 0, (output) => {
        output.sized(Buffer.from('anywhere'));
      }),
      openFile,
    ]),
    insideFile([contentRecord([{ id, lengthBytes: 5 }])]),
    insideFile([contentRecord([{ lengthBytes: 5 }, { id, lengthBytes: 1 }])]),
    piece(4, 'f', [
      [
        recordTypes.fileEnd,
        (output) => {
          output.number(11);
          output.byte(1);
        },
      ],
      [
        recordTypes.end,
        (output) => {
          output.number(7);
        },
      ],
    ]),
  ];

  it('names the same blocks as the decoder', () => {
    expect(decoded(whole)).toEqual({ blocks: Array.from({ length: 3 }, () => id.toString('hex')), isRefused: false });
    expect(walked(whole)).toEqual(decoded(whole));
  });

  it('accepts and refuses the same manifests as the decoder, after any change', () => {
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.nat(),
        fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 4, 16, 17, 31)),
        fc.constantFrom('change', 'cut', 'repeat', 'drop'),
        (index, at, value, how) => {
          const pieces = whole.map((each) => Buffer.from(each));
          const changed = pieces[index] ?? Buffer.alloc(0);
          if (how === 'change') changed[at % changed.length] = value;
          else if (how === 'cut') pieces[index] = changed.subarray(0, at % changed.length);
          else if (how === 'repeat') pieces.splice(index, 0, changed);
          else pieces.splice(index, 1);
          const [one, other] = [decoded(pieces), walked(pieces)];
          expect(other.isRefused).toBe(one.isRefused);
          if (!one.isRefused) expect(new Set(other.blocks)).toEqual(new Set(one.blocks));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
