// Builds the preview of the renderer into build/preview. The product's bundle is built by renderer/vite.config.ts.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'renderer/testing',
  base: './',
  plugins: [react()],
  build: { outDir: '../../build/preview', emptyOutDir: true, target: 'chrome114', minify: false },
});
