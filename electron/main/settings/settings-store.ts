// Owns the settings file: window, chosen roles, preferences. It never contains a secret. The only user of electron-store.
import Store from 'electron-store';
import { parseSettings, type Settings } from './settings-schema.ts';

export interface SettingsStore {
  read(): Settings;
  update(change: Partial<Settings>): Settings;
}

/** @param folder the folder of the console's own files; created if it is missing */
export function openSettings(folder: string): SettingsStore {
  const store = new Store<Record<string, unknown>>({ cwd: folder, name: 'settings', clearInvalidConfig: true });
  let current = parseSettings(store.store);
  return {
    read: () => current,
    update(change) {
      current = parseSettings({ ...current, ...change });
      store.store = { ...current };
      return current;
    },
  };
}
