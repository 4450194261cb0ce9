// SPDX-License-Identifier: GPL-3.0-or-later
// build.mjs OUT: builds the web client into the folder OUT: index.html, and assets/NAME-HASH.EXT,
// which never change under their name. Text is there a second and third time as .br and .gz, so
// that the server compresses nothing while it runs.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

import { build } from 'vite';

import { makeConfig } from './vite.config.mjs';

const root = dirname(fileURLToPath(import.meta.url));

/* What is smaller than a packet or two gains nothing. */
const COMPRESS_FROM = 512;
const TEXT = /\.(?:css|html|js|json|svg)$/;

async function compress(path) {
  const content = await readFile(path);
  if (content.length < COMPRESS_FROM)
    return;
  const [br, gz] = await Promise.all([
    promisify(zlib.brotliCompress)(content, {
      params: {
        [zlib.constants.BROTLI_PARAM_MODE]: zlib.constants.BROTLI_MODE_TEXT,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
    promisify(zlib.gzip)(content, { level: 9 }),
  ]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
}

const out = resolve(process.argv[2] ?? join(root, 'dist'));

await build({ ...makeConfig(root, out), configFile: false });
for (const folder of [out, join(out, 'assets')])
  for (const name of await readdir(folder))
    if (TEXT.test(name))
      await compress(join(folder, name));
