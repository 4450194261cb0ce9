// SPDX-License-Identifier: GPL-3.0-or-later
// What the build makes of the web client: how much a browser has to load, and that the policy of
// the page has nothing to forbid in it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

import { makeDir } from './lib/process.mjs';

const dist = process.env.CONFAB_WEB_DIST;
const source = join(dirname(fileURLToPath(import.meta.url)), '../..');
const run = promisify(execFile);

const BUDGET_BYTES = 250 * 1000;
const HASHED = /^[A-Za-z0-9._-]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;

async function readIndex() {
  const html = await readFile(join(dist, 'index.html'), 'utf8');
  const addresses = [...html.matchAll(/\s(?:src|href)="([^"]*)"/g)].map((match) => match[1]);
  return { html, addresses };
}

/** What `path` costs on the wire to a browser that knows only gzip. */
async function costOf(path) {
  const { size } = await stat(`${path}.gz`).catch(() => stat(path));
  return size;
}

test('the first load is within 250 KB, compressed', async () => {
  const { addresses } = await readIndex();
  let total = await costOf(join(dist, 'index.html'));
  for (const address of addresses)
    total += await costOf(join(dist, address));
  console.log(`# the first load takes ${total} bytes`);
  assert.ok(addresses.length >= 3, 'a script, a style sheet, an icon');
  assert.ok(total <= BUDGET_BYTES, `${total} bytes`);
});

test('every file is loaded from here, under a name that tells its content', async () => {
  const { addresses } = await readIndex();
  for (const address of addresses)
    assert.match(address, /^\/assets\/[^/]+$/);
  for (const name of await readdir(join(dist, 'assets')))
    assert.match(name.replace(/\.(?:br|gz)$/, ''), HASHED);
  const others = (await readdir(dist)).filter((name) => !/^index\.html(?:\.br|\.gz)?$/.test(name));
  assert.deepEqual(others, ['assets']);
});

test('the page holds no inline code and no inline style', async () => {
  const { html } = await readIndex();
  for (const [tag, body] of html.matchAll(/<script\b[^>]*>([^]*?)<\/script>/g))
    assert.equal(body.trim(), '', tag);
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=/i);
});

test('what is compressed ahead is the same file', async () => {
  const names = await readdir(join(dist, 'assets'));
  const compressed = names.filter((name) => /\.(?:br|gz)$/.test(name));
  assert.ok(compressed.some((name) => name.endsWith('.js.br')));
  for (const name of compressed) {
    const content = await readFile(join(dist, 'assets', name));
    const plain = name.endsWith('.br') ? zlib.brotliDecompressSync(content)
      : zlib.gunzipSync(content);
    assert.deepEqual(plain, await readFile(join(dist, 'assets', name.replace(/\.(?:br|gz)$/, ''))));
  }
});

test('what is said of Node.js is what the build tool says, and Debian 12 has one', async () => {
  const read = async (path) => JSON.parse(await readFile(join(source, 'src/web', path), 'utf8'));
  const { engines } = await read('package.json');
  const { engines: wanted } = await read('node_modules/vite/package.json');
  assert.equal(engines.node, wanted.node);
  assert.match(engines.node, /\^18\.0\.0/);
});

/** Runs make-resources in a folder of its own, with a PATH that knows no Node.js. */
async function makeResources(t, web, folder) {
  const out = await makeDir(t);
  const bin = join(out, 'bin');
  await mkdir(bin);
  const tools = ['bash', 'find', 'sort', 'cat', 'dirname', 'glib-compile-resources'];
  for (const tool of tools) {
    const { stdout } = await run('sh', ['-c', `command -v ${tool}`]);
    await writeFile(join(bin, tool), `#!/bin/sh\nexec ${stdout.trim()} "$@"\n`, { mode: 0o755 });
  }
  const path = (name) => join(out, name);
  await run(join(source, 'src/web/make-resources'), [web, join(source, 'src/web'),
    join(source, 'po'), folder, path('r.c'), path('r.h'), path('r.d')],
  { env: { PATH: bin } });
  return readFile(path('r.c'), 'utf8');
}

test('a client that is built already needs no Node.js', async (t) => {
  const code = await makeResources(t, 'prebuilt', dist);
  assert.match(code, /confab_web_get_resource/);
  assert.ok(code.length > (await stat(join(dist, 'index.html'))).size);
});

test('it can be left out', async (t) => {
  const code = await makeResources(t, 'disabled', join(await makeDir(t), 'none'));
  assert.match(code, /confab_web_get_resource/);
  assert.ok(code.length < 10000);
});

test('without npm the build says what to do', async (t) => {
  const refusal = await makeResources(t, 'enabled', join(await makeDir(t), 'none'))
    .then(() => null, (error) => error);
  assert.match(refusal.stderr, /needs Node\.js and npm.*-Dweb=disabled/s);
});

test('a tarball of `meson dist` holds the client, and is set up without Node.js',
  { skip: !process.env.CONFAB_TEST_LONG && 'only in long runs' }, async (t) => {
    const build = process.env.CONFAB_BUILD_ROOT;
    const dir = await makeDir(t);
    await run('meson', ['dist', '-C', build, '--no-tests', '--allow-dirty', '--formats', 'gztar']);
    const folder = join(build, 'meson-dist');
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tar.gz'));
    await run('tar', ['-xzf', join(folder, tarball), '-C', dir]);
    const [name] = await readdir(dir);
    const { stdout } = await run('meson', ['setup', join(dir, 'build'), join(dir, name),
      '-Dtests=false']);
    assert.match(stdout, /Web client\s*: prebuilt/);
    await run('ninja', ['-C', join(dir, 'build'), 'src/web/libconfab-web.a']);
  });
