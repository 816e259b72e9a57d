// Owns giving the focus back to where it was when a dialog closes. Without it the keyboard starts again at the top of the window.
import { useEffect, useState } from 'react';

/** An item of a menu goes away with the menu; the button that opened it stays. */
function focusOwner(): Element | null {
  const focused = document.activeElement;
  const opener = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return opener == null ? focused : document.getElementById(opener);
}

export function useReturnFocus(): void {
  // While it is drawn: in an effect the dialog would have taken the focus already.
  const [before] = useState(focusOwner);
  useEffect(() => {
    return () => {
      // After the dialog is gone, and only when nothing else took the focus meanwhile.
      setTimeout(() => {
        const now = document.activeElement;
        const isLost = now === null || now === document.body || now.matches('[data-tabster-dummy]');
        if (isLost && before instanceof HTMLElement && before.isConnected) before.focus();
      });
    };
  }, [before]);
}
