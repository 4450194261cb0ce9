// SPDX-License-Identifier: GPL-3.0-or-later
// What the page shows where it cannot do what one wants: somebody else is being answered, nothing
// is there yet, or something went wrong. What was typed is never lost.
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, conversation, launchBrowser, messageBox, openBrowser, openConnected,
  openPage, questions, send, shoot, waitConnected, waitIdle,
} from './lib/browser.mjs';
import { connect, startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { freePort, makeDir, waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const BUSY = 'This conversation is still being answered.';
const HISTORY = '**/api/call/ai:chat:history';

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const chats = (page) => page.getByRole('navigation', { name: 'Chats' });
const editor = (page) => page.getByRole('textbox', { name: 'Edit message' });

/** What a confabd is started with whose chats are kept in `dir`, at an address that stays. */
async function keptIn(t, dir) {
  const { baseUrl } = await startRawUpstream(t);
  return ['--provider', 'openai', '--base-url', baseUrl, '--model', 'raw:plain',
    '--data-dir', dir, '--port', String(await freePort())];
}

/** Two tabs of one browser, with the same chat. */
async function openTwo(t, confabd) {
  const context = await openBrowser(t, browser);
  const one = await openPage(context, confabd.url);
  await waitConnected(one);
  const two = await openPage(context);
  return { one, two };
}

/** A network on which what Confab says takes as long as the test wants. */
async function holdable(page) {
  const late = [];
  let isHeld = false;
  let deliver;
  await page.routeWebSocket(/\/api\/socket/, (near) => {
    const far = near.connectToServer();
    deliver = (message) => near.send(message);
    far.onMessage((message) => (isHeld ? late.push(message) : deliver(message)));
  });
  return {
    hold: () => { isHeld = true; },
    release: () => {
      isHeld = false;
      late.splice(0).forEach((message) => deliver(message));
    },
  };
}

const waitForWay = (page, way) =>
  page.locator(`[data-transport="${way}"]`).waitFor({ state: 'attached' });

/** Has requests for an address wait; the returned function lets them go. */
async function holdRequests(page, address) {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(address, async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

test('while another tab is answered one can write, and send that afterwards', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:5000:20');
  const { one, two } = await openTwo(t, confabd);
  await two.goto(one.url());
  await waitConnected(two);
  await send(one, 'Mine');
  await answers(two).filter({ hasText: 't3' }).waitFor();
  await two.getByText('can be sent when the answer is complete').waitFor();
  await messageBox(two).fill('Yours');
  await messageBox(two).press('Enter');
  assert.equal(await button(two, 'Send').count(), 0);
  assert.equal(await messageBox(two).inputValue(), 'Yours');
  assert.equal(await questions(two).count(), 1);
  await shoot(two, 'page-busy');

  await button(one, 'Stop').click();
  await waitIdle(two);
  assert.equal(await messageBox(two).inputValue(), 'Yours');
  await button(two, 'Send').click();
  await questions(one).filter({ hasText: 'Yours' }).waitFor();
  await button(one, 'Stop').click();
  await waitIdle(two);
  assert.deepEqual([...one.complaints, ...two.complaints], []);
});

test('a question that comes too late is refused with the reason, and its text is back',
  async (t) => {
    const { confabd } = await startWithRaw(t, 'paced:5000:20');
    const { one, two } = await openTwo(t, confabd);
    const network = await holdable(two);
    await two.goto(one.url());
    await waitConnected(two);
    await waitForWay(two, 'websocket');
    network.hold();
    await send(one, 'Mine');
    await answers(one).filter({ hasText: 't3' }).waitFor();
    await send(two, 'Yours');
    await two.getByText('Sending…').waitFor();
    assert.equal(await messageBox(two).inputValue(), '');
    network.release();

    await two.getByText(BUSY).waitFor();
    await waitFor(async () => await messageBox(two).inputValue() === 'Yours', { what: 'the text' });
    await answers(two).filter({ hasText: 't9' }).waitFor();
    assert.deepEqual(await questions(two).locator('.bubble').allInnerTexts(), ['Mine']);
    await button(two, 'Stop').click();
    await waitIdle(two);
    await button(two, 'Send').click();
    await questions(one).filter({ hasText: 'Yours' }).waitFor();
    await button(one, 'Stop').click();
    assert.deepEqual([...one.complaints, ...two.complaints], []);
  });

test('so it is without Socket.IO, where nobody hears of the other tab for a while', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:5000:20', { args: ['--no-realtime'] });
  const { one, two } = await openTwo(t, confabd);
  await two.goto(one.url());
  await waitConnected(two);
  const release = await holdRequests(two, '**/api/chat/*/stream');
  await send(one, 'Mine');
  await answers(one).filter({ hasText: 't3' }).waitFor();
  await send(two, 'Yours');
  await two.getByText(BUSY).waitFor();
  await waitFor(async () => await messageBox(two).inputValue() === 'Yours', { what: 'the text' });
  release();
  await answers(two).filter({ hasText: 't9' }).waitFor({ timeout: 30000 });
  await button(two, 'Stop').click();
  await waitIdle(one);
});

test('what was made of an older question is kept until it can be sent', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:4000:20');
  const { one, two } = await openTwo(t, confabd);
  const network = await holdable(two);
  await send(one, 'First');
  await answers(one).filter({ hasText: 't3' }).waitFor();
  await button(one, 'Stop').click();
  await waitIdle(one);
  await two.goto(one.url());
  await waitForWay(two, 'websocket');
  await answers(two).waitFor();

  /* it is known that one has to wait */
  await button(two, 'Edit and send again').click();
  await editor(two).fill('First, and better');
  await send(one, 'Second');
  await answers(two).nth(1).filter({ hasText: 't3' }).waitFor();
  await editor(two).press('Enter');
  assert.equal(await editor(two).inputValue(), 'First, and better');
  assert.ok(await button(two, 'Send again').isDisabled());
  await button(one, 'Stop').click();
  await waitIdle(two);

  /* it is not known yet */
  network.hold();
  await send(one, 'Third');
  await answers(one).nth(2).filter({ hasText: 't3' }).waitFor();
  await button(two, 'Send again').click();
  await two.getByText('Sending…').waitFor();
  network.release();
  await two.getByText(BUSY).waitFor();
  await waitFor(async () => await editor(two).inputValue() === 'First, and better',
    { what: 'the text again' });
  await button(one, 'Stop').click();
  await waitIdle(two);
  await button(two, 'Send again').click();
  await questions(one).filter({ hasText: 'First, and better' }).waitFor();
  await button(one, 'Stop').click();
  await waitIdle(two);
  assert.equal(await questions(two).count(), 1);
  assert.deepEqual([...one.complaints, ...two.complaints], []);
});

test('what is loading says so: the chats, a conversation, and older messages of it', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  for (let i = 0; i < 26; i++)
    await chat.ask({ moduleId: 'm', message: `Question ${i}` });
  const page = await openPage(await openBrowser(t, browser));
  /* so that each request can be held for itself */
  await page.route(/\/api\/socket/, (route) => route.fulfill({ status: 404 }));
  const releaseChats = await holdRequests(page, '**/api/call/session:list');
  const releaseHistory = await holdRequests(page, HISTORY);
  await page.goto(confabd.url.replace('/?', '/session/default/module/m?'));
  await page.getByRole('status').filter({ hasText: 'Loading the conversation' }).waitFor();
  await chats(page).getByRole('status').filter({ hasText: 'Loading…' }).waitFor();
  await shoot(page, 'page-loading');
  releaseChats();
  await chats(page).getByRole('link', { name: 'Question 0' }).waitFor();
  releaseHistory();
  await questions(page).filter({ hasText: 'Question 25' }).waitFor();
  assert.equal(await page.getByText('Loading the conversation').count(), 0);

  const toTop = () => conversation(page).evaluate((node) => { node.scrollTop = 0; });
  const releaseOlder = await holdRequests(page, HISTORY);
  await waitFor(async () => {
    await toTop();
    return page.getByText('Loading older messages…').isVisible();
  }, { what: 'a word about older messages' });
  releaseOlder();
  await page.getByText('Loading older messages…').waitFor({ state: 'detached' });
  await waitFor(async () => {
    await toTop();
    return questions(page).getByText('Question 0', { exact: true }).isVisible();
  }, { what: 'the oldest' });
});

