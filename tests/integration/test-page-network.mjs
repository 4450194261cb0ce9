// SPDX-License-Identifier: GPL-3.0-or-later
// The page in a real browser on networks as people have them: gone and back, slow, or so strict
// that nothing but plain HTTP gets through.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, launchBrowser, openBrowser, openConnected, openPage, questions, send, shoot,
  waitConnected, waitIdle, waitLost,
} from './lib/browser.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { freePort, waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('').trim();

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

async function startPaced(t, count, pause) {
  const upstream = await startRawUpstream(t);
  return startConfabd(t, ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model',
    `raw:paced:${count}:${pause}`]);
}

/** The network of a page, as Chromium's developer tools set it; what another one set stays set. */
async function setNetwork(page, conditions) {
  if (!page.developerTools) {
    page.developerTools = await page.context().newCDPSession(page);
    await page.developerTools.send('Network.enable');
  }
  await page.developerTools.send('Network.emulateNetworkConditions', {
    offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1, ...conditions,
  });
}

async function checkWhole(page, count) {
  await answers(page).filter({ hasText: `t${count - 1}` }).waitFor();
  await waitIdle(page);
  const text = (await answers(page).innerText()).replace(/\s+/g, ' ');
  assert.ok(text.includes(numbered(count)), text);
  assert.equal(await questions(page).count(), 1);
  assert.equal(await answers(page).count(), 1);
}

/** By which way the page reaches Confab, once it is this one. */
const waitForWay = (page, ways) => waitFor(
  async () => ways.includes(await page.locator('[data-transport]').getAttribute('data-transport')),
  { what: ways.join(' or '), timeout: 30000 },
);

test('the network goes amid an answer and comes back: the page says so, and nothing is missing',
  async (t) => {
    const confabd = await startPaced(t, 300, 20);
    const page = await openConnected(t, browser, confabd);
    await send(page, 'Hello');
    await answers(page).filter({ hasText: 't9' }).waitFor();
    await setNetwork(page, { offline: true });
    await waitLost(page);
    await shoot(page, 'page-no-network');
    await setNetwork(page, { offline: false });
    await waitConnected(page);
    await checkWhole(page, 300);
  });

test('what is asked without a network is asked when it is back', async (t) => {
  const confabd = await startPaced(t, 20, 5);
  const page = await openConnected(t, browser, confabd);
  await setNetwork(page, { offline: true });
  await waitLost(page);
  await send(page, 'Hello');
  await page.getByText('Sending…').waitFor();
  await setNetwork(page, { offline: false });
  await checkWhole(page, 20);
});

test('on a slow network the page comes, and an answer is whole', async (t) => {
  const confabd = await startPaced(t, 100, 10);
  const page = await openPage(await openBrowser(t, browser));
  /* what developer tools call 3G */
  await setNetwork(page, {
    latency: 400, downloadThroughput: 50 * 1024, uploadThroughput: 50 * 1024,
  });
  await page.goto(confabd.url, { timeout: 60000 });
  await waitConnected(page);
  await send(page, 'Hello');
  await checkWhole(page, 100);
  await page.reload({ timeout: 60000 });
  await checkWhole(page, 100);
  assert.deepEqual(page.complaints, []);
});

test('a network without WebSocket: polling does', async (t) => {
  const confabd = await startPaced(t, 60, 20);
  const page = await openPage(await openBrowser(t, browser));
  await page.routeWebSocket(/\/api\/socket/, (socket) => socket.close());
  await page.goto(confabd.url);
  await waitConnected(page);
  await ask(page, 'Hello');
  await checkWhole(page, 60);
  await waitForWay(page, ['polling']);
});

test('a network without WebSocket and polling: plain HTTP does, until they are back', async (t) => {
  const confabd = await startPaced(t, 400, 20);
  const page = await openPage(await openBrowser(t, browser));
  let isStrict = false;
  const sockets = new Set();
  await page.routeWebSocket(/\/api\/socket/, (socket) => {
    if (isStrict) {
      socket.close();
      return;
    }
    sockets.add(socket);
    socket.connectToServer();
  });
  await page.route(/\/api\/socket/, (route) => (isStrict ? route.abort() : route.continue()));
  await page.goto(confabd.url);
  await waitConnected(page);
  await waitForWay(page, ['websocket']);

  await send(page, 'Hello');
  await answers(page).filter({ hasText: 't9' }).waitFor();
  isStrict = true;
  for (const socket of sockets)
    await socket.close();
  await waitForWay(page, ['http']);
  await checkWhole(page, 400);

  await button(page, 'Answer again').click();
  await answers(page).filter({ hasText: 't9' }).waitFor();
  isStrict = false;
  await waitForWay(page, ['polling', 'websocket']);
  await checkWhole(page, 400);

  /* and from the first, as where nothing else was ever let through */
  isStrict = true;
  await page.reload();
  await waitForWay(page, ['http']);
  await button(page, 'Answer again').click();
  await answers(page).filter({ hasText: 't5' }).waitFor();
  await button(page, 'Stop').click();
  await page.getByText('Stopped.', { exact: true }).waitFor();
  await waitIdle(page);
});

test('a Confab without Socket.IO is asked for it again, now and then', async (t) => {
  const confabd = await startPaced(t, 20, 5);
  const page = await openPage(await openBrowser(t, browser));
  let isLeftOut = true;
  let asked = 0;
  await page.route(/\/api\/socket/, (route) => {
    asked++;
    return isLeftOut ? route.fulfill({ status: 404 }) : route.continue();
  });
  await page.clock.install();
  await page.goto(confabd.url);
  await waitForWay(page, ['http']);
  await ask(page, 'Hello');
  const before = asked;
  await page.clock.fastForward(31000);
  await waitFor(() => asked > before, { what: 'another try' });
  await waitForWay(page, ['http']);
  isLeftOut = false;
  await page.clock.fastForward(61000);
  await waitForWay(page, ['polling', 'websocket']);
  await checkWhole(page, 20);

  /* and at once by whoever looks again */
  isLeftOut = true;
  await page.reload();
  await waitForWay(page, ['http']);
  isLeftOut = false;
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await waitForWay(page, ['polling', 'websocket']);
});

test('a Confab that is started anew with Socket.IO is taken by it, without a reload', async (t) => {
  const upstream = await startRawUpstream(t);
  const args = ['--dev', '--provider', 'openai', '--base-url', upstream.baseUrl, '--model',
    'raw:paced:20:5', '--port', String(await freePort())];
  const first = await startConfabd(null, [...args, '--no-realtime']);
  const page = await openPage(await openBrowser(t, browser), first.url);
  await waitForWay(page, ['http']);
  await first.stop();
  await waitLost(page);
  await startConfabd(t, args);
  await waitForWay(page, ['polling', 'websocket']);
  await ask(page, 'Hello');
  await checkWhole(page, 20);
});
