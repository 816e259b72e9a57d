// Owns the message for a home folder that this account cannot use. Without it, the console would end with an error of the file system.
import { accessSync, constants, mkdirSync } from 'node:fs';
import { findFolderOwner } from '../../../services/kernel/state/folder-owner.ts';
import { isDenied } from '../../../services/kernel/system-error.ts';

/** Makes the folder of the console's own files. @returns false when this account lacks the rights */
export function canUseConsoleFolder(consoleFolder: string): boolean {
  try {
    mkdirSync(consoleFolder, { recursive: true, mode: 0o700 });
    accessSync(consoleFolder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    // Another error is reported by the part that needs the folder.
    return !isDenied(error);
  }
}

export async function explainForbiddenHome(home: string): Promise<string> {
  const owner = await findFolderOwner(home);
  return [
    `This account may not use ${home}${owner === undefined ? '' : `, which belongs to ${owner}`}.`,
    `Start Farkeep as ${owner ?? 'the account that owns the folder'}, or forward the local sockets of the services by SSH into a folder of your own and select this folder with FARKEEP_HOME. See docs/cli.md, Services of another computer.`,
  ].join('\n\n');
}