/**
 * Breaks the chain of pages that a long text has in a database that is open, where it says `mark`;
 * returns what mends it.
 */
async function breakText(path, mark) {
  const file = await open(path, 'r+');
  const whole = await file.readFile();
  const pageSize = whole.readUInt16BE(16);
  const at = whole.indexOf(mark);
  assert.ok(at > 0, 'the text is in the database');
  const start = at - (at % pageSize);
  await file.write(Buffer.alloc(4, 0xff), 0, 4, start);
  return async () => {
    await file.write(whole, start, 4, start);
    await file.close();
  };
}

test('a chat that cannot be loaded says why, is not shown as empty, and comes when it can',
  async (t) => {
    const dir = await makeDir(t);
    const args = await keptIn(t, dir);
    const first = await startConfabd(t, args);
    const chat = await connect(t, first);
    await chat.ask({
      moduleId: 'm',
      message: `Long ago ${'and far away '.repeat(800)}MARK${' it was'.repeat(800)}`,
    });
    /* more than SQLite keeps in memory of what it has read */
    for (let i = 0; i < 44; i++)
      await chat.ask({ moduleId: `n${i}`, message: 'much '.repeat(50000) });
    await first.stop();

    const second = await startConfabd(t, args, { allow: [/malformed|store/] });
    const mend = await breakText(join(dir, 'confab.db'), 'MARK');
    const page = await openConnected(t, browser, second);
    await page.goto(new URL('/session/default/module/m', page.url()).href);
    const alert = page.getByRole('alert').filter({ hasText: 'This chat could not be loaded' });
    await alert.waitFor();
    assert.equal(await page.getByRole('heading', { name: 'What is on your mind?' }).count(), 0);
    await shoot(page, 'page-not-loaded');
    await button(page, 'Try again').click();
    await alert.waitFor();
    await second.stop();
    await mend();
    await startConfabd(t, args);
    await questions(page).filter({ hasText: 'Long ago' }).waitFor();
    assert.equal(await alert.count(), 0);
  });

