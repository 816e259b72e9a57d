// Owns the meaning of a job's exclude patterns. Works on raw bytes, so names that are not UTF-8 can be matched too.

/**
 * @param patterns `*` matches within a name, `**` across folders, `?` one character's byte; a pattern without `/` matches any name, one with
 *   `/` the whole path below the source; a trailing `/` limits it to folders
 * @returns whether the path (raw bytes, relative to the source, no leading `/`) is left out, with everything in it
 */
export function compileExcludes(patterns: readonly string[]): (path: Buffer, isFolder: boolean) => boolean {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map((pattern) => {
      const isFolderOnly = pattern.endsWith('/');
      const core = pattern.replace(/\/+$/, '').replace(/^\/+/, '');
      const isAnchored = pattern.replace(/\/+$/, '').includes('/');
      return { isFolderOnly, isAnchored, expression: toExpression(core) };
    });
  if (rules.length === 0) return () => false;
  return (path, isFolder) => {
    const whole = path.toString('latin1');
    const name = whole.slice(whole.lastIndexOf('/') + 1);
    return rules.some(
      ({ isFolderOnly, isAnchored, expression }) =>
        (isFolder || !isFolderOnly) && expression.test(isAnchored ? whole : name),
    );
  };
}

/** UTF-8 bytes of the pattern, each as one Latin-1 character, as the paths are. */
function toExpression(pattern: string): RegExp {
  const bytes = Buffer.from(pattern, 'utf8').toString('latin1');
  let source = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const character = bytes.charAt(at);
    if (bytes.startsWith('**/', at)) {
      source += '(?:.*/)?';
      at += 2;
    } else if (bytes.startsWith('**', at)) {
      source += '.*';
      at += 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else source += character.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}
