// Bundles the main process into one CommonJS file. Target Node 18: the oldest Electron it must run on is 25 (docs/dependencies.md).
import { electronBundle } from './electron-bundle.mjs';

export default electronBundle({ entry: 'electron/main/index.ts', outputFolder: 'build/console/main' });
