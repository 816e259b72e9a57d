// Owns whole sessions of the second implementation: backup, restore, browsing (docs/protocol.md, sections 4 to 7; docs/control-messages.md).
// Written from docs/ alone, uses node: modules only.
import { randomBytes } from 'node:crypto';
import type { Address, ControlChannel } from './control-channel.ts';
import { DataConnection, deliverKeyB, type Attempt } from './data-connection.ts';
import { encode, type DataMessage, type Operation, type StoredBlock } from './data-messages.ts';
import { blockOf, sha256, writeTree, type ScannedTree } from './file-trees.ts';
import type { Json } from './envelope-peer.ts';
import { decodeRoot, encodeRoot, manifestBlocks, ManifestWriter, readManifest } from './manifest-records.ts';
import type { Entry, RootBlock, RootFields } from './manifest-records.ts';
import { keyIdentifier } from './sealed-records.ts';
import { unpackFrame } from './zstd-frame.ts';

export const newId = (): string => randomBytes(16).toString('hex');
const base64 = (value: unknown): Buffer => Buffer.from(String(value), 'base64');

/** One attempt of a session, with proven keys and open streams. */
export interface OpenAttempt extends Attempt {
  readonly pointId: string;
  readonly streams: readonly DataConnection[];
  /** The root from the target; empty for a backup. */
  readonly root: Buffer;
  readonly keyA: string;
  readonly keyB: string;
  /** For tests of attacks that use a ticket again. */
  readonly tickets: { readonly tunnel: Buffer; readonly streams: readonly Buffer[] };
  readonly tunnelBytes: Buffer;
}

/** Takes a grant: tunnel, Key B, streams, and `open` on each of them. */
export async function openAttempt(
  gateway: Address,
  grant: Json,
  operation: Operation,
  pointId: string,
): Promise<OpenAttempt> {
  const { sessionId, attempt } = grant as { sessionId: string; attempt: number };
  const at = { gateway, sessionId, attempt };
  const keyA = base64(grant['keyA']);
  const keyB = randomBytes(32);
  const tickets = {
    tunnel: base64(grant['tunnelTicket']),
    streams: (grant['streamTickets'] as string[]).map(base64),
  };
  const tunnelBytes = await deliverKeyB(at, tickets.tunnel, keyA, keyB);
  const streams = await Promise.all(
    tickets.streams.map((ticket, stream) => DataConnection.open(at, ticket, keyB, stream)),
  );
  const opened = { operation, streams: streams.length, pointId };
  for (const [stream, connection] of streams.entries())
    connection.send(encode.open({ ...opened, stream, root: Buffer.alloc(0) }));
  const answers = await Promise.all(streams.map((connection) => connection.receive()));
  for (const [stream, answer] of answers.entries()) {
    if (answer?.type !== 'open') throw failure(answer);
    const { root: _root, type: _type, ...rest } = answer;
    if (JSON.stringify(rest) !== JSON.stringify({ operation, stream, streams: streams.length, pointId }))
      throw new Error(`The target's answer to open was: ${JSON.stringify(rest)}`);
  }
  const [first] = answers;
  const identifiers = { keyA: keyIdentifier(keyA).toString('hex'), keyB: keyIdentifier(keyB).toString('hex') };
  const root = first?.type === 'open' ? first.root : Buffer.alloc(0);
  return { ...at, pointId, streams, root, ...identifiers, tickets, tunnelBytes };
}

function failure(message: DataMessage | undefined): Error {
  if (message?.type === 'abort' || message?.type === 'error') return new Error(`${message.code}: ${message.reason}`);
  return new Error(`The target sent ${message?.type ?? 'the end of the stream'}`);
}

/** State of a backup: what was sent and received so far. */
export interface Upload {
  sent: number;
  /** Identifiers that the target wanted, in hex. */
  readonly wanted: Set<string>;
  readonly durable: Set<string>;
}

