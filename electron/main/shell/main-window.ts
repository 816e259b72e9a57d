// Owns the console's only window: hardened, at its last position, shown when its first page is drawn. Must not know its content.
import { BrowserWindow, nativeTheme, screen } from 'electron';
import type { InstallLayout } from '../install-layout.ts';
import { startAddress } from '../security/app-response.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import { minimumWindowSize, placeWindow } from './window-state.ts';

export interface MainWindow {
  readonly browserWindow: BrowserWindow;
  /** Brings the window to the front, also from the tray. */
  reveal(): void;
  /** 1 is the normal size of everything in the window. */
  setZoom(factor: number): void;
}

export interface MainWindowOptions {
  readonly layout: InstallLayout;
  readonly settings: SettingsStore;
  readonly isDevelopment: boolean;
  /** The user wants to close the window. It closes only if `allowClose` returns true. */
  readonly onCloseWanted: () => void;
  readonly allowClose: () => boolean;
}

const saveDelayMs = 500;

export function openMainWindow({
  layout,
  settings,
  isDevelopment,
  onCloseWanted,
  allowClose,
}: MainWindowOptions): MainWindow {
  const saved = settings.read().window;
  const browserWindow = new BrowserWindow({
    ...placeWindow(
      saved,
      screen.getAllDisplays().map(({ workArea }) => workArea),
    ),
    minWidth: minimumWindowSize.width,
    minHeight: minimumWindowSize.height,
    title: 'Farkeep',
    icon: layout.iconFile,
    show: false,
    autoHideMenuBar: true,
    // The color of the window before the first page is drawn. The page has the same color.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#1f1f1f' : '#ffffff',
    webPreferences: {
      preload: layout.preloadScript,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: isDevelopment,
    },
  });
  if (saved?.isMaximized === true) browserWindow.maximize();
  browserWindow.once('ready-to-show', () => browserWindow.show());

  let saveTimer: NodeJS.Timeout | undefined;
  const save = (): void => {
    clearTimeout(saveTimer);
    if (browserWindow.isDestroyed() || browserWindow.isMinimized()) return;
    const { x, y, width, height } = browserWindow.getNormalBounds();
    settings.update({ window: { x, y, width, height, isMaximized: browserWindow.isMaximized() } });
  };
  const saveSoon = (): void => {
    clearTimeout(saveTimer);
    saveTimer = setTimeout(save, saveDelayMs);
  };
  browserWindow.on('resize', saveSoon);
  browserWindow.on('move', saveSoon);
  browserWindow.on('close', (event) => {
    save();
    if (allowClose()) return;
    event.preventDefault();
    onCloseWanted();
  });
  const setZoom = (factor: number): void => {
    if (!browserWindow.isDestroyed()) browserWindow.webContents.setZoomFactor(factor);
  };
  // Chromium keeps a zoom for each address, so it is set for every load.
  browserWindow.webContents.on('dom-ready', () => setZoom(settings.read().preferences.zoom));
  void browserWindow.loadURL(startAddress);

  return {
    browserWindow,
    setZoom,
    reveal() {
      if (browserWindow.isMinimized()) browserWindow.restore();
      browserWindow.show();
      browserWindow.focus();
    },
  };
}
