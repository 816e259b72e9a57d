// Owns the bytes of data messages (docs/protocol.md, section 6). Part of the second implementation: written from docs/ alone.
import { u32 } from './sealed-records.ts';

export const operations = { backup: 0, restore: 1, browse: 2 } as const;
export type Operation = keyof typeof operations;

/** A block in its stored form, which is also sent. */
export interface StoredBlock {
  readonly id: Buffer;
  readonly encoding: number;
  readonly contentLength: number;
  readonly stored: Buffer;
}

export interface OpenMessage {
  readonly operation: Operation;
  readonly stream: number;
  readonly streams: number;
  /** 32 hex digits. */
  readonly pointId: string;
  readonly root: Buffer;
}

export type DataMessage =
  | ({ readonly type: 'open' } & OpenMessage)
  | { readonly type: 'want'; readonly offer: number; readonly wanted: readonly boolean[] }
  | { readonly type: 'durable'; readonly blocks: bigint; readonly storedBytes: bigint; readonly ids: readonly string[] }
  | { readonly type: 'committed'; readonly pointId: string; readonly storedBytes: number; readonly newBlocks: number }
  | { readonly type: 'abort'; readonly code: string; readonly reason: string }
  | { readonly type: 'data'; readonly blocks: readonly StoredBlock[] }
  | { readonly type: 'error'; readonly code: string; readonly reason: string; readonly ids: readonly string[] };

const u16 = (value: number): Buffer => u32(value).subarray(2);
const u64 = (value: number): Buffer => Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)]);
const idsOf = (ids: readonly Buffer[]): Buffer => Buffer.concat([u16(ids.length), ...ids]);
const textOf = (text: string): Buffer => Buffer.concat([u16(Buffer.byteLength(text)), Buffer.from(text)]);

export const encode = {
  open: ({ operation, stream, streams, pointId, root }: OpenMessage): Buffer =>
    Buffer.concat([
      Buffer.of(1, 0, 1, operations[operation]),
      ...[u32(stream), u32(streams), Buffer.from(pointId, 'hex'), u32(root.length), root],
    ]),
  offer: (number: number, ids: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(2), u32(number), idsOf(ids)]),
  block: (blocks: readonly StoredBlock[]): Buffer =>
    Buffer.concat([
      Buffer.of(4),
      u16(blocks.length),
      ...blocks.flatMap(({ id, encoding, contentLength, stored }) => [
        id,
        Buffer.of(encoding),
        u32(contentLength),
        u32(stored.length),
      ]),
      ...blocks.map(({ stored }) => stored),
    ]),
  commit: (blocksSent: number, root: Buffer): Buffer =>
    Buffer.concat([Buffer.of(6), u64(blocksSent), u32(root.length), root]),
  abort: (code: string, reason: string): Buffer => Buffer.concat([Buffer.of(8), textOf(code), textOf(reason)]),
  read: (ids: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(9), idsOf(ids)]),
};

/** Reads the messages that a target sends, and those of a source that are in the vectors. @throws when bytes are left over or missing */
export function decode(message: Buffer): DataMessage {
  let at = 1;
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('A message ends too early');
    at += length;
    return message.subarray(at - length, at);
  };
  const bounded = (value: number, max: number): number => {
    if (value > max) throw new Error(`${value} is over the bound ${max}`);
    return value;
  };
  const count = (max: number): number => bounded(take(2).readUInt16BE(), max);
  const ids = (): string[] => Array.from({ length: count(4096) }, () => take(32).toString('hex'));
  const text = (): string => take(count(2048)).toString('utf8');
  const read = (): DataMessage => {
    switch (message[0]) {
      case 1: {
        if (take(2).readUInt16BE() !== 1) throw new Error('Another version of the data messages');
        const code = take(1)[0];
        const operation = (Object.keys(operations) as Operation[]).find((name) => operations[name] === code);
        if (operation === undefined) throw new Error('An unknown operation');
        const [stream, streams] = [take(4).readUInt32BE(), take(4).readUInt32BE()];
        const pointId = take(16).toString('hex');
        return {
          type: 'open',
          operation,
          stream,
          streams,
          pointId,
          root: take(bounded(take(4).readUInt32BE(), 2 ** 20)),
        };
      }
      case 3: {
        const offer = take(4).readUInt32BE();
        const length = count(4096);
        const bits = take(Math.ceil(length / 8));
        const wanted = Array.from(
          { length },
          (_, index) => (((bits[index >>> 3] ?? 0) >>> (7 - (index & 7))) & 1) === 1,
        );
        return { type: 'want', offer, wanted };
      }
      case 5:
        return {
          type: 'durable',
          blocks: take(8).readBigUInt64BE(),
          storedBytes: take(8).readBigUInt64BE(),
          ids: ids(),
        };
      case 7: {
        const pointId = take(16).toString('hex');
        const [storedBytes, newBlocks] = [take(8).readBigUInt64BE(), take(8).readBigUInt64BE()];
        return { type: 'committed', pointId, storedBytes: Number(storedBytes), newBlocks: Number(newBlocks) };
      }
      case 8:
        return { type: 'abort', code: text(), reason: text() };
      case 4:
      case 10: {
        const table = Array.from({ length: count(1024) }, () => ({
          id: take(32),
          encoding: bounded(take(1)[0] ?? 0, 1),
          contentLength: bounded(take(4).readUInt32BE(), 4_194_304),
          storedLength: bounded(take(4).readUInt32BE(), 4_194_368),
        }));
        const blocks = table.map(({ storedLength, ...block }) => ({ ...block, stored: take(storedLength) }));
        return { type: 'data', blocks };
      }
      case 11:
        return { type: 'error', code: text(), reason: text(), ids: ids() };
      default:
        throw new Error(`A message of type ${String(message[0])}`);
    }
  };
  const decoded = read();
  if (at !== message.length) throw new Error('Bytes are left over in a message');
  return decoded;
}