/** Offers blocks over all streams in turn, sends the missing ones, and records `durable` messages. */
export async function sendBlocks(
  { streams }: Pick<OpenAttempt, 'streams'>,
  blocks: readonly StoredBlock[],
  upload: Upload = { sent: 0, wanted: new Set(), durable: new Set() },
): Promise<Upload> {
  const lots: StoredBlock[][] = [];
  let lotBytes = Infinity;
  for (const block of blocks) {
    lotBytes += block.stored.length;
    if (lotBytes > 4_194_368 || lots.at(-1)?.length === 1000) {
      lots.push([]);
      lotBytes = block.stored.length;
    }
    lots.at(-1)?.push(block);
  }
  await Promise.all(
    streams.map(async (stream, index) => {
      for (let number = index; number < lots.length; number += streams.length) {
        const lot = lots[number] ?? [];
        stream.send(
          encode.offer(
            number + 1,
            lot.map(({ id }) => id),
          ),
        );
        const want = await nextOf(stream, 'want', upload);
        if (want.offer !== number + 1 || want.wanted.length !== lot.length)
          throw new Error('An answer without an offer');
        const wanted = lot.filter((_, at) => want.wanted[at] === true);
        for (const { id } of wanted) upload.wanted.add(id.toString('hex'));
        upload.sent += wanted.length;
        if (wanted.length > 0) stream.send(encode.block(wanted));
      }
    }),
  );
  return upload;
}

/** Returns the next message of this type; records the `durable` messages before it. */
async function nextOf<Type extends DataMessage['type']>(
  stream: DataConnection,
  type: Type,
  upload: Upload,
): Promise<Extract<DataMessage, { type: Type }>> {
  for (;;) {
    const message = await stream.receive();
    if (message?.type === 'durable') for (const id of message.ids) upload.durable.add(id);
    if (message?.type === type) return message as Extract<DataMessage, { type: Type }>;
    if (message?.type !== 'durable') throw failure(message);
  }
}

export async function untilDurable(stream: DataConnection, upload: Upload): Promise<void> {
  await nextOf(stream, 'durable', upload);
}

export interface JobNames {
  readonly jobId: string;
  readonly jobName: string;
  readonly sourcePath: string;
}

/** A manifest's pieces as blocks, and the root that names them. @param level 1: the root names a list of the pieces */
export function buildPoint(
  { entries, blocks }: ScannedTree,
  { jobId, jobName, sourcePath }: JobNames,
  { pointId, pieceBytes, level }: { pointId: string; pieceBytes: number; level: 0 | 1 },
): { blocks: readonly StoredBlock[]; root: Buffer } {
  const writer = new ManifestWriter(pieceBytes);
  for (const entry of entries) writer.add(entry);
  const pieces = writer.finish().map((piece) => blockOf(piece, 64));
  const list = Buffer.concat(
    pieces.flatMap(({ id, contentLength }) => {
      const row = Buffer.alloc(4);
      row.writeUInt32BE(contentLength);
      return [id, row];
    }),
  );
  const named = level === 0 ? pieces : [blockOf(list, 64)];
  const count = (kind: Entry['kind']): number => entries.filter((entry) => entry.kind === kind).length;
  const files = entries.filter(({ kind }) => kind === 'file');
  const contents = files.flatMap(({ content }) => content);
  const root = encodeRoot({
    pointId,
    jobId,
    jobName,
    createdAtMs: Date.now(),
    sourceHost: 'second.example',
    sourcePaths: [sourcePath],
    state: 'complete',
    software: 'second implementation',
    blockIdentifier: 'sha256',
    encryption: 'none',
    totals: {
      sourceBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      contentBytes: contents.reduce((sum, { id, length }) => sum + (id === undefined ? 0 : length), 0),
      files: files.length,
      folders: count('folder'),
      symlinks: count('symlink'),
      hardLinks: count('hardlink'),
      specials: 0,
      blocks: contents.filter(({ id }) => id !== undefined).length,
      warnings: 0,
    },
    manifest: {
      level,
      blocks: named.map(({ id, contentLength }) => ({ id: id.toString('hex'), lengthBytes: contentLength })),
    },
  });
  return { blocks: [...blocks, ...pieces, ...(level === 0 ? [] : named)], root };
}

/** Sends `commit` and waits for the restore point. */
export async function commit(
  { streams, pointId }: Pick<OpenAttempt, 'streams' | 'pointId'>,
  upload: Upload,
  root: Buffer,
): Promise<{ storedBytes: number; newBlocks: number }> {
  const [first] = streams;
  if (first === undefined) throw new Error('There is no stream');
  first.send(encode.commit(upload.sent, root));
  const committed = await nextOf(first, 'committed', upload);
  if (committed.pointId !== pointId) throw new Error('Another restore point was committed');
  await closeStreams(streams);
  return committed;
}

