// Owns which access rights the files with private keys get on this system, which store of the system there is to pick from, and starting
// the programs that do both on Windows.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { AccessControl } from '../certstore/access-control.ts';
import { PosixAccess } from '../certstore/posix-access.ts';
import type { CommandRunner } from '../certstore/command-runner.ts';
import { WindowsAccess } from '../certstore/windows-access.ts';
import { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

const defaultTimeoutMs = 20_000;
const defaultMaxOutputBytes = 1024 * 1024;

/**
 * @param serviceGroup name or number of a group that may read the files as well
 * @throws FarkeepError config.invalid for a group that does not exist, or on Windows, which has an ACL instead
 */
export async function storeAccess(
  serviceGroup: string | undefined,
  platform: NodeJS.Platform = process.platform,
): Promise<AccessControl> {
  if (serviceGroup === undefined) return platform === 'win32' ? new WindowsAccess(runProgram) : new PosixAccess();
  if (platform === 'win32') {
    throw new FarkeepError('config.invalid', 'A service group is for Linux and macOS; Windows uses an ACL', {
      hint: 'Remove serviceGroup from the configuration.',
      field: 'serviceGroup',
    });
  }
  return new PosixAccess(/^\d+$/.test(serviceGroup) ? Number(serviceGroup) : await groupNumber(serviceGroup));
}

async function groupNumber(name: string): Promise<number> {
  const groups = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const number = groups.find(([group]) => group === name)?.[2];
  if (number !== undefined && /^\d+$/.test(number)) return Number(number);
  throw new FarkeepError('config.invalid', `There is no group "${name}" in /etc/group`, {
    hint: `Make it: groupadd --system ${name}; of a group that is kept elsewhere, give the number.`,
    field: 'serviceGroup',
  });
}

/** The system's own certificate store for Pick Certificate; only Windows has one. */
export function windowsCertificates(platform: NodeJS.Platform = process.platform): WindowsCertificates | undefined {
  return platform === 'win32' ? new WindowsCertificates(runProgram) : undefined;
}

/** No shell; nothing of this process but its environment and the given input reaches the program. */
export const runProgram: CommandRunner = (
  program,
  args,
  { input = '', timeoutMs = defaultTimeoutMs, maxOutputBytes = defaultMaxOutputBytes, signal } = {},
) =>
  new Promise((resolve, reject) => {
    const limits = { timeout: timeoutMs, maxBuffer: maxOutputBytes, signal };
    const child = execFile(program, [...args], { ...limits, windowsHide: true }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      // The message of execFile repeats the whole command, which may be a long script.
      const reason =
        typeof error.code === 'string'
          ? error.code
          : error.killed === true
            ? `no answer within ${timeoutMs / 1000} s`
            : `exit code ${String(error.code)} ${stderr.trim()}`;
      reject(new Error(`${program} failed: ${reason.slice(0, 400)}`, { cause: error }));
    });
    // A program that ends without reading breaks the pipe; its exit code tells, and an error nobody hears would end the service.
    child.stdin?.on('error', () => undefined);
    // PowerShell reads its input to the end before it ends: left open, every call would last until the time-out.
    child.stdin?.end(input, 'ascii');
  });
