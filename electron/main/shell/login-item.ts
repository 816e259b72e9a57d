// Owns whether the console opens when the user logs in (macOS, Windows). Linux has systemd units instead.
import { app } from 'electron';
import type { LoginItem } from '../services/autostart.ts';

/** @returns undefined on a platform without login items */
export function findLoginItem(): LoginItem | undefined {
  if (process.platform !== 'darwin' && process.platform !== 'win32') return undefined;
  return {
    isOn: () => app.getLoginItemSettings().openAtLogin,
    set: (isOn) => app.setLoginItemSettings({ openAtLogin: isOn }),
  };
}
