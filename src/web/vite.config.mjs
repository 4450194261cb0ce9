// SPDX-License-Identifier: GPL-3.0-or-later
// What `npx vite` and build.mjs have in common. `npx vite` serves the page while one works on it,
// beside a `confabd --dev` on the default port.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { catalogues } from './catalogues.mjs';

const CONFABD = 'http://127.0.0.1:7420';

export function makeConfig(root, out) {
  return {
    root,
    base: '/',
    appType: 'spa',
    logLevel: 'warn',
    esbuild: { jsx: 'automatic', legalComments: 'none' },
    plugins: [catalogues(process.env.CONFAB_PO_DIR ?? join(root, '../../po'))],
    resolve: {
      alias: { '@confab/react': join(root, 'hooks/src/index.ts') },
    },
    server: { proxy: { '/api': { target: CONFABD, ws: true } } },
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'es2022',
      /* the policy of the page allows no data: addresses, and no inline code */
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 800,
    },
  };
}

const here = dirname(fileURLToPath(import.meta.url));

export default makeConfig(here, join(here, 'dist'));
