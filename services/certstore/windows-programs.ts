// Owns where the programs of Windows lie. By their whole path nobody can put another one of the same name into the working folder or the
// search path of a service that runs as LocalSystem. Must not start anything.
import path from 'node:path';

const folders = {
  'icacls.exe': ['System32'],
  'powershell.exe': ['System32', 'WindowsPowerShell', 'v1.0'],
  'whoami.exe': ['System32'],
} as const satisfies Record<string, readonly string[]>;

/** @param systemRoot `%SystemRoot%`, which Windows sets for every process; without it only the name is left. */
export function windowsProgram(
  name: keyof typeof folders,
  systemRoot: string | undefined = process.env['SystemRoot'],
): string {
  return systemRoot === undefined ? name : path.win32.join(systemRoot, ...folders[name], name);
}
