// SPDX-License-Identifier: GPL-3.0-or-later
// The hooks as others get them: from `npm pack`, in a Vite app of their own that is served from
// another origin, against `confabd --dev`, over WebSocket and over polling.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { launchBrowser, openBrowser, openPage } from './lib/browser.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { makeDir } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '../../src/web');
const packages = join(source, 'node_modules');
const run = promisify(execFile);
const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('').trim();

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

/* As one would write it for a Node server of one's own, but for the address. */
const APP = `
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useAIChat, useSocket } from '@confab/react';

const query = new URLSearchParams(location.search);
const url = query.get('confab');
const transports = [query.get('transport')];

function App() {
  const { transport } = useSocket({ url, transports });
  const { messages, streamingText, sendMessage, stop, status } = useAIChat({
    url, transports, moduleId: 'fresh-' + query.get('transport'),
  });
  const [draft, setDraft] = useState('');
  return (
    <form onSubmit={(event) => { event.preventDefault(); sendMessage(draft); setDraft(''); }}>
      <p role="status">{status} over {transport}</p>
      <ul>{messages.map(({ id, role, content }) => <li key={id}>{role}: {content}</li>)}</ul>
      <output>{streamingText}</output>
      <label>Question <input value={draft} onChange={(e) => setDraft(e.target.value)} /></label>
      <button>Ask</button>
      <button type="button" onClick={stop}>Stop</button>
    </form>
  );
}

createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);
`;

/** Packs the hooks, as for a registry, and returns the folder that npm would install. */
async function packHooks(dir) {
  const web = join(dir, 'web');
  await mkdir(web);
  await symlink(packages, join(web, 'node_modules'));
  await cp(join(source, 'tsconfig.json'), join(web, 'tsconfig.json'));
  await cp(join(source, 'hooks'), join(web, 'hooks'), { recursive: true });
  await run('npm', ['pack', '--pack-destination', dir], {
    cwd: join(web, 'hooks'),
    env: { ...process.env, npm_config_cache: join(dir, 'cache') },
  });
  const tarball = (await readdir(dir)).find((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', join(dir, tarball), '-C', dir]);
  return join(dir, 'package');
}

async function buildApp(dir) {
  const app = join(dir, 'app');
  await mkdir(join(app, 'node_modules/@confab'), { recursive: true });
  for (const name of await readdir(packages))
    if (!name.startsWith('.'))
      await symlink(join(packages, name), join(app, 'node_modules', name));
  await cp(await packHooks(dir), join(app, 'node_modules/@confab/react'), { recursive: true });
  await writeFile(join(app, 'main.jsx'), APP);
  await writeFile(join(app, 'index.html'), '<!DOCTYPE html><html lang="en"><title>App</title>'
    + '<div id="root"></div><script type="module" src="/main.jsx"></script></html>');
  const { build } = await import(pathToFileURL(join(packages, 'vite/dist/node/index.js')).href);
  await build({
    root: app, configFile: false, logLevel: 'error', esbuild: { jsx: 'automatic' },
  });
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

test('the package works in a fresh Vite app of another origin', async (t) => {
  const origin = await serve(t, await buildApp(await makeDir(t)));
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, ['--dev', '--provider', 'openai', '--base-url',
    upstream.baseUrl, '--model', 'raw:paced:40:15']);
  for (const transport of ['websocket', 'polling'])
    await t.test(`over ${transport}`, async (sub) => {
      const page = await openPage(await openBrowser(sub, browser));
      const address = `${origin}/?confab=${confabd.origin}&transport=${transport}`;
      await page.goto(address);
      await page.getByText(`ready over ${transport}`).waitFor();
      await page.getByRole('textbox', { name: 'Question' }).fill('Hello');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText('streaming over').waitFor();
      await page.reload();
      await page.getByText(`ready over ${transport}`).waitFor();
      await page.getByRole('listitem').nth(1).waitFor();
      const items = await page.getByRole('listitem').allInnerTexts();
      assert.deepEqual(items.map((text) => text.trim()),
        ['user: Hello', `assistant: ${numbered(40)}`]);
      assert.deepEqual(page.complaints.filter((text) => !text.includes('favicon')
        && !text.includes('404')), []);
    });
});
