// Bundles the preload script into one CommonJS file: a sandboxed preload script can load nothing but `electron`.
import { electronBundle } from './electron-bundle.mjs';

export default electronBundle({ entry: 'electron/preload/index.ts', outputFolder: 'build/console/preload' });
