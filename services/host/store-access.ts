// Owns the access rights of the files with private keys on this system, and the system's certificate store if there is one.
import { readFile } from 'node:fs/promises';
import type { AccessControl } from '../certstore/access-control.ts';
import { PosixAccess } from '../certstore/posix-access.ts';
import { WindowsAccess } from '../certstore/windows-access.ts';
import { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { runProgram } from '../process/run-program.ts';

/**
 * @param serviceGroup name or number of a group that may also read the files
 * @throws FarkeepError config.invalid for a group that does not exist, or on Windows, which uses an ACL instead
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
    hint: `Create the group: groupadd --system ${name}; for a group that is stored elsewhere, enter the number.`,
    field: 'serviceGroup',
  });
}

/** Returns the certificate store of the system for Pick Certificate; undefined except on Windows. */
export function windowsCertificates(platform: NodeJS.Platform = process.platform): WindowsCertificates | undefined {
  return platform === 'win32' ? new WindowsCertificates(runProgram) : undefined;
}
