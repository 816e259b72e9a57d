// Owns the binary form of the data messages (docs/protocol.md, section 6) and their bounds. Big-endian, lengths checked before use. Blocks
// are sent in their stored form. Must not compress or hash, and must not copy a block that is one piece of memory.
import { blockBounds, blockIdBytes, type StoredBlock } from '../blocks/block.ts';
import { encodingCode, encodingOf, type BlockEncoding } from '../blocks/encodings.ts';
import { ByteReader, malformed } from './byte-reader.ts';

export const dataProtocolVersion = 1;
export const pointIdBytes = 16;
export const maxBlocksPerMessage = 1024;
export const maxIdsPerMessage = 4096;
export const maxRootBytes = 1024 * 1024;
const maxTextBytes = 2048;
export const maxMessageBytes = blockBounds.message.stored + 3 + maxBlocksPerMessage * (blockIdBytes + 9);

const operations = ['backup', 'restore', 'manifest'] as const;
export type Operation = (typeof operations)[number];

export type DataMessage =
  /**
   * The first message on every stream, from the source. The target answers with its own, which has the root of the restore point if there
   * is one.
   */
  | {
      readonly type: 'open';
      readonly protocol: number;
      readonly operation: Operation;
      readonly streamIndex: number;
      readonly streamCount: number;
      /** 32 hex digits; the restore point to write or to read. */
      readonly pointId: string;
      readonly root: Buffer;
    }
  /** Asks which of these blocks the target needs. Answered by one `want` with the same number. */
  | { readonly type: 'offer'; readonly offerId: number; readonly ids: readonly Buffer[] }
  /** One flag for each offered block, in the order of the offer; true: send it. */
  | { readonly type: 'want'; readonly offerId: number; readonly wanted: readonly boolean[] }
  | { readonly type: 'block'; readonly blocks: readonly StoredBlock[] }
  /** The counted blocks now survive a crash of the target. The totals are of this attempt. */
  | {
      readonly type: 'durable';
      readonly totalBlocks: number;
      readonly totalStoredBytes: number;
      readonly ids: readonly Buffer[];
    }
  /** `blockCount`: blocks sent on all streams. The target commits when it has received this many. */
  | { readonly type: 'commit'; readonly blockCount: number; readonly root: Buffer }
  | { readonly type: 'committed'; readonly pointId: string; readonly storedBytes: number; readonly newBlocks: number }
  | { readonly type: 'abort'; readonly code: string; readonly message: string }
  /** Requests these blocks. Answered by `data` messages with every block, in any order, or by an `error`. */
  | { readonly type: 'read'; readonly ids: readonly Buffer[] }
  | { readonly type: 'data'; readonly blocks: readonly StoredBlock[] }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly ids: readonly Buffer[] };

const typeNumbers = {
  open: 1,
  offer: 2,
  want: 3,
  block: 4,
  durable: 5,
  commit: 6,
  committed: 7,
  abort: 8,
  read: 9,
  data: 10,
  error: 11,
} as const satisfies Record<DataMessage['type'], number>;

/** The pieces of one message, for `RecordSealer.sealMessage`. Stored blocks are not copied. */
export function encodeMessage(message: DataMessage): Uint8Array[] {
  const type = typeNumbers[message.type];
  switch (message.type) {
    case 'open': {
      const head = Buffer.alloc(1 + 2 + 1 + 4 + 4 + pointIdBytes + 4);
      head[0] = type;
      head.writeUInt16BE(message.protocol, 1);
      head[3] = operations.indexOf(message.operation);
      head.writeUInt32BE(message.streamIndex, 4);
      head.writeUInt32BE(message.streamCount, 8);
      writePointId(head, 12, message.pointId);
      head.writeUInt32BE(message.root.length, 12 + pointIdBytes);
      return [head, checkedRoot(message.root)];
    }
    case 'offer': {
      const head = Buffer.alloc(7);
      head[0] = type;
      head.writeUInt32BE(message.offerId, 1);
      head.writeUInt16BE(checkedCount(message.ids.length), 5);
      return [head, joinIds(message.ids)];
    }
    case 'want': {
      const { wanted } = message;
      const bytes = Buffer.alloc(7 + Math.ceil(checkedCount(wanted.length) / 8));
      bytes[0] = type;
      bytes.writeUInt32BE(message.offerId, 1);
      bytes.writeUInt16BE(wanted.length, 5);
      wanted.forEach((isWanted, index) => {
        const at = 7 + (index >> 3);
        if (isWanted) bytes[at] = (bytes[at] ?? 0) | (0x80 >> (index & 7));
      });
      return [bytes];
    }
    case 'block':
    case 'data':
      return encodeBlocks(type, message.blocks);
    case 'durable': {
      const head = Buffer.alloc(19);
      head[0] = type;
      head.writeBigUInt64BE(BigInt(message.totalBlocks), 1);
      head.writeBigUInt64BE(BigInt(message.totalStoredBytes), 9);
      head.writeUInt16BE(checkedCount(message.ids.length), 17);
      return [head, joinIds(message.ids)];
    }
    case 'commit': {
      const head = Buffer.alloc(13);
      head[0] = type;
      head.writeBigUInt64BE(BigInt(message.blockCount), 1);
      head.writeUInt32BE(message.root.length, 9);
      return [head, checkedRoot(message.root)];
    }
    case 'committed': {
      const bytes = Buffer.alloc(1 + pointIdBytes + 16);
      bytes[0] = type;
      writePointId(bytes, 1, message.pointId);
      bytes.writeBigUInt64BE(BigInt(message.storedBytes), 1 + pointIdBytes);
      bytes.writeBigUInt64BE(BigInt(message.newBlocks), 9 + pointIdBytes);
      return [bytes];
    }
    case 'abort':
      return [Buffer.of(type), text(message.code), text(message.message)];
    case 'read': {
      const head = Buffer.alloc(3);
      head[0] = type;
      head.writeUInt16BE(checkedCount(message.ids.length), 1);
      return [head, joinIds(message.ids)];
    }
    case 'error': {
      const count = Buffer.alloc(2);
      count.writeUInt16BE(checkedCount(message.ids.length));
      return [Buffer.of(type), text(message.code), text(message.message), count, joinIds(message.ids)];
    }
  }
}

