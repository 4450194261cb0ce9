// SPDX-License-Identifier: GPL-3.0-or-later
// The page for those who use it otherwise: by the keyboard alone, with a screen reader, and without
// anything that moves.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, isFocused, launchBrowser, messageBox, openConnected, send, shoot, waitIdle,
} from './lib/browser.mjs';
import { startWithRaw } from './lib/chat.mjs';
import { waitFor } from './lib/process.mjs';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

test('the keyboard alone is enough', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:2000:20');
  const page = await openConnected(t, browser, confabd);
  await waitFor(() => isFocused(messageBox(page)), { what: 'the focus in the message' });
  await page.keyboard.type('Hello');
  await page.keyboard.press('Enter');
  await answers(page).filter({ hasText: 't3' }).waitFor();
  await page.keyboard.press('Escape');
  await waitIdle(page);
  await page.keyboard.press('ArrowUp');
  await waitFor(() => isFocused(page.getByRole('textbox', { name: 'Edit message' })),
    { what: 'the focus in the editor' });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await waitFor(() => isFocused(page.getByRole('searchbox', { name: 'Search all chats' })),
    { what: 'the focus in the search' });
  await page.keyboard.press('Control+/');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await button(page, 'Chat menu').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  assert.ok(await isFocused(page.getByRole('menuitem', { name: 'Delete' })));
  await page.keyboard.press('Escape');
  assert.ok(await isFocused(button(page, 'Chat menu')));
  assert.deepEqual(page.complaints, []);
});

/** What moves on the page, or would: animations, transitions, scrolling that takes its time. */
const findMotion = (page) => page.evaluate(() => {
  const found = document.getAnimations().map(({ effect }) => `runs: ${effect.target.className}`);
  for (const node of document.querySelectorAll('*'))
    for (const part of [null, '::before', '::after']) {
      const style = getComputedStyle(node, part);
      if (style.animationName !== 'none' || style.scrollBehavior === 'smooth'
          || style.transitionDuration.split(',').some((time) => parseFloat(time) > 0))
        found.push(`${node.tagName} ${node.getAttribute('class') ?? ''} ${part ?? ''}`);
    }
  return found;
});

test('nothing moves for those who want less of that', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:1000:30');
  const walk = async (reducedMotion, check) => {
    const page = await openConnected(t, browser, confabd, { reducedMotion });
    await send(page, 'Hello');
    await button(page, 'Stop').waitFor();
    await check(page, 'asked');
    await answers(page).last().filter({ hasText: 't9' }).waitFor();
    await check(page, 'streaming');
    await button(page, 'Stop').click();
    await waitIdle(page);
    await page.getByRole('button', { name: /^Chat settings/ }).click();
    await page.getByRole('dialog').waitFor();
    await check(page, 'settings');
    await page.keyboard.press('Escape');
    await button(page, 'Chat menu').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await button(page, 'Undo').waitFor();
    await check(page, 'deleted');
    await button(page, 'Undo').click();
  };
  await walk('reduce', async (page, where) => assert.deepEqual(await findMotion(page), [], where));
  /* and there is something for the others */
  await walk('no-preference', async (page, where) =>
    assert.notDeepEqual(await findMotion(page), [], where));
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing against the page in ${colorScheme} colours`, async (t) => {
    const { confabd } = await startWithRaw(t, 'echo');
    const page = await openConnected(t, browser, confabd, { colorScheme });
    const check = async (where) => {
      /* an evaluation, unlike a script element, is not what the policy of the page is about */
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => window.axe.run(document, {
        rules: { 'color-contrast': { enabled: true } },
      }));
      assert.deepEqual(violations.map(({ id, nodes }) =>
        `${where}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
    };
    await check('empty');
    await ask(page, '# A title\n\n`code` and **more**\n\n```c\nint x = 1; /* one */\n```\n\n'
      + '| a | b |\n|---|---|\n| 1 | 2 |\n\n> said [here](https://example.org)');
    await page.waitForTimeout(400);
    await check('chat');
    await shoot(page, `page-${colorScheme}`);
    await page.getByRole('button', { name: /^Chat settings/ }).click();
    await page.getByRole('dialog').waitFor();
    await check('settings');
  });
}
