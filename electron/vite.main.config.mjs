// Bundles the main process into one CommonJS file. Target Node 18, because the oldest supported Electron is 25 (docs/dependencies.md).
import { electronBundle } from './electron-bundle.mjs';

export default electronBundle({ entry: 'electron/main/index.ts', outputFolder: 'build/console/main' });
