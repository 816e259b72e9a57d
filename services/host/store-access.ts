// Owns which access rights the files with private keys get on this system, and starting the programs that set them on Windows.
import { execFile } from 'node:child_process';
import type { AccessControl } from '../certstore/access-control.ts';
import { PosixAccess } from '../certstore/posix-access.ts';
import { type CommandRunner, WindowsAccess } from '../certstore/windows-access.ts';

const timeoutMs = 20_000;

export function storeAccess(platform: NodeJS.Platform = process.platform): AccessControl {
  return platform === 'win32' ? new WindowsAccess(runProgram) : new PosixAccess();
}

/** No shell; nothing of this process but its environment reaches the program. */
export const runProgram: CommandRunner = (program, args) =>
  new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: timeoutMs, windowsHide: true }, (error, stdout) => {
      if (error === null) resolve(stdout);
      // The message of execFile repeats the whole command and what it wrote.
      else reject(new Error(`${program} failed: ${error.message.slice(0, 500)}`, { cause: error }));
    });
  });
