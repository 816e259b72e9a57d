// Owns the bytes of a restore point's root: a small file that describes the point and names the blocks of its manifest. A hash at the end
// detects damage. Layout (docs/repository-format.md, section 5): "FKPR" version(1) reserved(3) length(4) JSON(length) SHA-256 of all before
// (32).
import { hash } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { checkPointRoot, PointRootProblem, type PointRoot } from './point-root-fields.ts';

export const pointRootVersion = 1;
export const maxPointRootBytes = 1024 * 1024;
const magic = 0x464b5052; // "FKPR"
const headBytes = 12;
const hashBytes = 32;

/** Throws call.invalid when a field is out of bounds. */
export function encodePointRoot(root: PointRoot): Buffer {
  const json = Buffer.from(
    JSON.stringify(checked(root, (reason) => new FarkeepError('call.invalid', `Point root: ${reason}`))),
    'utf8',
  );
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

/** Throws storage.damaged; the message contains `name`. Checks the hash before it reads any field. */
export function decodePointRoot(bytes: Buffer, name = 'root'): PointRoot {
  if (bytes.length < headBytes + hashBytes || bytes.length > maxPointRootBytes)
    throw damaged(name, `a root of ${bytes.length} bytes cannot be`);
  if (bytes.readUInt32BE(0) !== magic) throw damaged(name, 'this is not the root of a restore point');
  if (bytes.readUInt32BE(8) !== bytes.length - headBytes - hashBytes) throw damaged(name, 'its length is wrong');
  const signedEnd = bytes.length - hashBytes;
  if (!hash('sha256', bytes.subarray(0, signedEnd), 'buffer').equals(bytes.subarray(signedEnd)))
    throw damaged(name, 'it does not match its hash');
  if (bytes.readUInt8(4) !== pointRootVersion)
    throw damaged(name, `format version ${bytes.readUInt8(4)} is not supported by this version`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8', headBytes, signedEnd));
  } catch {
    throw damaged(name, 'its text is not JSON');
  }
  return checked(json, (reason) => damaged(name, reason));
}

function checked(value: unknown, failure: (reason: string) => FarkeepError): PointRoot {
  try {
    return checkPointRoot(value);
  } catch (error) {
    throw error instanceof PointRootProblem ? failure(error.message) : error;
  }
}
