// Owns the icon in the notification area. It is shown only while the window is hidden and services run.
import { Menu, nativeImage, Tray } from 'electron';
import type { Logger } from '../../../services/kernel/logger.ts';

export interface TrayIcon {
  show(): void;
  hide(): void;
}

export function createTrayIcon({
  iconFile,
  onOpen,
  onQuit,
  logger,
}: {
  readonly iconFile: string;
  readonly onOpen: () => void;
  readonly onQuit: () => void;
  readonly logger: Logger;
}): TrayIcon {
  let tray: Tray | undefined;
  return {
    show() {
      if (tray !== undefined) return;
      try {
        tray = new Tray(nativeImage.createFromPath(iconFile));
      } catch (error) {
        // Some Linux desktops have no notification area. Starting Farkeep again then opens the window.
        logger.warn('there is no notification area', { error });
        return;
      }
      tray.setToolTip('Farkeep');
      tray.setContextMenu(
        Menu.buildFromTemplate([
          { label: 'Open Farkeep', click: onOpen },
          { type: 'separator' },
          { label: 'Exit', click: onQuit },
        ]),
      );
      tray.on('click', onOpen);
    },
    hide() {
      tray?.destroy();
      tray = undefined;
    },
  };
}
