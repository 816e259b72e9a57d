// Owns a process that checks a tenant folder and kills itself with SIGKILL at a given moment. Must be started by damage-marks.test.ts only.
// Arguments: folder, moment.
import { silentLogger } from '../../kernel/logger.ts';
import { FolderStorage } from '../../repository/folder/folder-storage.ts';
import { verifyAndMark } from '../../repository/store/verify-and-mark.ts';
import { openFolderPlace } from '../../repository/folder/folder-place.ts';

const [folder = '', moment = ''] = process.argv.slice(2);

/** Kills this process; no later code runs. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

class DyingStorage extends FolderStorage {
  override async rename(from: string, to: string): Promise<void> {
    const isMark = to.startsWith('damaged/');
    if (isMark && moment === 'before the marks are in their place') await die();
    await super.rename(from, to);
    if (isMark && moment === 'before the catalogue knows') await die();
  }

  /** The check lists the restore points after it has read every pack, so this moment is near the end of the check. */
  override async list(folderName: string): Promise<string[]> {
    if (folderName === 'points' && moment === 'before the end') await die();
    return super.list(folderName);
  }
}

await verifyAndMark({ place: openFolderPlace(folder, new DyingStorage(folder)), logger: silentLogger });
