// Owns where an instance lives on disk: the root, and for each role a sub-folder and a configuration file (ARCHITECTURE.md, State).
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import type { ServiceRole } from '../../contracts/contract.ts';

/** FARKEEP_HOME, else the usual folder of the platform for such data. */
export function defaultHome(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['FARKEEP_HOME'];
  if (chosen !== undefined && chosen !== '') return path.resolve(chosen);
  if (process.platform === 'win32') {
    return path.join(environment['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'Farkeep');
  }
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Application Support', 'Farkeep');
  if (userInfo().uid === 0) return '/var/lib/farkeep';
  return path.join(environment['XDG_DATA_HOME'] ?? path.join(homedir(), '.local', 'share'), 'farkeep');
}

export function roleFolder(home: string, role: ServiceRole): string {
  return path.join(path.resolve(home), role);
}

/** Returns the configuration file of a role that is read if --config names no file. */
export function configFileOf(home: string, role: ServiceRole): string {
  return path.join(path.resolve(home), `${role}.json`);
}

/**
 * Returns the configuration file of a role for the console alone. The console passes the file with --config. If the file is missing, the
 * console's services read `configFileOf`.
 */
export function consoleConfigFileOf(home: string, role: ServiceRole): string {
  return path.join(roleFolder(home, role), 'config.json');
}
