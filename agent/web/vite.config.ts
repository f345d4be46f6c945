import { defineConfig } from 'vite';

/** `vite build agent/web` → `agent/web/dist`. Nothing is inlined, because the page's policy allows no inline script. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: ['es2022', 'safari16', 'chrome109', 'firefox115'],
  },
});
