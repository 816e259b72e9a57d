// Owns unpacking a part of a zip file. Only for files whose checksum was compared before: it does not check the checksums in the zip.
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** Numbers of the format: PKWARE, "APPNOTE.TXT", sections 4.3.7, 4.3.12, 4.3.16. */
const end = { signature: 0x06054b50, bytes: 22, maxCommentBytes: 0xffff };
const central = { signature: 0x02014b50, bytes: 46 };
const local = { signature: 0x04034b50, bytes: 30 };
const stored = 0;
const deflated = 8;

/**
 * Unpacks files with their mode. Does not support zip64, encryption and links, which the needed zip files do not have.
 * @param {string} zipFile
 * @param {string} folder must exist
 * @param {{ root: string, isWanted: (name: string) => boolean }} options unpacks only entries below `root`, and removes `root` from their
 *   names; `isWanted` is called with the rest of the name
 */
export async function unzip(zipFile, folder, { root, isWanted }) {
  const file = await open(zipFile, 'r');
  try {
    for (const entry of await readEntries(file)) {
      const name = entry.name.startsWith(root) ? entry.name.slice(root.length) : '';
      if (name === '' || name.endsWith('/') || !isWanted(name)) continue;
      if (name.split('/').includes('..')) throw new Error(`${entry.name} leaves the folder`);
      const target = path.join(folder, name);
      mkdirSync(path.dirname(target), { recursive: true });
      await unpackEntry(file, zipFile, entry, target);
    }
  } finally {
    await file.close();
  }
}

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} method
 * @property {number} packedBytes
 * @property {number} mode
 * @property {number} localHeaderAt
 */

/** @param {import('node:fs/promises').FileHandle} file @param {number} position @param {number} length */
async function readBytes(file, position, length) {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error('the zip ends too early');
  return buffer;
}

/** @param {import('node:fs/promises').FileHandle} file @returns {Promise<Entry[]>} */
async function readEntries(file) {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, end.bytes + end.maxCommentBytes);
  const tail = await readBytes(file, size - tailBytes, tailBytes);
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(end.signature);
  const endAt = tail.lastIndexOf(signature);
  if (endAt === -1 || endAt + end.bytes > tail.length) throw new Error('this is not a zip file');
  const count = tail.readUInt16LE(endAt + 10);
  const directory = await readBytes(file, tail.readUInt32LE(endAt + 16), tail.readUInt32LE(endAt + 12));
  const entries = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (directory.readUInt32LE(at) !== central.signature) throw new Error('the directory of the zip is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + central.bytes, at + central.bytes + nameBytes),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777,
      localHeaderAt: directory.readUInt32LE(at + 42),
    });
    at += central.bytes + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @param {string} zipFile
 * @param {Entry} entry
 * @param {string} target
 */
async function unpackEntry(file, zipFile, { name, method, packedBytes, mode, localHeaderAt }, target) {
  if (method !== stored && method !== deflated) throw new Error(`${name} is packed by the unknown method ${method}`);
  const header = await readBytes(file, localHeaderAt, local.bytes);
  if (header.readUInt32LE(0) !== local.signature) throw new Error(`the header of ${name} is damaged`);
  const start = localHeaderAt + local.bytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const output = createWriteStream(target, { mode: mode === 0 ? 0o644 : mode });
  if (packedBytes === 0) {
    output.end();
    await once(output, 'close');
    return;
  }
  const packed = createReadStream(zipFile, { start, end: start + packedBytes - 1, highWaterMark: 1 << 20 });
  if (method === stored) await pipeline(packed, output);
  else await pipeline(packed, createInflateRaw({ chunkSize: 1 << 20 }), output);
}