export async function closeStreams(streams: readonly DataConnection[]): Promise<void> {
  await Promise.all(streams.map((stream) => stream.close()));
}

/** The figures for a report or for `session.finish`. */
export function progressOf(bytes: number, files: number): Json {
  return {
    ...{ totalBytes: bytes, totalFiles: files, processedBytes: bytes, processedFiles: files, readBytes: bytes },
    ...{ transferredBytes: bytes, safeBytes: bytes, unchangedFiles: 0, newBlocks: 0, reusedBlocks: 0 },
    ...{ readBytesPerSecond: 0, transferredBytesPerSecond: 0, secondsLeft: null },
  };
}

export async function finish(control: ControlChannel, sessionId: string, bytes: number, files: number): Promise<Json> {
  const progress = progressOf(bytes, files);
  return control.request('session.finish', { sessionId, outcome: 'succeeded', error: null, progress, warningCount: 0 });
}

/** Gets the contents of blocks from a target and compares each with its identifier. */
export class BlockSource {
  readonly #streams: readonly DataConnection[];

  constructor(streams: readonly DataConnection[]) {
    this.#streams = streams;
  }

  /** @throws when the target cannot give one of them */
  async contents(blocks: readonly RootBlock[]): Promise<Map<string, Buffer>> {
    const wanted = new Map(blocks.map(({ id, lengthBytes }) => [id, lengthBytes]));
    const found = new Map<string, Buffer>();
    const ids = [...wanted.keys()];
    const share = Math.ceil(ids.length / this.#streams.length);
    await Promise.all(
      this.#streams.map(async (stream, index) => {
        const mine = ids.slice(index * share, (index + 1) * share);
        // At most 16 MiB at a time.
        for (let at = 0; at < mine.length;) {
          const lot: string[] = [];
          for (let bytes = 0; at < mine.length && lot.length < 4096; at += 1) {
            bytes += wanted.get(mine[at] ?? '') ?? 0;
            if (bytes > 2 ** 24 && lot.length > 0) break;
            lot.push(mine[at] ?? '');
          }
          stream.send(encode.read(lot.map((id) => Buffer.from(id, 'hex'))));
          const missing = new Set(lot);
          while (missing.size > 0) {
            const message = await stream.receive();
            if (message?.type !== 'data') throw failure(message);
            for (const block of message.blocks) {
              const id = block.id.toString('hex');
              if (!missing.delete(id) || block.contentLength !== wanted.get(id))
                throw new Error('A block that was not requested');
              found.set(id, unpack(block));
            }
          }
        }
      }),
    );
    return found;
  }
}

export function unpack({ id, encoding, contentLength, stored }: StoredBlock): Buffer {
  const content = encoding === 1 ? unpackFrame(stored, contentLength) : stored;
  if (content.length !== contentLength || !sha256(content).equals(id))
    throw new Error('A block differs from its identifier');
  return content;
}

/** Root and entries of a restore point, through an attempt that reads it. */
export async function readPoint({
  root,
  pointId,
  streams,
}: OpenAttempt): Promise<{ root: RootFields; entries: Entry[] }> {
  const source = new BlockSource(streams);
  const fields = decodeRoot(root, pointId);
  const inTurn = async (blocks: readonly RootBlock[]): Promise<Buffer[]> => {
    const found = await source.contents(blocks);
    return blocks.map(({ id }) => found.get(id) ?? Buffer.alloc(0));
  };
  const pieces = await inTurn(await manifestBlocks(fields, inTurn));
  return { root: fields, entries: readManifest(pieces) };
}

/** Restores a whole point below an empty folder. */
export async function restoreInto(destination: string, attempt: OpenAttempt): Promise<Entry[]> {
  const { entries } = await readPoint(attempt);
  const blocks = entries.flatMap(({ content }) =>
    content.flatMap(({ id, length }) => (id === undefined ? [] : [{ id: id.toString('hex'), lengthBytes: length }])),
  );
  const contents = await new BlockSource(attempt.streams).contents(blocks);
  await writeTree(destination, entries, async (id) => contents.get(id.toString('hex')) ?? Buffer.alloc(0));
  await closeStreams(attempt.streams);
  return entries;
}
