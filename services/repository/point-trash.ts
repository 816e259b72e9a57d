// Owns taking a restore point out of the lists: its root moves to `trash/` with the date in its name, by one rename. Looks into nothing, so a
// damaged root goes the same way. Blocks stay until maintenance finds that nothing refers to them.
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { isPointId, pointFileOf } from './point-root-fields.ts';
import type { Storage } from './storage.ts';

export const trashFolder = 'trash';

/** @throws call.not-found, storage errors */
export async function moveToTrash(storage: Storage, pointId: string, nowMs: number): Promise<void> {
  const file = pointFileOf(pointId);
  // By its name alone: what it is, a pipe or a link perhaps, does not matter any more.
  if (!isPointId(pointId) || !(await storage.list('points')).includes(file)) {
    throw new FarkeepError('call.not-found', 'There is no such restore point');
  }
  try {
    await storage.rename(`points/${file}`, `${trashFolder}/${pointFileOf(`${pointId}.${nowMs}`)}`);
    // The new name first: a power cut between the two must not lose the root.
    await storage.sync(trashFolder);
    await storage.sync('points');
  } catch (error) {
    throw toFarkeepError(error, 'storage.io');
  }
}
