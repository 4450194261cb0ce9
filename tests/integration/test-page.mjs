// SPDX-License-Identifier: GPL-3.0-or-later
// The page in a real browser, as a person uses it: things are found by role and visible name.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  answers, ask, button, conversation, isFocused, launchBrowser, messageBox, openBrowser,
  openConnected, openPage, questions, send, shoot, waitConnected, waitIdle, waitLost,
} from './lib/browser.mjs';
import { startBus } from './lib/bus.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { freePort, makeDir, waitFor } from './lib/process.mjs';
import { startAimock, startRawUpstream } from './lib/upstreams.mjs';

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url));
const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('').trim();

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const startTalker = (t, ...args) => startConfabd(t, ['--provider', 'builtin', ...args]);

async function startRaw(t, behaviour, args = [], owner = t) {
  const upstream = await startRawUpstream(t);
  const model = ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model',
    `raw:${behaviour}`, ...args];
  return { model, confabd: await startConfabd(owner, model) };
}

const textOf = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ').trim();

test('a session, a module and a chat: stopped, answered again, reloaded, nothing lost',
  async (t) => {
    const { confabd } = await startRaw(t, 'paced:80:25');
    const page = await openConnected(t, browser, confabd);

    await button(page, 'New session').click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Holidays');
    await button(page, 'Create').click();
    await button(page, 'New chat').click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    await send(page, 'Where shall we go?');
    await answers(page).filter({ hasText: 't3' }).waitFor();
    await button(page, 'Stop').click();
    await page.getByText('Stopped.', { exact: true }).waitFor();
    await waitIdle(page);
    const stopped = await textOf(answers(page));
    assert.ok(!stopped.includes('t79'), stopped);

    await button(page, 'Answer again').click();
    await answers(page).filter({ hasText: 't5' }).waitFor();
    await page.reload();
    await answers(page).filter({ hasText: 't79' }).waitFor();
    await waitIdle(page);
    assert.ok((await textOf(answers(page))).includes(numbered(80)), 'the answer is whole');
    assert.equal(await questions(page).count(), 1);
    assert.equal(await answers(page).count(), 1);

    const list = page.getByRole('navigation', { name: 'Chats' });
    await list.getByRole('region', { name: 'Holidays' })
      .getByRole('link', { name: 'Where shall we go?' }).waitFor();
    assert.deepEqual(page.complaints, []);
  });

test('the token leaves the address, and the module enters it', async (t) => {
  const confabd = await startTalker(t);
  assert.ok(confabd.token, 'the printed address carries a token');
  const page = await openConnected(t, browser, confabd);
  const { pathname, search, href } = new URL(page.url());
  assert.equal(search, '');
  assert.ok(!href.includes(confabd.token));
  assert.match(pathname, /^\/session\/default\/module\/[A-Za-z0-9-]{36}$/);
  assert.equal(await page.title(), 'Confab');
  assert.deepEqual(page.complaints, []);
});

test('the page of a chat that is not there yet is ready to type in', async (t) => {
  const { confabd } = await startRaw(t, 'plain');
  const page = await openConnected(t, browser, confabd);
  const address = new URL('/session/default/module/4f0c2d3e-0000-4000-8000-000000000001',
    page.url()).href;
  await page.goto(address);
  await waitConnected(page);
  await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  assert.ok(await isFocused(messageBox(page)));
  await page.keyboard.type('Hello');
  await page.keyboard.press('Enter');
  await answers(page).filter({ hasText: 'lazy dog' }).waitFor();
  assert.equal(page.url(), address);
  assert.deepEqual(page.complaints, []);
});

