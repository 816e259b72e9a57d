// Owns how main and preload are bundled: one CommonJS file each, with all code except Electron and Node.js.
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** @param {{ entry: string, outputFolder: string }} options */
export const electronBundle = ({ entry, outputFolder }) =>
  defineConfig({
    root,
    configFile: false,
    publicDir: false,
    define: { FARKEEP_VERSION: JSON.stringify(version) },
    build: {
      ssr: entry,
      target: 'node18',
      outDir: outputFolder,
      emptyOutDir: true,
      minify: false,
      sourcemap: true,
      rollupOptions: {
        external: ['electron', /^electron\//, ...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
        output: { format: 'cjs', entryFileNames: 'index.cjs', codeSplitting: false },
      },
    },
    ssr: { noExternal: true, target: 'node' },
  });
