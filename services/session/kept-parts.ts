// Owns the size limits of one session's history, by number and by bytes. The other side writes part of the history, and a hostile peer
// could fill the disk of this side. The functions are pure, except that they change the given list.
import type { SessionAction, SessionObject } from '../contracts/models/session.ts';

const maxActions = 2000;
const maxObjects = 500;
/** UTF-16 units of all texts together. */
const maxActionText = 128 * 1024;
const maxObjectText = 64 * 1024;

/** Removes ordinary actions first, the oldest of them first. Warnings and errors are removed last. */
export function keepActions(actions: SessionAction[]): void {
  keep(actions, {
    max: maxActions,
    maxText: maxActionText,
    isPlain: ({ level }) => level === 'info',
    textOf: ({ text }) => text,
  });
}

/** Removes objects that finished without an error first. */
export function keepObjects(objects: SessionObject[]): void {
  keep(objects, {
    max: maxObjects,
    maxText: maxObjectText,
    isPlain: ({ state }) => state === 'done',
    textOf: ({ name }) => name,
  });
}

function keep<Part>(
  parts: Part[],
  {
    max,
    maxText,
    isPlain,
    textOf,
  }: { max: number; maxText: number; isPlain: (part: Part) => boolean; textOf: (part: Part) => string },
): void {
  let text = 0;
  for (const part of parts) text += textOf(part).length;
  while (parts.length > max || (text > maxText && parts.length > 1)) {
    const oldestPlain = parts.findIndex(isPlain);
    const [dropped] = parts.splice(oldestPlain === -1 ? 0 : oldestPlain, 1);
    if (dropped !== undefined) text -= textOf(dropped).length;
  }
}
