// Owns the focus between dialogs on top of each other. When the upper dialog closes, Fluent returns the focus to the page. The lower dialog
// then stays hidden from assistive technology, although it is visible.
import { useEffect } from 'react';
import type { RefObject } from 'react';

interface OpenDialog {
  readonly surface: HTMLElement;
  lastFocus: HTMLElement | null;
}

const open: OpenDialog[] = [];
/** After a dialog has closed, the focus manager moves the focus in a few steps. This file must set the focus after them. */
const framesToWatch = 12;

/** @param inside an element that is in the dialog for its whole life */
export function useDialogFocus(inside: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = inside.current?.closest<HTMLElement>('[role="dialog"], [role="alertdialog"]');
    if (element === null || element === undefined) return undefined;
    const dialog: OpenDialog = { surface: element, lastFocus: null };
    open.push(dialog);
    const remember = ({ target }: FocusEvent): void => {
      if (target instanceof HTMLElement) dialog.lastFocus = target;
    };
    element.addEventListener('focusin', remember);
    // A button that is disabled during its work, or removed, loses the focus. Then Esc would reach no handler.
    const watcher = new MutationObserver(() => {
      if (open.at(-1) === dialog && isFocusLost()) bringFocusBack(dialog, framesToWatch);
    });
    watcher.observe(element, { subtree: true, childList: true, attributeFilter: ['disabled'] });
    return () => {
      watcher.disconnect();
      element.removeEventListener('focusin', remember);
      const wasOnTop = open.at(-1) === dialog;
      open.splice(open.indexOf(dialog), 1);
      if (wasOnTop) keepFocusInTopDialog(framesToWatch);
    };
  }, [inside]);
}

function isFocusLost(): boolean {
  const focused = document.activeElement;
  return focused === null || focused === document.body || focused.matches(':disabled');
}

function bringFocusBack(dialog: OpenDialog, frames: number): void {
  if (frames === 0) return;
  requestAnimationFrame(() => {
    if (open.at(-1) !== dialog || !isFocusLost()) return;
    focusInto(dialog);
    if (isFocusLost()) bringFocusBack(dialog, frames - 1);
  });
}

function keepFocusInTopDialog(frames: number): void {
  const top = open.at(-1);
  if (top === undefined || frames === 0) return;
  requestAnimationFrame(() => {
    if (open.at(-1) !== top) return;
    if (!top.surface.contains(document.activeElement)) focusInto(top);
    keepFocusInTopDialog(frames - 1);
  });
}

function focusInto({ surface, lastFocus }: OpenDialog): void {
  const canReturn = lastFocus !== null && surface.contains(lastFocus) && !lastFocus.matches(':disabled');
  if (canReturn) lastFocus.focus();
  if (surface.contains(document.activeElement)) return;
  surface.querySelector<HTMLElement>('input:not([disabled]), button:not([disabled])')?.focus();
}
