import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { blockBounds } from '../../blocks/block.ts';
import { decodePointRoot, encodePointRoot } from './point-root.ts';
import { maxPointTimeMs, type PointRoot } from './point-root-fields.ts';

const root: PointRoot = {
  pointId: 'point-1',
  jobId: '0b'.repeat(16),
  jobName: 'Documents',
  createdAtMs: 1_790_000_000_000,
  sourceHost: 'ws-1',
  sourcePaths: ['/home/ada', '/srv'],
  state: 'complete',
  software: 'farkeep 0.1',
  blockIdentifier: 'sha256',
  encryption: 'none',
  totals: {
    sourceBytes: 10,
    contentBytes: 10,
    files: 1,
    folders: 1,
    symlinks: 0,
    hardLinks: 0,
    specials: 0,
    blocks: 1,
    warnings: 0,
  },
  manifest: { level: 0, blocks: [{ id: 'ab'.repeat(32), lengthBytes: 100 }] },
};

/** Returns a root with a correct hash around any JSON value. */
function signed(value: unknown): Buffer {
  const json = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const head = Buffer.alloc(12);
  head.write('FKPR');
  head.writeUInt8(1, 4);
  head.writeUInt32BE(json.length, 8);
  const bytes = Buffer.concat([head, json]);
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest()]);
}

/** Returns a copy of the root with another value in the field `place`; undefined removes the field. */
function withField(place: string, value: unknown): unknown {
  const copy = structuredClone(root) as unknown as Record<string, unknown>;
  const names = place.split('.');
  let at: Record<string, unknown> = copy;
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names.at(-1) ?? ''] = value;
  return copy;
}

describe('the root of a restore point', () => {
  it('is decoded unchanged, without unknown fields', () => {
    expect(decodePointRoot(encodePointRoot(root))).toEqual(root);
    expect(decodePointRoot(signed({ ...root, later: 1, totals: { ...root.totals, more: 2 } }))).toEqual(root);
    const chained = { ...root, sourcePaths: [], manifest: { ...root.manifest, level: 1 as const } };
    expect(decodePointRoot(encodePointRoot(chained))).toEqual(chained);
  });

  it('is accepted with the largest allowed values', () => {
    for (const createdAtMs of [0, maxPointTimeMs]) {
      const last = { ...root, createdAtMs, jobName: 'n'.repeat(100) };
      expect(decodePointRoot(encodePointRoot(last))).toEqual(last);
      expect(new Date(createdAtMs).toISOString()).toMatch(/^\d{4}-/);
    }
  });

  it.each<[string, unknown]>([
    ['pointId', ''],
    ['pointId', '../up'],
    ['pointId', 'a\n'],
    ['pointId', undefined],
    ['jobId', ''],
    ['jobId', 'zz'],
    ['jobId', '0B'.repeat(16)],
    ['jobId', '0b'.repeat(17)],
    ['jobName', 7],
    ['jobName', ''],
    ['jobName', 'n'.repeat(101)],
    ['jobName', 'line\nbreak'],
    ['createdAtMs', -1],
    ['createdAtMs', 1.5],
    ['createdAtMs', 2 ** 60],
    ['createdAtMs', Number.MAX_SAFE_INTEGER],
    ['createdAtMs', 8.64e15],
    ['createdAtMs', maxPointTimeMs + 1],
    ['createdAtMs', '1'],
    ['sourcePaths', 'not a list'],
    ['sourcePaths', Array.from({ length: 257 }, () => '/')],
    ['sourcePaths', ['p'.repeat(4097)]],
    ['sourcePaths', [null]],
    ['state', 'broken'],
    ['blockIdentifier', 'md5'],
    ['encryption', 'aes'],
    ['totals', null],
    ['totals', []],
    ['totals.files', undefined],
    ['totals.blocks', Number.MAX_SAFE_INTEGER + 1],
    ['manifest.level', 2],
    ['manifest.level', '0'],
    ['manifest.blocks', []],
    ['manifest.blocks', Array.from({ length: 4097 }, () => root.manifest.blocks[0])],
    ['manifest.blocks', [{ id: 'AB'.repeat(32), lengthBytes: 1 }]],
    ['manifest.blocks', [{ id: 'ab'.repeat(32), lengthBytes: 0 }]],
    ['manifest.blocks', [{ id: 'ab'.repeat(32), lengthBytes: blockBounds.repository.content + 1 }]],
  ])('is refused when "%s" is invalid, and the error names the field (%#)', (place, value) => {
    const changed = withField(place, value);
    expect(() => decodePointRoot(signed(changed), 'p7')).toThrow(
      expect.objectContaining({
        code: 'storage.damaged',
        message: expect.stringContaining(place.split('.').at(-1) ?? ''),
      }),
    );
    expect(() => encodePointRoot(changed as PointRoot)).toThrow(expect.objectContaining({ code: 'call.invalid' }));
  });

  it.each(['[]', 'null', '"text"', '{', '{"__proto__":{"pointId":"a"}}'])('is refused when its text is %s', (text) => {
    expect(() => decodePointRoot(signed(text))).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
  });
});
