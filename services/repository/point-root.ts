// Owns the root of a restore point: a small file that says what the point is and which blocks hold its tree, signed by its hash.
// Layout (docs/repository-format.md, section 5): "FKPR" version(1) reserved(3) length(4) JSON(length) SHA-256 of all before (32).
import { hash } from 'node:crypto';
import { z } from 'zod';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { maxBlockContentBytes } from './block-content.ts';

export const pointRootVersion = 1;
export const maxPointRootBytes = 1024 * 1024;
/** More manifest blocks than this and their list is itself stored as blocks (`manifest.level` 1). */
export const maxManifestBlocksInRoot = 4096;

const magic = 0x464b5052; // "FKPR"
const headBytes = 12;
const hashBytes = 32;

const pointIdPattern = /^[0-9a-z](?:[0-9a-z-]{0,62}[0-9a-z])?$/;
const count = z.int().min(0);
const blockIdHex = z.string().regex(/^[0-9a-f]{64}$/);

export const pointRootSchema = z.object({
  pointId: z.string().regex(pointIdPattern),
  jobId: z.string().max(128),
  jobName: z.string().max(256),
  /** Milliseconds since the epoch. */
  createdAtMs: count,
  /** Name of the machine that was backed up, as it called itself. */
  sourceHost: z.string().max(256),
  /** Where the tree's top folder lay; for people only, never used as a path. */
  sourcePaths: z.array(z.string().max(4096)).max(256),
  state: z.enum(['complete', 'warnings']),
  software: z.string().max(128),
  blockIdentifier: z.literal('sha256'),
  /** Reserved for encryption at rest; a reader that does not know a value must refuse the point. */
  encryption: z.literal('none'),
  totals: z.object({
    /** Sum of the sizes of all files as their owner sees them, holes included. */
    sourceBytes: count,
    /** Sum of the lengths of all data blocks the tree refers to. */
    contentBytes: count,
    files: count,
    folders: count,
    symlinks: count,
    hardLinks: count,
    specials: count,
    /** Data blocks the tree refers to, repeats counted. */
    blocks: count,
    /** Entries that could not be read or changed while they were read. */
    warnings: count,
  }),
  manifest: z.object({
    /** 0: `blocks` hold the tree; 1: `blocks` hold the list of the blocks that hold the tree. */
    level: z.union([z.literal(0), z.literal(1)]),
    blocks: z
      .array(z.object({ id: blockIdHex, lengthBytes: z.int().min(1).max(maxBlockContentBytes) }))
      .min(1)
      .max(maxManifestBlocksInRoot),
  }),
});

export type PointRoot = z.infer<typeof pointRootSchema>;
export type PointTotals = PointRoot['totals'];

export function isPointId(text: string): boolean {
  return pointIdPattern.test(text);
}

/** Throws call.invalid when a field is out of bounds. */
export function encodePointRoot(root: PointRoot): Buffer {
  const parsed = pointRootSchema.safeParse(root);
  if (!parsed.success) throw new FarkeepError('call.invalid', `Point root: ${z.prettifyError(parsed.error)}`);
  const json = Buffer.from(JSON.stringify(parsed.data), 'utf8');
  if (headBytes + json.length + hashBytes > maxPointRootBytes)
    throw new FarkeepError('call.invalid', `The point root has ${json.length} bytes, too many`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(magic, 0);
  head.writeUInt8(pointRootVersion, 4);
  head.writeUInt32BE(json.length, 8);
  const signed = Buffer.concat([head, json]);
  return Buffer.concat([signed, hash('sha256', signed, 'buffer')]);
}

function damaged(name: string, reason: string): FarkeepError {
  return new FarkeepError('storage.damaged', `Restore point ${name}: ${reason}`);
}

/** Throws storage.damaged naming `name`; nothing of a root that does not match its hash is looked at. */
export function decodePointRoot(bytes: Buffer, name = 'root'): PointRoot {
  if (bytes.length < headBytes + hashBytes || bytes.length > maxPointRootBytes)
    throw damaged(name, `a root of ${bytes.length} bytes cannot be`);
  if (bytes.readUInt32BE(0) !== magic) throw damaged(name, 'this is not the root of a restore point');
  if (bytes.readUInt32BE(8) !== bytes.length - headBytes - hashBytes) throw damaged(name, 'its length is wrong');
  const signedEnd = bytes.length - hashBytes;
  if (!hash('sha256', bytes.subarray(0, signedEnd), 'buffer').equals(bytes.subarray(signedEnd)))
    throw damaged(name, 'it does not match its hash');
  if (bytes.readUInt8(4) !== pointRootVersion)
    throw damaged(name, `format version ${bytes.readUInt8(4)} is not known here`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8', headBytes, signedEnd));
  } catch {
    throw damaged(name, 'its text is not JSON');
  }
  const parsed = pointRootSchema.safeParse(json);
  if (!parsed.success) throw damaged(name, z.prettifyError(parsed.error));
  return parsed.data;
}
