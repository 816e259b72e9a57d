// Owns the check whether this account may mount file systems, for tests of full, lost or duplicated disks. For tests only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let answer: boolean | undefined;

export function canMount(): boolean {
  answer ??= tryToMount();
  return answer;
}

/** Returns the title of a test that needs mounts. If the account may not mount, the title says that the test did not run. */
export function mountTitle(title: string): string {
  return canMount() ? title : `NOT TRIED, this account may not mount: ${title}`;
}

function tryToMount(): boolean {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  const probe = mkdtempSync(path.join(tmpdir(), 'farkeep-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(probe);
  }
}
