// Owns the key F1: it opens the help of the topmost dialog, otherwise that of the current page.
import { useEffect } from 'react';
import { openDialog } from '../../platform/dialog-store.ts';
import { helpOfPage, isHelpPage } from '../../platform/help-pages.ts';
import { useNavigation } from '../../platform/navigation-store.ts';

export function useHelpKey(): void {
  useEffect(() => {
    const open = (event: KeyboardEvent): void => {
      if (event.key !== 'F1' || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      // Dialogs are in the document in the order in which they were opened. A small question above a dialog has no page of its own.
      const named = [...document.querySelectorAll<HTMLElement>('[data-help]')].at(-1)?.dataset['help'];
      openDialog({
        kind: 'help',
        page: isHelpPage(named) ? named : helpOfPage[useNavigation.getState().route.page],
      });
    };
    globalThis.addEventListener('keydown', open);
    return () => globalThis.removeEventListener('keydown', open);
  }, []);
}