/**
 * Reads one message from the plaintexts of its records. Blocks and identifiers are views of these records, unless they are spread over
 * several.
 * @throws protocol.malformed
 */
export function decodeMessage(parts: readonly Buffer[]): DataMessage {
  const first = parts[0] ?? Buffer.alloc(0);
  const type = first[0];
  if (type === typeNumbers.block || type === typeNumbers.data) {
    return { type: type === typeNumbers.block ? 'block' : 'data', blocks: decodeBlocks(parts) };
  }
  const reader = new ByteReader(parts.length === 1 ? first : Buffer.concat(parts));
  const message = decodeSmall(reader);
  reader.end();
  return message;
}

function decodeSmall(reader: ByteReader): DataMessage {
  const type = reader.u8();
  switch (type) {
    case typeNumbers.open: {
      const protocol = reader.u16();
      const operation = operations[reader.u8()];
      if (operation === undefined) throw malformed('the operation is unknown');
      const streamIndex = reader.u32();
      const streamCount = reader.u32();
      if (streamIndex >= streamCount) throw malformed('the stream index is not below the stream count');
      const pointId = reader.bytes(pointIdBytes).toString('hex');
      return {
        type: 'open',
        protocol,
        operation,
        streamIndex,
        streamCount,
        pointId,
        root: reader.sized('u32', maxRootBytes),
      };
    }
    case typeNumbers.offer:
      return { type: 'offer', offerId: reader.u32(), ids: readIds(reader) };
    case typeNumbers.want: {
      const offerId = reader.u32();
      const count = readCount(reader);
      const bits = reader.bytes(Math.ceil(count / 8));
      return {
        type: 'want',
        offerId,
        wanted: Array.from({ length: count }, (_, index) => ((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0),
      };
    }
    case typeNumbers.durable:
      return { type: 'durable', totalBlocks: reader.u64(), totalStoredBytes: reader.u64(), ids: readIds(reader) };
    case typeNumbers.commit:
      return { type: 'commit', blockCount: reader.u64(), root: reader.sized('u32', maxRootBytes) };
    case typeNumbers.committed: {
      const pointId = reader.bytes(pointIdBytes).toString('hex');
      return { type: 'committed', pointId, storedBytes: reader.u64(), newBlocks: reader.u64() };
    }
    case typeNumbers.abort:
      return { type: 'abort', code: reader.text(maxTextBytes), message: reader.text(maxTextBytes) };
    case typeNumbers.read:
      return { type: 'read', ids: readIds(reader) };
    case typeNumbers.error:
      return {
        type: 'error',
        code: reader.text(maxTextBytes),
        message: reader.text(maxTextBytes),
        ids: readIds(reader),
      };
    default:
      throw malformed('its type is unknown');
  }
}

const blockHeadBytes = blockIdBytes + 1 + 4 + 4;

function encodeBlocks(type: number, blocks: readonly StoredBlock[]): Uint8Array[] {
  if (blocks.length === 0 || blocks.length > maxBlocksPerMessage)
    throw new RangeError(`A message holds 1 to ${maxBlocksPerMessage} blocks`);
  const head = Buffer.allocUnsafe(3 + blocks.length * blockHeadBytes);
  head[0] = type;
  head.writeUInt16BE(blocks.length, 1);
  const pieces: Uint8Array[] = [head];
  let offset = 3;
  for (const block of blocks) {
    if (block.id.length !== blockIdBytes) throw new RangeError('A block identifier has 32 bytes');
    block.id.copy(head, offset);
    head[offset + 32] = encodingCode(block.encoding);
    head.writeUInt32BE(block.contentLength, offset + 33);
    head.writeUInt32BE(block.stored.length, offset + 37);
    offset += blockHeadBytes;
    pieces.push(block.stored);
  }
  return pieces;
}

/** The table of blocks is in the first record; the stored bytes follow in the order of the table, over any number of records. */
function decodeBlocks(parts: readonly Buffer[]): StoredBlock[] {
  const reader = new ByteReader(parts[0] ?? Buffer.alloc(0));
  reader.u8();
  const count = reader.u16();
  if (count === 0 || count > maxBlocksPerMessage) throw malformed(`it claims ${count} blocks`);
  const heads: { id: Buffer; encoding: BlockEncoding; contentLength: number; storedLength: number }[] = [];
  let totalBytes = 0;
  for (let index = 0; index < count; index += 1) {
    const id = reader.bytes(blockIdBytes);
    const encoding = encodingOf(reader.u8());
    const contentLength = reader.u32();
    const storedLength = reader.u32();
    if (encoding === undefined) throw malformed('the encoding of a block is unknown');
    if (contentLength === 0 || contentLength > blockBounds.message.content)
      throw malformed(`a block claims ${contentLength} bytes of content`);
    if (storedLength === 0 || storedLength > blockBounds.message.stored)
      throw malformed(`a block claims ${storedLength} stored bytes`);
    totalBytes += storedLength;
    heads.push({ id, encoding, contentLength, storedLength });
  }
  let available = -reader.offset;
  for (const part of parts) available += part.length;
  if (available !== totalBytes) throw malformed('the lengths of its blocks do not add up');
  const takeBytes = partTaker(parts, reader.offset);
  return heads.map(({ id, encoding, contentLength, storedLength }) => ({
    id,
    encoding,
    contentLength,
    stored: takeBytes(storedLength),
  }));
}

/** Returns consecutive ranges of `parts`, starting at `offset` in the first part. The caller has checked that enough bytes exist. */
function partTaker(parts: readonly Buffer[], offset: number): (length: number) => Buffer {
  let index = 0;
  let position = offset;
  return (length) => {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = parts[index];
      if (part === undefined) throw malformed('it ends too early');
      const piece = part.subarray(position, position + missing);
      missing -= piece.length;
      position += piece.length;
      if (piece.length > 0) pieces.push(piece);
      if (position === part.length) {
        index += 1;
        position = 0;
      }
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, length);
  };
}

function readCount(reader: ByteReader): number {
  const count = reader.u16();
  if (count > maxIdsPerMessage) throw malformed(`it claims ${count} identifiers`);
  return count;
}

function readIds(reader: ByteReader): Buffer[] {
  const count = readCount(reader);
  const bytes = reader.bytes(count * blockIdBytes);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * blockIdBytes, (index + 1) * blockIdBytes));
}