test('a list of chats that was asked for too fast comes all the same', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin'], {
    config: '[confab]\nclient-rate=1\n',
  });
  for (let i = 0; i < 12; i++) {
    /* each client has a rate of its own */
    const chat = await connect(t, confabd);
    await chat.call('session:create', { sessionId: `s${i}`, title: `Session ${i}` });
    await chat.call('module:create', { sessionId: `s${i}`, moduleId: `m${i}`, title: `Chat ${i}` });
    chat.socket.close();
  }
  const page = await openConnected(t, browser, confabd);
  for (let i = 0; i < 12; i++)
    await chats(page).getByRole('link', { name: `Chat ${i}`, exact: true }).waitFor();
  assert.equal(await chats(page).getByText('No chats yet').count(), 0);
  assert.deepEqual(page.complaints, []);
});

test('a search that finds nothing says so', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const page = await openConnected(t, browser, confabd);
  await page.getByRole('searchbox', { name: 'Search all chats' }).fill('nowhere');
  await page.getByRole('status').filter({ hasText: '0 results' }).waitFor();
});

test('a chat that is deleted elsewhere says so, and offers a new one', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'Hello');
  await messageBox(page).fill('More');
  const moduleId = page.url().split('/').at(-1);
  const other = await connect(t, confabd);
  assert.equal((await other.call('module:delete', { moduleId })).ok, true);
  await page.getByRole('heading', { name: 'This chat was deleted' }).waitFor();
  assert.equal(await messageBox(page).count(), 0);
  await shoot(page, 'page-deleted');
  await page.getByRole('main').getByRole('button', { name: 'New chat' }).click();
  await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a browser that is not signed in is told how to be, and goes on by itself', async (t) => {
  const args = ['--provider', 'builtin', '--data-dir', await makeDir(t), '--port',
    String(await freePort())];
  const first = await startConfabd(t, args);
  const page = await openConnected(t, browser, first);
  await messageBox(page).fill('Half a thought');
  await first.stop();
  await page.context().clearCookies();
  const again = await startConfabd(t, args);
  await page.getByText('This browser is not signed in').waitFor();
  await shoot(page, 'page-not-signed-in');
  const other = await openPage(page.context(), again.url);
  await waitConnected(other);
  await waitConnected(page);
  assert.equal(await messageBox(page).inputValue(), 'Half a thought');
  await ask(page, 'Hello');
});

test('without Socket.IO as well, and what was asked meanwhile is sent then', async (t) => {
  const args = [...await keptIn(t, await makeDir(t)), '--no-realtime'];
  const first = await startConfabd(t, args);
  const page = await openConnected(t, browser, first);
  await ask(page, 'Hello');
  await page.context().clearCookies();
  await send(page, 'Still there?');
  await page.getByText('This browser is not signed in').waitFor();
  await page.getByText('Sending…').waitFor();
  await questions(page).filter({ hasText: 'Hello' }).waitFor();
  const other = await openPage(page.context(), first.url);
  await waitConnected(other);
  await page.bringToFront();
  await waitConnected(page);
  await waitIdle(page);
  await answers(page).nth(1).waitFor();
  assert.deepEqual(await questions(page).locator('.bubble').allInnerTexts(),
    ['Hello', 'Still there?']);
});
