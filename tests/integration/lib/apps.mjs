// SPDX-License-Identifier: GPL-3.0-or-later
// Apps of other people, which have the hooks from `npm pack`, and what a person does in them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { openBrowser, openPage } from './browser.mjs';

const tests = join(dirname(fileURLToPath(import.meta.url)), '../..');
const web = join(tests, '../src/web');

/** Where apps are that have packages of their own. */
export const appsFolder = join(tests, 'apps');
export const webPackages = join(web, 'node_modules');

export const run = promisify(execFile);
export const numbered = (count) =>
  Array.from({ length: count }, (_, i) => `t${i} `).join('').trim();

/** Packs the hooks, as for a registry; returns where the tarball is. */
export async function packHooks(dir) {
  const copy = join(dir, 'web');
  await mkdir(copy);
  await symlink(webPackages, join(copy, 'node_modules'));
  await cp(join(web, 'tsconfig.json'), join(copy, 'tsconfig.json'));
  await cp(join(web, 'hooks'), join(copy, 'hooks'), { recursive: true });
  await run('npm', ['pack', '--pack-destination', dir], {
    cwd: join(copy, 'hooks'),
    env: { ...process.env, npm_config_cache: join(dir, 'cache') },
  });
  const tarball = (await readdir(dir)).find((name) => name.endsWith('.tgz'));
  return join(dir, tarball);
}

/** As one would write it for a Node server of one's own, but for the address. */
export const CHAT = `
import { useState } from 'react';
import { useAIChat, useSocket } from '@confab/react';

export function Chat({ url, transports, moduleId }) {
  const { transport } = useSocket({ url, transports });
  const { messages, streamingText, sendMessage, stop, status } = useAIChat({
    url, transports, moduleId,
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
`;

/** Asks, reloads amid the answer, and has it whole; asks again and stops. */
export async function chatInApp(t, browser, address, transport, count) {
  const page = await openPage(await openBrowser(t, browser));
  const items = page.getByRole('listitem');
  const ready = () => page.getByText(`ready over ${transport}`).waitFor();
  const ask = async (text) => {
    await page.getByRole('textbox', { name: 'Question' }).fill(text);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('streaming over').waitFor();
  };
  await page.goto(address);
  await ready();
  await ask('Hello');
  await page.reload();
  await items.nth(1).waitFor();
  await ready();
  const texts = (await items.allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(texts, ['user: Hello', `assistant: ${numbered(count)}`]);
  await ask('Again');
  await page.getByRole('button', { name: 'Stop' }).click();
  await items.nth(3).waitFor();
  await ready();
  const stopped = (await items.nth(3).innerText()).trim();
  assert.ok(`assistant: ${numbered(count)}`.startsWith(stopped), stopped);
  assert.equal(await items.count(), 4);
  /* a browser asks for an icon, which these apps do not have */
  assert.deepEqual(page.complaints.filter((text) => !/favicon|404/.test(text)), []);
}
