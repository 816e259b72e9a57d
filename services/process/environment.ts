// Owns what a child process inherits from the environment of its parent: an allow-list. Everything else stays out, above all secrets,
// NODE_OPTIONS and the variables by which another program could load code into a child. Must not read `process.env` by itself.

const passedNames = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
  // Windows programs do not start without some of these.
  ...['APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'USERNAME', 'PROGRAMDATA', 'PATHEXT', 'COMSPEC'],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR'],
]);
const passedPrefixes = ['LC_', 'XDG_'];

/** @param inherited usually `process.env`; Windows does not tell "Path" and "PATH" apart, so the spelling is kept */
export function passedEnvironment(inherited: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    const upper = name.toUpperCase();
    const isPassed = passedNames.has(upper) || passedPrefixes.some((prefix) => upper.startsWith(prefix));
    if (value !== undefined && isPassed) environment[name] = value;
  }
  return environment;
}
