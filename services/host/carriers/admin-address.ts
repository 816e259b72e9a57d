// Owns the location of a role's local socket. Unix socket paths are limited to about 100 bytes. For a longer home path, the socket is in a
// short folder that only this account can enter, and a file in the role's folder contains its path.
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { isMissing } from '../../kernel/system-error.ts';

/** sun_path has 108 bytes on Linux and 104 on macOS, with a closing zero. */
const maxSocketPathBytes = 100;
const socketName = 'admin.sock';
const pointerName = 'admin.sock.path';

function fits(socketPath: string): boolean {
  return Buffer.byteLength(socketPath) <= maxSocketPathBytes;
}

function pipeName(roleFolder: string): string {
  return `\\\\.\\pipe\\farkeep-${hashOf(roleFolder)}`;
}

function hashOf(roleFolder: string): string {
  return createHash('sha256').update(path.resolve(roleFolder)).digest('hex').slice(0, 16);
}

/**
 * Prepares the location for a service that holds the role's lock: removes files of an earlier process.
 * @returns the address to listen on, and a function that removes it afterwards
 */
export async function claimAdminAddress(
  roleFolder: string,
): Promise<{ address: string; release: () => Promise<void> }> {
  if (process.platform === 'win32') return { address: pipeName(roleFolder), release: () => Promise.resolve() };
  const own = path.join(roleFolder, socketName);
  const pointer = path.join(roleFolder, pointerName);
  await forgetEarlierFolder(pointer, roleFolder);
  if (fits(own)) {
    await rm(own, { force: true });
    return { address: own, release: () => rm(own, { force: true }) };
  }
  // mkdtemp: another account cannot guess the name and create the folder first, and the mode is 0700 from the start.
  const parent = fits(path.join(tmpdir(), folderPrefix(roleFolder), 'XXXXXX', socketName)) ? tmpdir() : '/tmp';
  const folder = await mkdtemp(path.join(parent, folderPrefix(roleFolder)));
  await chmod(folder, 0o700);
  const address = path.join(folder, socketName);
  await writeFileAtomically(pointer, `${address}\n`);
  return {
    address,
    release: async () => {
      await rm(folder, { recursive: true, force: true });
      await rm(pointer, { force: true });
    },
  };
}

function folderPrefix(roleFolder: string): string {
  return `farkeep-${hashOf(roleFolder)}-`;
}

/** The address to connect to. The service may not be running. */
export async function findAdminAddress(roleFolder: string): Promise<string> {
  if (process.platform === 'win32') return pipeName(roleFolder);
  const own = path.join(roleFolder, socketName);
  if (fits(own)) return own;
  return (await readPointer(path.join(roleFolder, pointerName))) ?? own;
}

async function readPointer(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function forgetEarlierFolder(pointer: string, roleFolder: string): Promise<void> {
  const earlier = await readPointer(pointer);
  if (earlier === undefined) return;
  const folder = path.dirname(earlier);
  // Removes only folders that `claimAdminAddress` has created: the name contains the hash of this role folder.
  if (path.basename(folder).startsWith(folderPrefix(roleFolder))) await rm(folder, { recursive: true, force: true });
  await rm(pointer, { force: true });
}
