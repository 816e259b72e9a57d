// Owns the check whether this machine's temporary folder supports direct access (O_DIRECT), for tests of direct access. Must not be used by
// the product.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DirectWriter, makeWriteBuffers } from '../../repository/storage/direct-file.ts';

/** Whether the temporary folder supports O_DIRECT. If not, the tests are shown as skipped. */
export async function canGoDirect(): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-direct-'));
  const plain = await open(path.join(folder, 'file'), 'wx+');
  const writer = await DirectWriter.open(plain, makeWriteBuffers(1));
  await writer?.close();
  await plain.close();
  await rm(folder, { recursive: true });
  return writer !== undefined;
}
