// Owns what a service process inherits from the console's environment: an allow-list. Everything else stays out, above all NODE_OPTIONS
// and the variables by which another program could load code into a service.

const allowedNames = new Set([
  ...['HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'PATH', 'TMPDIR', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR'],
  ...[
    'APPDATA',
    'LOCALAPPDATA',
    'USERPROFILE',
    'USERNAME',
    'SYSTEMROOT',
    'SYSTEMDRIVE',
    'WINDIR',
    'TEMP',
    'TMP',
    'COMSPEC',
  ],
  ...['PATHEXT', 'PROGRAMDATA'],
]);

/** @param home root folder of the instance; the service finds its own below it */
export function serviceEnvironment(inherited: NodeJS.ProcessEnv, home: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    const upper = name.toUpperCase();
    if (value !== undefined && (allowedNames.has(upper) || upper.startsWith('LC_'))) environment[name] = value;
  }
  return { ...environment, FARKEEP_HOME: home };
}
