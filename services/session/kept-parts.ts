// Owns how much of what a session did is kept: by number and by bytes, since the other side writes a part of it and all of it lies on this side's disk.
// Pure, but for the list that it is given.
import type { SessionAction, SessionObject } from '../contracts/models/session.ts';

const maxActions = 2000;
const maxObjects = 500;
/** Of UTF-16 units; all texts together. */
const maxActionText = 128 * 1024;
const maxObjectText = 64 * 1024;

/** What is plain goes first, the oldest of it; what went wrong stays as long as there is anything else. */
export function keepActions(actions: SessionAction[]): void {
  keep(actions, {
    max: maxActions,
    maxText: maxActionText,
    isPlain: ({ level }) => level === 'info',
    textOf: ({ text }) => text,
  });
}

/** What is finished without trouble is the least interesting. */
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
