// A check of a tenant folder that kills its own process with SIGKILL at a chosen moment. Only damage-marks.test.ts starts it. Arguments:
// folder, moment.
import { silentLogger } from '../../kernel/logger.ts';
import { FolderStorage } from '../../repository/storage/folder-storage.ts';
import { verifyAndMark } from '../../repository/store/verify-and-mark.ts';

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

  /** The check lists the points after it has read every pack. */
  override async list(folderName: string): Promise<string[]> {
    if (folderName === 'points' && moment === 'before the end') await die();
    return super.list(folderName);
  }
}

await verifyAndMark({ tenantFolder: folder, logger: silentLogger, storage: new DyingStorage(folder) });
