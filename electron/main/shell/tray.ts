// Owns the icon in the notification area. It is shown only while the window is hidden and services run.
import { Menu, nativeImage, Tray } from 'electron';

export interface TrayIcon {
  show(): void;
  hide(): void;
}

export function createTrayIcon({
  iconFile,
  onOpen,
  onQuit,
}: {
  readonly iconFile: string;
  readonly onOpen: () => void;
  readonly onQuit: () => void;
}): TrayIcon {
  let tray: Tray | undefined;
  return {
    show() {
      if (tray !== undefined) return;
      tray = new Tray(nativeImage.createFromPath(iconFile));
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
