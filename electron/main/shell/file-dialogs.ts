// Owns the native dialogs for files and folders. The renderer may read only files that a person chose in these dialogs.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dialog, type BrowserWindow } from 'electron';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';

export interface FileDialogs {
  chooseFolder(title: string): Promise<string | null>;
  chooseFile(title: string, filters: readonly { name: string; extensions: string[] }[]): Promise<string | null>;
  saveText(title: string, suggestedName: string, text: string): Promise<string | null>;
  chooseSavePath(title: string, suggestedName: string): Promise<string | null>;
  /** @throws FarkeepError call.refused for a file that was not chosen, call.invalid for a file that is too large */
  readChosenText(file: string): Promise<string>;
}

const maxTextMiB = 6;
const maxTextBytes = maxTextMiB * 1024 * 1024;
const maxRemembered = 100;

export function createFileDialogs(window: () => BrowserWindow): FileDialogs {
  const chosen = new Set<string>();
  const remember = (file: string): string => {
    chosen.add(file);
    const [oldest] = chosen;
    if (chosen.size > maxRemembered && oldest !== undefined) chosen.delete(oldest);
    return file;
  };
  const choosePlace = async (title: string, suggestedName: string): Promise<string | null> => {
    const { canceled, filePath } = await dialog.showSaveDialog(window(), { title, defaultPath: suggestedName });
    // Electron before 30 returns undefined for a canceled dialog; later versions return an empty text.
    const file = (filePath as string | undefined) ?? '';
    return canceled || file === '' ? null : file;
  };
  const first = ({ canceled, filePaths }: { canceled: boolean; filePaths: string[] }): string | null =>
    canceled ? null : (filePaths[0] ?? null);

  return {
    async chooseFolder(title) {
      return first(await dialog.showOpenDialog(window(), { title, properties: ['openDirectory', 'createDirectory'] }));
    },
    async chooseFile(title, filters) {
      const properties: 'openFile'[] = ['openFile'];
      const file = first(await dialog.showOpenDialog(window(), { title, filters: [...filters], properties }));
      return file === null ? null : remember(file);
    },
    chooseSavePath: choosePlace,
    async saveText(title, suggestedName, text) {
      const file = await choosePlace(title, suggestedName);
      if (file === null) return null;
      // An invitation contains a password, so only this account may read the file.
      await writeFile(file, text, { mode: 0o600 });
      return file;
    },
    async readChosenText(file) {
      if (!chosen.has(file)) {
        throw new FarkeepError('call.refused', `${file} was not chosen in a dialog`, {
          hint: 'Choose the file again.',
        });
      }
      const { size } = await stat(file);
      if (size > maxTextBytes)
        throw new FarkeepError('call.invalid', `${file} is larger than ${maxTextMiB} MiB`, { field: 'path' });
      return readFile(file, 'utf8');
    },
  };
}
