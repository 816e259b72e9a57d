// Owns matching paths against a job's exclude patterns. Works on raw bytes, so names that are not UTF-8 can be matched too.
import { compileWildcard } from './wildcard.ts';

/**
 * @param patterns `*` matches within a name, `**` matches across folders, `?` matches one byte of a character. A pattern without `/`
 *   matches any name. A pattern with `/` matches the whole path below the source. A trailing `/` limits the pattern to folders.
 * @returns whether the path (raw bytes, relative to the source, no leading `/`) is left out, with everything below the path
 */
export function compileExcludes(patterns: readonly string[]): (path: Buffer, isFolder: boolean) => boolean {
  const rules = patterns
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
    .map((pattern) => {
      const isFolderOnly = pattern.endsWith('/');
      const core = pattern.replace(/\/+$/, '').replace(/^\/+/, '');
      const isAnchored = pattern.replace(/\/+$/, '').includes('/');
      // Each UTF-8 byte of the pattern becomes one Latin-1 character. The paths have the same form.
      return { isFolderOnly, isAnchored, isMatch: compileWildcard(Buffer.from(core, 'utf8').toString('latin1')) };
    });
  if (rules.length === 0) return () => false;
  return (path, isFolder) => {
    const whole = path.toString('latin1');
    const name = whole.slice(whole.lastIndexOf('/') + 1);
    return rules.some(
      ({ isFolderOnly, isAnchored, isMatch }) => (isFolder || !isFolderOnly) && isMatch(isAnchored ? whole : name),
    );
  };
}