function joinIds(ids: readonly Buffer[]): Buffer {
  for (const id of ids) if (id.length !== blockIdBytes) throw new RangeError('A block identifier has 32 bytes');
  return Buffer.concat(ids);
}

function checkedCount(count: number): number {
  if (count > maxIdsPerMessage)
    throw new RangeError(`A message holds at most ${maxIdsPerMessage} identifiers, not ${count}`);
  return count;
}

function checkedRoot(root: Buffer): Buffer {
  if (root.length > maxRootBytes) throw new RangeError(`A root has at most ${maxRootBytes} bytes, not ${root.length}`);
  return root;
}

function writePointId(target: Buffer, offset: number, pointId: string): void {
  if (!/^[0-9a-f]{32}$/.test(pointId)) throw new RangeError('A restore point identifier is 32 lower-case hex digits');
  target.write(pointId, offset, 'hex');
}

function text(value: string): Buffer {
  let bytes = Buffer.from(value, 'utf8');
  // Cuts between characters: a continuation byte (10xxxxxx) is never the first byte of a character.
  if (bytes.length > maxTextBytes) {
    let end = maxTextBytes;
    while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    bytes = bytes.subarray(0, end);
  }
  const sized = Buffer.alloc(2 + bytes.length);
  sized.writeUInt16BE(bytes.length);
  bytes.copy(sized, 2);
  return sized;
}
