// Owns the focus after another page has opened: the page gets it. The element that had the focus, such as a row or a wizard's button, no
// longer exists. Without this file the next Tab would start at the top of the window.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';
import { useNavigation } from '../../platform/navigation-store.ts';
import { lostPlaces } from '../../ui/dialog/use-return-focus.ts';

/** A wizard that opens a page fades out first, and then returns the focus to an element that no longer exists. */
const watchMs = 1500;

export function usePageFocus(page: RefObject<HTMLElement | null>): void {
  const route = useNavigation((state) => state.route);
  const shown = useRef(route);
  useEffect(() => {
    if (shown.current === route) return undefined;
    shown.current = route;
    let untilMs = performance.now() + watchMs;
    let frame = 0;
    const watch = (): void => {
      const focused = document.activeElement;
      const isLost = focused === null || focused.matches(lostPlaces);
      const hasDialog = document.querySelector('[role="dialog"], [role="alertdialog"]') !== null;
      if (hasDialog) untilMs = performance.now() + watchMs;
      else if (isLost) page.current?.focus({ preventScroll: true });
      if (performance.now() < untilMs) frame = requestAnimationFrame(watch);
    };
    const end = (): void => cancelAnimationFrame(frame);
    // After the first key or click the user controls the focus.
    for (const type of ['keydown', 'pointerdown'] as const) addEventListener(type, end, { capture: true, once: true });
    frame = requestAnimationFrame(watch);
    return end;
  }, [route, page]);
}
