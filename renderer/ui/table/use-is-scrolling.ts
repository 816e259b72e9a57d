// Owns whether the content of a box is larger than the box. Then the keyboard must be able to focus the box to scroll it.
import { useEffect, useState } from 'react';
import type { RefObject } from 'react';

export function useIsScrolling(box: RefObject<HTMLElement | null>): boolean {
  const [isScrolling, setScrolling] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => setScrolling(element.scrollHeight > element.clientHeight + 1);
    // The content can grow while the box keeps its size.
    const observer = new ResizeObserver(measure);
    for (const part of [element, ...element.children]) observer.observe(part);
    const additions = new MutationObserver(() => {
      for (const part of element.children) observer.observe(part);
      measure();
    });
    additions.observe(element, { childList: true });
    measure();
    return () => {
      observer.disconnect();
      additions.disconnect();
    };
  }, [box]);
  return isScrolling;
}
