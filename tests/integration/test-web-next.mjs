// SPDX-License-Identifier: GPL-3.0-or-later
// The hooks in an app of Next.js, installed by npm from what `npm pack` makes: rendered on its
// server first, built and served by it, cross-origin against `confabd --dev`.
import assert from 'node:assert/strict';
import { cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { appsFolder, CHAT, chatInApp, packHooks, run } from './lib/apps.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { Child, freePort, makeDir } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const TOKENS = 40;
const source = join(appsFolder, 'next');
const quiet = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

const LAYOUT = `
export const metadata = { title: 'An app' };

export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`;

const PAGE = `
import { Chat } from './chat';

export default async function Page({ params, searchParams }) {
  const { moduleId } = await params;
  const { confab, transport } = await searchParams;
  return <Chat url={confab} transports={[transport]} moduleId={moduleId} />;
}
`;

/** Makes the app and builds it. */
async function buildApp(dir) {
  const app = join(dir, 'app');
  await mkdir(app);
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'node_modules'])
    await cp(join(source, name), join(app, name), { recursive: true, verbatimSymlinks: true });
  /* npm 11 would ask the registry for a peer that is installed, as the lock names no address;
     whether the peers are those that are wanted is asked afterwards */
  const offline = ['--no-save', '--offline', '--legacy-peer-deps'];
  await run('npm', ['install', ...offline, await packHooks(dir)], { cwd: app });
  await run('npm', ['ls'], { cwd: app });

  const route = join(app, 'app/module/[moduleId]');
  await mkdir(route, { recursive: true });
  await writeFile(join(app, 'next.config.mjs'), 'export default { reactStrictMode: true };\n');
  await writeFile(join(app, 'app/layout.jsx'), LAYOUT);
  await writeFile(join(route, 'page.jsx'), PAGE);
  await writeFile(join(route, 'chat.jsx'), `'use client';\n${CHAT}`);
  const { stdout } = await run('npm', ['run', 'build'], { cwd: app, env: quiet });
  assert.match(stdout, /\/module\/\[moduleId\]/);
  return app;
}

async function serve(t, app) {
  const port = String(await freePort());
  const next = new Child(join(app, 'node_modules/.bin/next'),
    ['start', '--hostname', 'localhost', '--port', port], { cwd: app, env: quiet });
  t.after(() => next.end());
  await next.waitForOutput(/Ready in/, 30000);
  return `http://localhost:${port}`;
}

test('the package works in a Next.js app of another origin',
  { skip: !process.env.CONFAB_TEST_LONG && 'only in long runs' }, async (t) => {
    assert.ok(await stat(join(source, 'node_modules/next')).catch(() => null),
      'Next.js is not installed: run build-aux/install-deps long');
    const dir = await makeDir(t);
    const origin = await serve(t, await buildApp(dir));
    const upstream = await startRawUpstream(t);
    const confabd = await startConfabd(t, ['--dev', '--provider', 'openai', '--base-url',
      upstream.baseUrl, '--model', `raw:paced:${TOKENS}:25`]);
    const browser = await launchBrowser();
    t.after(() => browser.close());
    for (const transport of ['websocket', 'polling']) {
      const address = `${origin}/module/next-${transport}?confab=${confabd.origin}`
        + `&transport=${transport}`;
      const html = await (await fetch(address)).text();
      assert.match(html, /role="status"/, 'rendered on the server');
      await t.test(`over ${transport}`, (sub) =>
        chatInApp(sub, browser, address, transport, TOKENS));
    }
    await rm(join(dir, 'app'), { recursive: true, force: true });
  });
