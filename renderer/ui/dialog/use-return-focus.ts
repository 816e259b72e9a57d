// Owns giving the focus back to where it was when a dialog closes. Without it the keyboard starts again at the top of the window.
import { useEffect, useState } from 'react';

/** An item of a menu goes away with the menu; the button that opened it stays. */
function focusOwner(): Element | null {
  const focused = document.activeElement;
  const opener = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return opener == null ? focused : document.getElementById(opener);
}

/** The focus manager moves the focus in a few steps after a dialog has gone; the last word has to be ours. */
const framesToWatch = 12;
/** Where it puts the focus when it does not know better: nowhere, or at the last button that opened a popover. */
const lostPlaces = 'body, [data-tabster-dummy], [data-tabster*="restorer"]';

export function useReturnFocus(): void {
  // While it is drawn: in an effect the dialog would have taken the focus already.
  const [before] = useState(focusOwner);
  useEffect(
    () => () => {
      // After the dialog is gone, and only when nothing else took the focus meanwhile.
      if (before instanceof HTMLElement) giveBack(before);
    },
    [before],
  );
}

const inputEvents = ['keydown', 'pointerdown'] as const;

/** Ends at the first key or click: from then on the focus is where somebody wants it. */
function giveBack(before: HTMLElement): void {
  let frames = framesToWatch;
  const end = (): void => {
    frames = 0;
    for (const type of inputEvents) removeEventListener(type, end, true);
  };
  for (const type of inputEvents) addEventListener(type, end, true);
  const step = (): void => {
    const now = document.activeElement;
    if (frames === 0 || isBehindDialog(before)) {
      // The answer may have taken away what opened the dialog, such as a notice: then the page goes on.
      if (!before.isConnected && now === document.body) focusPage();
      end();
      return;
    }
    if (before.isConnected && now !== before && (now === null || now.matches(lostPlaces))) before.focus();
    frames -= 1;
    requestAnimationFrame(step);
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
