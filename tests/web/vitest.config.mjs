// SPDX-License-Identifier: GPL-3.0-or-later
// The hooks under Vitest, with the packages of src/web and a confabd that was built.
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const packages = (name) => path(`../../src/web/node_modules/${name}`);

export default {
  root: path('.'),
  cacheDir: `${process.env.CONFAB_BUILD_ROOT}/vitest`,
  resolve: {
    alias: [
      { find: '@confab/react', replacement: path('../../src/web/hooks/src/index.ts') },
      { find: /^react$/, replacement: packages('react') },
      { find: /^vitest$/, replacement: packages('vitest') },
      { find: '@testing-library/react', replacement: packages('@testing-library/react') },
    ],
  },
  server: { fs: { strict: false } },
  test: {
    include: ['**/*.test.mjs'],
    setupFiles: [path('setup.mjs')],
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'http://localhost:3000/' } },
    testTimeout: 40000,
    hookTimeout: 40000,
    fileParallelism: false,
  },
};