test('a message is answered, streamed, and told once to a screen reader', async (t) => {
  const { confabd } = await startRaw(t, 'paced:30:20');
  const page = await openConnected(t, browser, confabd);
  await page.evaluate(() => {
    window.told = [];
    new MutationObserver(() => {
      const region = document.querySelector('[aria-live="polite"]');
      if (region && window.told.at(-1) !== region.textContent)
        window.told.push(region.textContent);
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  await ask(page, 'Hello');
  await page.waitForFunction(() => window.told.some((text) => text.includes('t29')));
  const told = (await page.evaluate(() => window.told)).filter(Boolean);
  assert.equal(told.length, 2, `when it begins and when it has ended: ${told}`);
  assert.match(await page.getByText(/tokens out/).textContent(), /30 tokens out/);
  assert.equal(await messageBox(page).inputValue(), '');
  assert.ok(await isFocused(messageBox(page)));
  assert.deepEqual(page.complaints, []);
});

test('two tabs see the same conversation as it happens', async (t) => {
  const { confabd } = await startRaw(t, 'paced:60:20');
  const context = await openBrowser(t, browser);
  const one = await openPage(context, confabd.url);
  await waitConnected(one);
  const two = await openPage(context, one.url());
  await waitConnected(two);
  await send(one, 'Hello');
  await answers(two).filter({ hasText: 't5' }).waitFor();
  await button(two, 'Stop').click();
  await waitIdle(one);
  await waitIdle(two);
  const seen = await textOf(conversation(two));
  assert.match(seen, /Hello .*t5 .*Stopped/);
  /* a tab in the background paints nothing */
  await one.bringToFront();
  await waitFor(async () => await textOf(conversation(one)) === seen, { what: 'the same in both' });
  assert.deepEqual([...one.complaints, ...two.complaints], []);
});

test('confabd ends amid an answer and comes back: the page says so and goes on', async (t) => {
  const dir = join(await makeDir(t), 'data');
  const port = String(await freePort());
  const args = ['--dev', '--data-dir', dir, '--port', port];
  const { confabd, model } = await startRaw(t, 'paced:4000:20', args, null);
  const page = await openConnected(t, browser, confabd);
  await send(page, 'Hello');
  await answers(page).filter({ hasText: 't9' }).waitFor();
  await confabd.stop();
  await waitLost(page);
  await shoot(page, 'page-offline');
  await startConfabd(t, model);
  await waitConnected(page);
  await button(page, 'Try again').waitFor();
  assert.match(await textOf(answers(page)), /t9/);
  await button(page, 'Try again').click();
  await answers(page).filter({ hasText: 't2' }).waitFor();
  await button(page, 'Stop').click();
  await waitIdle(page);
  assert.equal(await questions(page).count(), 1);
});

test('what is sent without a connection is asked when there is one, even after a reload',
  async (t) => {
    const port = String(await freePort());
    const args = ['--provider', 'builtin', '--dev', '--port', port];
    const first = await startConfabd(null, args);
    const page = await openConnected(t, browser, first);
    await first.stop();
    await waitLost(page);
    await send(page, 'Are you back?');
    await page.getByText('Sending…').waitFor();
    await startConfabd(t, args);
    await waitConnected(page);
    await waitIdle(page);
    await answers(page).waitFor();
    assert.equal(await questions(page).count(), 1);
  });

test('the page fits 320 pixels, and has its list of chats there too', async (t) => {
  const confabd = await startTalker(t);
  const page = await openConnected(t, browser, confabd, {
    viewport: { width: 320, height: 560 }, colorScheme: 'dark',
  });
  await ask(page, `a${'very'.repeat(60)}longword`);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 320, `nothing sticks out: ${width}`);
  const [red] = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  assert.ok(red < 0x60, 'the background is dark');
  await shoot(page, 'page-narrow-dark');
  await button(page, 'Show the list of chats').click();
  await button(page, 'New chat').click();
  await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  assert.equal(await page.getByRole('navigation', { name: 'Chats' }).count(), 0);
});

test('a failure of the upstream is told in a sentence, with a way on', async (t) => {
  const { confabd } = await startRaw(t, 'error-in-data');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'Anybody there?');
  await button(page, 'Try again').waitFor();
  assert.match(await textOf(answers(page)), /The .*fell over/);
});

test('without the cookie there is a readable refusal, not the page', async (t) => {
  const confabd = await startTalker(t);
  const page = await openPage(await openBrowser(t, browser));
  const response = await page.goto(`${confabd.origin}/`);
  assert.equal(response.status(), 401);
  assert.match(response.headers()['content-type'], /^text\/(html|plain)/);
  assert.match(await page.locator('body').innerText(), /confabd/i);
  assert.equal(await messageBox(page).count(), 0);
});

test('edit and send again, rename, search, delete and undo', async (t) => {
  const { confabd } = await startRaw(t, 'echo');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'First words');
  await button(page, 'Edit and send again').click();
  await page.getByRole('textbox', { name: 'Edit message' }).fill('Other words');
  await button(page, 'Send again').click();
  await answers(page).filter({ hasText: 'user: Other words' }).waitFor();
  await waitIdle(page);
  assert.equal(await questions(page).count(), 1);

  const list = page.getByRole('navigation', { name: 'Chats' });
  await button(page, 'Chat menu').click();
  await page.getByRole('menuitem', { name: 'Rename…' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Of words');
  await button(page, 'Rename').click();
  await list.getByRole('link', { name: 'Of words' }).waitFor();
  await page.getByRole('searchbox', { name: 'Search all chats' }).fill('other wor');
  await page.getByRole('region', { name: 'Search results' }).getByRole('link').first().waitFor();
  await page.getByRole('searchbox', { name: 'Search all chats' }).fill('');

  await button(page, 'Chat menu').click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByText('“Of words” deleted').waitFor();
  assert.equal(await list.getByRole('link', { name: 'Of words' }).count(), 0);
  await button(page, 'Undo').click();
  await list.getByRole('link', { name: 'Of words' }).click();
  await answers(page).filter({ hasText: 'user: Other words' }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('what was deleted is gone when the tab is closed before it can be taken back', async (t) => {
  const { confabd } = await startRaw(t, 'echo');
  const context = await openBrowser(t, browser);
  const page = await openPage(context, confabd.url);
  await waitConnected(page);
  await ask(page, 'Of no use');
  await button(page, 'Chat menu').click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByText('“Of no use” deleted').waitFor();
  await page.close({ runBeforeUnload: true });
  const other = await openPage(context, confabd.origin);
  await waitConnected(other);
  const list = other.getByRole('navigation', { name: 'Chats' });
  await list.getByText('No chats yet').waitFor();
  assert.equal(await list.getByRole('link').count(), 0);
});

test('the list of chats marks those that are being answered, and the header names the model',
  async (t) => {
    const { confabd } = await startRaw(t, 'paced:6000:20');
    const page = await openConnected(t, browser, confabd);
    await page.getByRole('button', { name: 'Chat settings: raw:paced:6000:20' }).waitFor();
    await send(page, 'Take your time');
    await answers(page).filter({ hasText: 't2' }).waitFor();
    await button(page, 'New chat').first().click();
    await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
    const list = page.getByRole('navigation', { name: 'Chats' });
    const mark = list.getByRole('img', { name: 'An answer is being written' });
    await mark.waitFor();
    await page.reload();
    await mark.waitFor();
    await shoot(page, 'page-running');
    await list.getByRole('link', { name: /^Take your time/ }).click();
    await button(page, 'Stop').click();
    await mark.waitFor({ state: 'detached' });
    assert.deepEqual(page.complaints, []);
  });

test('with each answer stands which model gave it', async (t) => {
  const { confabd } = await startRaw(t, 'plain');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'Hello');
  const cost = answers(page).getByText(/^raw.* · \d+ tokens in · \d+ tokens out$/);
  await cost.waitFor({ state: 'attached' });
  await page.reload();
  await cost.waitFor({ state: 'attached' });
});

test('so it does with one that was stopped, and with one that failed', async (t) => {
  const modelOf = (page, name) => answers(page).getByText(new RegExp(`^raw:${name}`));
  const slow = await startRaw(t, 'paced:4000:20');
  const page = await openConnected(t, browser, slow.confabd);
  await send(page, 'Hello');
  await answers(page).filter({ hasText: 't9' }).waitFor();
  await button(page, 'Stop').click();
  await waitIdle(page);
  await modelOf(page, 'paced').waitFor({ state: 'attached' });
  await page.reload();
  await modelOf(page, 'paced').waitFor({ state: 'attached' });

  const broken = await startRaw(t, 'error-in-data');
  const other = await openConnected(t, browser, broken.confabd);
  await ask(other, 'Hello');
  await button(other, 'Try again').waitFor();
  await modelOf(other, 'error-in-data').waitFor({ state: 'attached' });
  await other.reload();
  await modelOf(other, 'error-in-data').waitFor({ state: 'attached' });
});

test('instructions reach the model, and an export holds the conversation', async (t) => {
  const { confabd } = await startRaw(t, 'echo');
  const page = await openConnected(t, browser, confabd);
  await page.getByRole('button', { name: /^Chat settings/ }).click();
  await page.getByRole('textbox', { name: 'Instructions' }).fill('Speak like a pirate');
  await button(page, 'Save').click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await ask(page, 'Hello');
  assert.match(await textOf(answers(page)), /system: Speak like a pirate/);

  await button(page, 'Chat menu').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Export as Markdown' }).click(),
  ]);
  const text = await readFile(await download.path(), 'utf8');
  assert.match(download.suggestedFilename(), /\.md$/);
  assert.match(text, /## You[^]*Hello[^]*Speak like a pirate/);

  // as JSON it is what another Confab takes, with its settings
  await button(page, 'Chat menu').click();
  const [json] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Export as JSON' }).click(),
  ]);
  assert.match(json.suggestedFilename(), /\.json$/);
  const bus = await startBus(t);
  const other = bus.start(process.env.CONFABD, ['--session', '--dev', '--port', '0']);
  await other.waitForOutput(/^Listening/m);
  const imported = await bus.run(process.env.CONFABCTL, 'import', await json.path());
  assert.equal(imported, 'default\n');
  const [module] = JSON.parse(await bus.run(process.env.CONFABCTL, '--json', 'modules'));
  assert.equal(module.Instructions, 'Speak like a pirate');
  const history = JSON.parse(
    await bus.run(process.env.CONFABCTL, '--json', 'history', module.Id));
  assert.deepEqual(history.map(({ role }) => role), ['user', 'assistant']);
  assert.match(history[1].content, /system: Speak like a pirate/);
  assert.deepEqual(page.complaints, []);
});

test('without Socket.IO the page does the same over plain HTTP', async (t) => {
  const { confabd } = await startRaw(t, 'paced:60:100', ['--no-realtime']);
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'Hello');
  assert.ok((await textOf(answers(page))).includes(numbered(60)), 'the answer is whole');
  await button(page, 'Answer again').click();
  await answers(page).filter({ hasText: 't5' }).waitFor();
  await page.reload();
  await answers(page).filter({ hasText: 't9' }).waitFor();
  await button(page, 'Stop').click();
  await page.getByText('Stopped.', { exact: true }).waitFor();
  await waitIdle(page);
  assert.equal(await questions(page).count(), 1);
  await page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: 'Hello' })
    .waitFor();
});

