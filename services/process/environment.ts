// Owns the allow-list of environment variables that a child process inherits. All others stay out: secrets, NODE_OPTIONS, and variables
// with which an attacker could load code into a child. Must not read `process.env` by itself.

const passedNames = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
  // Windows programs do not start without some of these.
  ...['APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'USERNAME', 'PROGRAMDATA', 'PATHEXT', 'COMSPEC'],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR'],
]);
const passedPrefixes = ['LC_', 'XDG_'];

/** @param inherited usually `process.env`. Windows treats "Path" and "PATH" as one name, so the spelling is kept */
export function passedEnvironment(inherited: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    const upper = name.toUpperCase();
    const isPassed = passedNames.has(upper) || passedPrefixes.some((prefix) => upper.startsWith(prefix));
    if (value !== undefined && isPassed) environment[name] = value;
  }
  return environment;
}
