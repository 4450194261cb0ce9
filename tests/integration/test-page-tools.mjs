// SPDX-License-Identifier: GPL-3.0-or-later
// What the page offers beside asking: copying, sessions, the choice of who answers, and a place in
// the conversation that stays where the reader put it.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, conversation, launchBrowser, openConnected, send, waitIdle,
} from './lib/browser.mjs';
import { startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const chats = (page) => page.getByRole('navigation', { name: 'Chats' });

test('a message is copied as it was written, and code without what is around it', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo');
  const page = await openConnected(t, browser, confabd, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const code = 'int a = 1 < 2;\n\tputs ("&amp;");\n';
  await ask(page, `Look:\n\n\`\`\`c\n${code}\`\`\`\n\n**So** it is.`);
  await button(page, 'Copy code').last().click();
  await waitFor(async () => (await copied()).trimEnd() === code.trimEnd(), { what: 'the code' });
  await answers(page).last().getByRole('button', { name: 'Copy message' }).click();
  await waitFor(async () => (await copied()).includes('**So** it is.'), { what: 'the message' });
  assert.ok((await copied()).includes(`\`\`\`c\n${code}\`\`\``), await copied());
  await button(page, 'Copied').first().waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a session is renamed, deleted with its chats, and taken back', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const page = await openConnected(t, browser, confabd);
  await button(page, 'New session').click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Garden');
  await button(page, 'Create').click();
  await chats(page).getByRole('region', { name: 'Garden' }).waitFor();
  await ask(page, 'When to sow beans?');

  await button(page, 'Menu of Garden').click();
  await page.getByRole('menuitem', { name: 'Rename…' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Beans');
  await button(page, 'Rename').click();
  const beans = chats(page).getByRole('region', { name: 'Beans' });
  await beans.getByRole('link', { name: 'When to sow beans?' }).waitFor();

  await button(page, 'Menu of Beans').click();
  await page.getByRole('menuitem', { name: 'Delete session' }).click();
  await page.getByText('“Beans” deleted').waitFor();
  await beans.waitFor({ state: 'detached' });
  await button(page, 'Undo').click();
  await beans.getByRole('link', { name: 'When to sow beans?' }).click();
  await answers(page).waitFor();

  /* and for good, in another tab too */
  const other = await page.context().newPage();
  await other.goto(page.url());
  await chats(other).getByRole('region', { name: 'Beans' }).waitFor();
  await button(page, 'Menu of Beans').click();
  await page.getByRole('menuitem', { name: 'Delete session' }).click();
  await page.getByText('“Beans” deleted').waitFor();
  await chats(other).getByRole('region', { name: 'Beans' }).waitFor({ state: 'detached' });
  assert.deepEqual(page.complaints, []);
});

test('who answers is chosen: another provider, and a model of it', async (t) => {
  const first = await startRawUpstream(t);
  const second = await startRawUpstream(t);
  const section = (name, upstream, model) =>
    `[providers/${name}]\ntype='openai'\nbase-url='${upstream.baseUrl}'\nmodel='${model}'\n`;
  const confabd = await startConfabd(t, [], {
    config: "[confab]\nprovider='left'\n\n"
      + `${section('left', first, 'raw:plain')}\n${section('right', second, 'raw:echo')}`,
  });
  const page = await openConnected(t, browser, confabd);
  const settings = page.getByRole('button', { name: /^Chat settings/ });
  await ask(page, 'Hello');
  await answers(page).getByText(/^raw.* · /).waitFor({ state: 'attached' });

  await settings.click();
  await page.getByRole('combobox', { name: 'Provider' }).selectOption({ label: 'right' });
  await page.getByRole('combobox', { name: 'Model' }).fill('raw:reasoning');
  await button(page, 'Save').click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Chat settings: raw:reasoning' }).waitFor();
  await ask(page, 'And now?');
  await answers(page).last().getByText('Reasoning', { exact: true }).waitFor();

  await page.reload();
  await settings.click();
  // which ones there are is asked for when the dialog opens
  const provider = page.getByRole('combobox', { name: 'Provider' });
  await waitFor(async () => await provider.inputValue() === 'right', { what: 'the provider' });
  assert.equal(await page.getByRole('combobox', { name: 'Model' }).inputValue(), 'raw:reasoning');
  assert.deepEqual(page.complaints, []);
});

test('the page follows an answer only while its end is looked at', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:2500:4');
  const page = await openConnected(t, browser, confabd);
  const place = () => conversation(page).evaluate((node) => ({
    top: node.scrollTop,
    rest: node.scrollHeight - node.scrollTop - node.clientHeight,
    height: node.scrollHeight,
  }));
  await send(page, 'Go on');
  await waitFor(async () => (await place()).top > 200, { what: 'an end that is followed' });
  assert.ok((await place()).rest < 100, 'it is at the end');

  await conversation(page).hover();
  await page.mouse.wheel(0, -150);
  await button(page, 'Go to the end').waitFor();
  const before = await place();
  await waitFor(async () => (await place()).height > before.height + 60, { what: 'more text' });
  assert.ok(Math.abs((await place()).top - before.top) < 5, 'the reader stays where they are');

  await button(page, 'Go to the end').click();
  await waitFor(async () => (await place()).rest < 100, { what: 'the end' });
  const { height } = await place();
  await waitFor(async () => (await place()).height > height + 60, { what: 'still more text' });
  assert.ok((await place()).rest < 100, 'it is followed again');
  await button(page, 'Stop').click();
  await waitIdle(page);
});
