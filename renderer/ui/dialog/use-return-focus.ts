// Owns returning the focus to its earlier place when a dialog closes. Without this file the keyboard would start at the top of the window.
import { useEffect, useState } from 'react';

/** An item of a menu disappears with the menu, but the button that opened the menu stays. */
function focusOwner(): Element | null {
  const focused = document.activeElement;
  const opener = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return opener == null ? focused : document.getElementById(opener);
}

/**
 * After a dialog has closed, the focus manager moves the focus in a few steps, and a dialog that fades out is still in the document. On a
 * busy computer both take long. So this file watches for some time, not for a number of frames.
 */
const watchMs = 1500;
/** Where the focus manager puts the focus if it has no better place: nowhere, or on the last button that opened a popover. */
export const lostPlaces = 'body, [data-tabster-dummy], [data-tabster*="restorer"]';

/** @param isExact no other element may have the focus afterwards, also not one that the focus manager prefers */
export function useReturnFocus(isExact = false): void {
  // The element is remembered during drawing, because in an effect the dialog would already have taken the focus.
  const [before] = useState(focusOwner);
  useEffect(
    () => () => {
      // Runs after the dialog has closed. Moves the focus back only if no other element has taken the focus.
      if (before instanceof HTMLElement) giveBack(before, isExact);
    },
    [before, isExact],
  );
}

const inputEvents = ['keydown', 'pointerdown'] as const;

/** Moves the focus back to `before`. Stops at the first key or click, because from then on the user controls the focus. */
function giveBack(before: HTMLElement, isExact: boolean): void {
  const untilMs = performance.now() + watchMs;
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
    for (const type of inputEvents) removeEventListener(type, end, true);
  };
  for (const type of inputEvents) addEventListener(type, end, true);
  const step = (): void => {
    if (hasEnded) return;
    const now = document.activeElement;
    const isLost = now === null || now.matches(lostPlaces);
    const isWrong = isLost || (isExact && now !== before);
    if (isWrong && before.isConnected && !isBehindDialog(before)) before.focus();
    if (performance.now() < untilMs) {
      requestAnimationFrame(step);
      return;
    }
    // The answer may have removed the element that opened the dialog, such as a notice. Then the page gets the focus.
    if (!before.isConnected && now === document.body) focusPage();
    end();
  };
  setTimeout(step);
}

function focusPage(): void {
  const page = document.querySelector('main');
  if (page !== null && !isBehindDialog(page)) page.focus({ preventScroll: true });
}

function isBehindDialog(element: HTMLElement): boolean {
  const dialogs = [...document.querySelectorAll('[role="dialog"], [role="alertdialog"]')];
  return dialogs.length > 0 && !dialogs.some((dialog) => dialog.contains(element));
}
