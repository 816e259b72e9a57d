// Owns where the keyboard goes on when another page has opened: on that page. What had the focus, a row or a wizard's button, is gone, and
// without this the next Tab begins at the top of the window again.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';
import { useNavigation } from '../platform/navigation-store.ts';

/** A wizard that opens a page fades out first, and gives the focus back to what is not there any more. */
const watchMs = 1500;
/** As in use-return-focus.ts. */
const lostPlaces = 'body, [data-tabster-dummy], [data-tabster*="restorer"]';

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
    // From the first key or click on the focus is where somebody wants it.
    for (const type of ['keydown', 'pointerdown'] as const) addEventListener(type, end, { capture: true, once: true });
    frame = requestAnimationFrame(watch);
    return end;
  }, [route, page]);
}
