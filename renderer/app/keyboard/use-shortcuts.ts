// Owns the keys that work on every page: back and forward through the pages, and zoom. Keys of lists belong to the lists.
import { useEffect } from 'react';
import { consoleClient } from '../../platform/clients.ts';
import { toErrorInfo } from '../../platform/error-info.ts';
import { goBack, goForward } from '../../platform/navigation-store.ts';
import { mirror } from '../../platform/use-mirror.ts';
import { zoomAfterKey } from '../../platform/zoom.ts';
import { showToast } from '../../ui/toast-store.ts';

async function setZoom(zoom: number): Promise<void> {
  const { preferences } = mirror.store.getState().console;
  if (preferences === null || preferences.zoom === zoom) return;
  // Changes the mirror at once, because the next press of the key counts from here.
  mirror.setPreferences({ ...preferences, zoom });
  try {
    await consoleClient.setPreferences({ zoom });
  } catch (error) {
    showToast('error', toErrorInfo(error).message);
  }
}

/** A dialog belongs to its page, so the page stays while a dialog is open. */
function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="alertdialog"]') !== null;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    if (isDialogOpen()) return;
    if (event.key === 'ArrowLeft') goBack();
    else goForward();
    return;
  }
  if ((!event.ctrlKey && !event.metaKey) || event.altKey) return;
  const zoom = zoomAfterKey(event.key, mirror.store.getState().console.preferences?.zoom ?? 1);
  if (zoom === null) return;
  event.preventDefault();
  void setZoom(zoom);
}

/** The fourth and fifth button of a mouse. */
function onMouseUp(event: MouseEvent): void {
  if ((event.button !== 3 && event.button !== 4) || isDialogOpen()) return;
  event.preventDefault();
  if (event.button === 3) goBack();
  else goForward();
}

export function useShortcuts(): void {
  useEffect(() => {
    addEventListener('keydown', onKeyDown);
    addEventListener('mouseup', onMouseUp);
    return () => {
      removeEventListener('keydown', onKeyDown);
      removeEventListener('mouseup', onMouseUp);
    };
  }, []);
}
