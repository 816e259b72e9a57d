// Bundles the renderer. Target Chromium 114, because the oldest supported Electron is 25. The policy allows no inline script. Styles need
// the nonce that the main process inserts at every load (electron/main/security/content-security-policy.ts).
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const folder = path.dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: folder,
  publicDir: false,
  plugins: [react()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'chrome114',
    outDir: path.join(folder, '..', 'build', 'console', 'renderer'),
    emptyOutDir: true,
    // Inlined fonts and pictures would need a wider policy. Files of our own origin do not.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    sourcemap: false,
  },
});
