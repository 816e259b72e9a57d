// Owns the position of a new window: the last position, if it is still on a screen. Pure: does not use a window.
import type { WindowState } from '../settings/settings-schema.ts';

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const defaultWindowSize = { width: 1320, height: 860 } as const;
export const minimumWindowSize = { width: 900, height: 600 } as const;

/** At least this much of the title bar must be on a screen, so that a person can move the window. */
const graspWidth = 120;
const graspHeight = 40;

/** @returns position and size. Without a position the window manager chooses one. */
export function placeWindow(
  saved: WindowState | null,
  workAreas: readonly Area[],
): { x?: number; y?: number; width: number; height: number } {
  if (saved === null) return { ...defaultWindowSize };
  const width = Math.max(minimumWindowSize.width, saved.width);
  const height = Math.max(minimumWindowSize.height, saved.height);
  const canBeGrasped = workAreas.some((area) => {
    const visibleWidth = Math.min(saved.x + width, area.x + area.width) - Math.max(saved.x, area.x);
    const isTitleVisible = saved.y >= area.y && saved.y + graspHeight <= area.y + area.height;
    return visibleWidth >= graspWidth && isTitleVisible;
  });
  return canBeGrasped ? { x: saved.x, y: saved.y, width, height } : { width, height };
}
