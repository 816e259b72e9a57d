// Owns removing a restore point from the lists: its root is renamed into `trash/`, with the date in the new name. The content is not read,
// so a damaged root can be removed as well. Its blocks stay.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { isPointId, pointFileOf } from './point-root-fields.ts';
import type { Storage } from '../storage/storage.ts';

export const trashFolder = 'trash';

/** @throws call.not-found, storage errors */
export async function moveToTrash(storage: Storage, pointId: string, nowMs: number): Promise<void> {
  const file = pointFileOf(pointId);
  // Only the name counts; the entry may be anything, such as a pipe or a link.
  if (!isPointId(pointId) || !(await storage.list('points')).includes(file)) {
    throw new FarkeepError('call.not-found', 'There is no such restore point');
  }
  try {
    await storage.rename(`points/${file}`, `${trashFolder}/${pointFileOf(`${pointId}.${nowMs}`)}`);
    // Sync the new name first: a power cut between the two syncs must not lose the root.
    await storage.sync(trashFolder);
    await storage.sync('points');
  } catch (error) {
    throw toFarkeepError(error, 'storage.io');
  }
}
