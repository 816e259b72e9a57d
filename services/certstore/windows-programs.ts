// Owns the full paths of Windows programs. With a name alone, an attacker could put another program of this name into the working folder or
// the search path of a service that runs as LocalSystem. Must not start programs.
import path from 'node:path';

const folders = {
  'icacls.exe': ['System32'],
  'powershell.exe': ['System32', 'WindowsPowerShell', 'v1.0'],
  'whoami.exe': ['System32'],
} as const satisfies Record<string, readonly string[]>;

/** @param systemRoot `%SystemRoot%`, which Windows sets for every process; without it the program's name is returned. */
export function windowsProgram(
  name: keyof typeof folders,
  systemRoot: string | undefined = process.env['SystemRoot'],
): string {
  return systemRoot === undefined ? name : path.win32.join(systemRoot, ...folders[name], name);
}
