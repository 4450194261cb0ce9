// SPDX-License-Identifier: GPL-3.0-or-later
// The hooks as others get them: from `npm pack`, in a fresh Vite app that is served from another
// origin, with either React, against `confabd --dev`, over WebSocket and over polling; and a client
// that is older than the hooks, and knows four events.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';

import {
  appsFolder, CHAT, chatInApp, numbered, packHooks, run, webPackages,
} from './lib/apps.mjs';
import { launchBrowser, openBrowser, openPage } from './lib/browser.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { makeDir } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const TOKENS = 40;

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const MAIN = `
import { StrictMode, version } from 'react';
import { createRoot } from 'react-dom/client';
import { Chat } from './chat.jsx';

const query = new URLSearchParams(location.search);
const transport = query.get('transport');
const chat = { url: query.get('confab'), transports: [transport], moduleId: 'm-' + transport };
document.title = version;
createRoot(document.getElementById('root')).render(<StrictMode><Chat {...chat} /></StrictMode>);
`;

/* What apps had before there was Confab: neither acks nor ids, and nothing but the four events. */
const OLD = `
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { io } from 'socket.io-client';

const query = new URLSearchParams(location.search);
const moduleId = 'old-' + query.get('transport');
const socket = io(query.get('confab'), {
  path: '/api/socket', transports: [query.get('transport')],
});

function App() {
  const [text, setText] = useState('');
  const [whole, setWhole] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    socket.on('ai:chat:chunk', ({ chunk }) => setText((so) => so + chunk));
    socket.on('ai:chat:complete', ({ message, moduleId: of }) => setWhole(of + ': ' + message));
    socket.on('ai:chat:error', ({ error }) => setError(error));
    return () => socket.off();
  }, []);
  const ask = (message) => socket.emit('ai:chat:generate', { moduleId, message });
  return (
    <>
      <button onClick={() => ask('Hello')}>Ask</button>
      <button onClick={() => ask('')}>Ask nothing</button>
      <output aria-label="Pieces">{text}</output>
      <output aria-label="Whole">{whole}</output>
      {error && <p role="alert">{error}</p>}
    </>
  );
}

createRoot(document.getElementById('root')).render(<App />);
`;

/** Makes a fresh app with the packages of these folders, the first of which wins. */
async function makeApp(dir, folders, sources) {
  const modules = join(dir, 'node_modules');
  await mkdir(modules, { recursive: true });
  for (const [i, folder] of folders.entries())
    for (const name of await readdir(folder))
      if (!name.startsWith('.')) {
        const to = join(modules, name);
        /* a link leads to the packages beside what it points at: not so where those are others */
        const put = i === folders.length - 1 ? symlink(join(folder, name), to)
          : cp(join(folder, name), to, { recursive: true });
        await put.catch((error) => assert.equal(error.code, 'EEXIST'));
      }
  for (const [name, source] of Object.entries(sources))
    await writeFile(join(dir, name), source);
  await writeFile(join(dir, 'index.html'), '<!DOCTYPE html><html lang="en"><title>App</title>'
    + '<div id="root"></div><script type="module" src="/main.jsx"></script></html>');
}

async function installHooks(dir, app) {
  const to = join(app, 'node_modules/@confab/react');
  await mkdir(to, { recursive: true });
  await run('tar', ['-xzf', await packHooks(dir), '-C', to, '--strip-components=1']);
}

async function buildApp(app) {
  const { build } = await import(pathToFileURL(join(webPackages, 'vite/dist/node/index.js')).href);
  await build({ root: app, configFile: false, logLevel: 'error', esbuild: { jsx: 'automatic' } });
  return join(app, 'dist');
}

/** Serves files from another origin than confabd's. */
async function serve(t, dist) {
  const types = { html: 'text/html', js: 'text/javascript' };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const name = pathname === '/' ? '/index.html' : pathname;
    const content = await readFile(join(dist, name)).catch(() => null);
    const type = types[name.split('.').at(-1)] ?? '';
    response.writeHead(content ? 200 : 404, { 'Content-Type': type });
    response.end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://localhost:${server.address().port}`;
}

async function startPaced(t) {
  const upstream = await startRawUpstream(t);
  return startConfabd(t, ['--dev', '--provider', 'openai', '--base-url', upstream.baseUrl,
    '--model', `raw:paced:${TOKENS}:25`]);
}

for (const [react, folders] of [
  ['19', [webPackages]],
  ['18', [join(appsFolder, 'react-18/node_modules'), webPackages]],
])
  test(`the package works in a fresh Vite app of another origin, with React ${react}`,
    async (t) => {
      const dir = await makeDir(t);
      const app = join(dir, 'app');
      await makeApp(app, folders, { 'main.jsx': MAIN, 'chat.jsx': CHAT });
      await installHooks(dir, app);
      const origin = await serve(t, await buildApp(app));
      const page = await openPage(await openBrowser(t, browser), origin);
      await page.waitForFunction((major) => document.title.startsWith(`${major}.`), react);
      const confabd = await startPaced(t);
      for (const transport of ['websocket', 'polling'])
        await t.test(`over ${transport}`, (sub) => chatInApp(sub, browser,
          `${origin}/?confab=${confabd.origin}&transport=${transport}`, transport, TOKENS));
    });

test('a client that knows only the four plain events needs nothing else', async (t) => {
  const app = join(await makeDir(t), 'app');
  await makeApp(app, [webPackages], { 'main.jsx': OLD });
  const origin = await serve(t, await buildApp(app));
  const confabd = await startPaced(t);
  for (const transport of ['websocket', 'polling'])
    await t.test(`over ${transport}`, async (sub) => {
      const page = await openPage(await openBrowser(sub, browser),
        `${origin}/?confab=${confabd.origin}&transport=${transport}`);
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      const whole = page.getByRole('status', { name: 'Whole' });
      await whole.filter({ hasText: `t${TOKENS - 1}` }).waitFor();
      assert.equal((await whole.innerText()).trim(), `old-${transport}: ${numbered(TOKENS)}`);
      const pieces = await page.getByRole('status', { name: 'Pieces' }).innerText();
      assert.equal(pieces.trim(), numbered(TOKENS));
      await page.getByRole('button', { name: 'Ask nothing' }).click();
      await page.getByRole('alert').waitFor();
    });
});
