// Owns deleting a restore point: its root is renamed into `trash/`, with the date in the new name. Does not read the root, so a damaged
// point can be deleted too. The blocks of the restore point stay.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { isPointId, pointFileOf } from './point-root-fields.ts';
import type { Storage } from '../storage/storage.ts';

export const trashFolder = 'trash';

/** @throws call.not-found, storage errors */
export async function moveToTrash(storage: Storage, pointId: string, nowMs: number): Promise<void> {
  const file = pointFileOf(pointId);
  // Only the name is checked, because the entry may be anything, such as a pipe or a link.
  if (!isPointId(pointId) || !(await storage.list('points')).includes(file)) {
    throw new FarkeepError('call.not-found', 'There is no such restore point');
  }
  try {
    await storage.rename(`points/${file}`, `${trashFolder}/${pointFileOf(`${pointId}.${nowMs}`)}`);
    // The folder with the new name is synced first. In the opposite order, a power cut between the two syncs could lose the root.
    await storage.sync(trashFolder);
    await storage.sync('points');
  } catch (error) {
    throw toFarkeepError(error, 'storage.io');
  }
}
