// Owns the only connection between renderer and main process: two channels in, one out. Checks the sender before it reads a message. The
// only user of ipcMain.
import { ipcMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron';
import { bridgeChannels } from '../../../services/contracts/bridge-channels.ts';
import type { BridgeEvent } from '../../../services/contracts/carrier.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Logger } from '../../../services/kernel/logger.ts';
import { appOrigin } from '../security/app-response.ts';
import { refuse, type CallRouter } from './call-router.ts';

export interface RendererBridge {
  /** Sends to every window of this console. */
  send(event: BridgeEvent): void;
}

export function openRendererBridge({
  router,
  logger,
  windows,
}: {
  readonly router: CallRouter;
  readonly logger: Logger;
  /** Contents of the console's own windows. */
  readonly windows: () => readonly WebContents[];
}): RendererBridge {
  // electron-store registers a channel for renderers. The console does not use this channel, so it is removed.
  ipcMain.removeAllListeners('electron-store-get-data');
  const watched = new WeakSet<WebContents>();

  /**
   * Accepts only the top frame of our own window at our own origin. A frame inside it, or a page reached by navigation, could be an
   * attacker's.
   */
  const isOurs = (event: IpcMainEvent | IpcMainInvokeEvent): boolean => {
    const frame = event.senderFrame;
    if (frame === null || !windows().includes(event.sender)) return false;
    return frame.parent === null && frame.url.startsWith(`${appOrigin}/`);
  };
  const watch = (contents: WebContents): void => {
    if (watched.has(contents)) return;
    watched.add(contents);
    const owner = contents.id;
    contents.on('destroyed', () => router.cancelAll(owner));
    contents.on('render-process-gone', () => router.cancelAll(owner));
    // A reload cancels all calls of the previous page.
    contents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument) router.cancelAll(owner);
    });
  };

  ipcMain.handle(bridgeChannels.call, (event, raw: unknown) => {
    if (!isOurs(event)) {
      logger.warn('refused a call from a foreign sender', { address: event.senderFrame?.url ?? 'gone' });
      return refuse(new FarkeepError('call.refused', 'This page may not call the console'));
    }
    watch(event.sender);
    return router.call(event.sender.id, raw);
  });
  ipcMain.on(bridgeChannels.cancel, (event, id: unknown) => {
    if (isOurs(event)) router.cancel(event.sender.id, id);
  });

  return {
    send(event) {
      for (const contents of windows()) {
        if (!contents.isDestroyed() && !contents.isCrashed()) contents.send(bridgeChannels.event, event);
      }
    },
  };
}