test('a reader of German has the page in German', async (t) => {
  const { confabd } = await startRaw(t, 'plain');
  const context = await openBrowser(t, browser, { locale: 'de-AT' });
  const page = await openPage(context, confabd.url);
  await page.getByRole('heading', { name: 'Was beschäftigt Sie?' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  await page.getByRole('textbox', { name: 'Nachricht' }).fill('Hallo');
  await button(page, 'Senden').click();
  await page.getByText('10 Token heraus').waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a draft outlives a reload and a look at another chat', async (t) => {
  const confabd = await startTalker(t);
  const page = await openConnected(t, browser, confabd);
  await messageBox(page).fill('Half a thought');
  await page.reload();
  await waitConnected(page);
  assert.equal(await messageBox(page).inputValue(), 'Half a thought');
  await button(page, 'New chat').click();
  await waitFor(async () => await messageBox(page).inputValue() === '', { what: 'an empty draft' });
  await page.goBack();
  await waitFor(async () => await messageBox(page).inputValue() === 'Half a thought',
    { what: 'the draft again' });
});

test('code in its colours, reasoning folded away: the pictures of the README', async (t) => {
  const aimock = await startAimock(t, fixtures);
  const confabd = await startConfabd(t, ['--provider', 'openai', '--base-url', aimock.baseUrl,
    '--model', 'gpt-4o']);
  const context = { viewport: { width: 1000, height: 640 } };
  const page = await openConnected(t, browser, confabd, context);
  await ask(page, 'Suggest a name for my cat');
  await button(page, 'New session').click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Work on GLib');
  await button(page, 'Create').click();
  await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  await ask(page, 'A title for my pull request?');
  await button(page, 'New chat').click();
  await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  await ask(page, 'How do I read a file line by line in GLib?');
  await ask(page, 'And without blocking?');
  await waitFor(() => page.locator('.hljs-keyword').count(), { what: 'the colours of code' });
  await page.mouse.move(500, 20);
  await shoot(page, 'readme-light');

  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('region', { name: 'Conversation' }).evaluate((node) => {
    node.scrollTop = 0;
  });
  const reasoning = page.getByText('The reader writes C with GLib');
  await page.getByText('Reasoning', { exact: true }).waitFor();
  assert.equal(await reasoning.isVisible(), false);
  await shoot(page, 'readme-dark');
  await page.getByText('Reasoning', { exact: true }).click();
  await reasoning.waitFor();
  assert.deepEqual(page.complaints, []);
});
