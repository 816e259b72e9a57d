// Owns giving the focus back to where it was when a dialog closes. Without it the keyboard starts again at the top of the window.
import { useEffect } from 'react';

export function useReturnFocus(): void {
  useEffect(() => {
    const before = document.activeElement;
    return () => {
      // After the dialog is gone, and only when nothing else took the focus meanwhile.
      setTimeout(() => {
        const now = document.activeElement;
        const isLost = now === null || now === document.body || now.matches('[data-tabster-dummy]');
        if (isLost && before instanceof HTMLElement && before.isConnected) before.focus();
      });
    };
  }, []);
}
