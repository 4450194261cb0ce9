// SPDX-License-Identifier: GPL-3.0-or-later
// The first page in a real browser: what a newcomer does, and what nobody else may.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { chromium } from 'playwright-core';

import { startConfabd } from './lib/confabd.mjs';
import { freePort } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const CHROMIUM = '/usr/bin/chromium';
const screenshots = process.env.CONFAB_SCREENSHOTS;

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
});

after(() => browser?.close());

/* A browser of its own for each test: cookies of one must not help the next. What the page itself
 * gets wrong, such as a script that the content security policy stops, fails the test. */
async function openBrowser(t, options = {}) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error')
      page.complaints.push(message.text());
  });
  return page;
}

async function openConnected(t, confabd, options) {
  const page = await openBrowser(t, options);
  await page.goto(confabd.url);
  await page.locator('#connection[data-state="connected"]').waitFor();
  return page;
}

async function ask(page, message) {
  await page.getByLabel('Message').fill(message);
  await page.getByRole('button', { name: 'Send' }).click();
}

async function shoot(page, name) {
  if (!screenshots)
    return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

test('the token leaves the address, and the module enters it', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  assert.ok(confabd.token, 'the printed address carries a token');
  const page = await openConnected(t, confabd);

  const { pathname, search, href } = new URL(page.url());
  assert.equal(search, '');
  assert.ok(!href.includes(confabd.token));
  assert.match(pathname, /^\/session\/default\/module\/[A-Za-z0-9-]{36}$/);
  assert.equal(await page.title(), 'Confab');
  assert.deepEqual(page.complaints, []);
});

test('a message is answered, streamed, and told once to a screen reader', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const page = await openConnected(t, confabd);

  /* lengths that the answer had on its way: more than one means that it streamed */
  await page.evaluate(() => {
    window.seen = new Set();
    new MutationObserver(() => {
      const text = document.querySelector('.answer > .text');
      if (text)
        window.seen.add(text.textContent.length);
    }).observe(document.getElementById('log'), {
      childList: true, characterData: true, subtree: true,
    });
  });
  await ask(page, 'Hello, who are you?');
  await page.locator('.answer:not([aria-busy])').waitFor();

  const answer = await page.locator('.answer > .text').textContent();
  assert.ok(answer.length > 0);
  const seen = await page.evaluate(() => [...window.seen]);
  assert.ok(seen.filter((length) => length > 0).length > 2, `streamed in steps: ${seen}`);
  assert.equal(await page.locator('#announcer').textContent(), answer);
  assert.equal(await page.locator('.question > .text').textContent(), 'Hello, who are you?');
  assert.equal(await page.getByLabel('Message').inputValue(), '');
  assert.ok(await page.getByLabel('Message').evaluate((node) => node === document.activeElement));
  await shoot(page, 'page-light');
  assert.deepEqual(page.complaints, []);
});

test('markup in a message stays text', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const page = await openConnected(t, confabd);
  const markup = '<img src=x onerror="window.hit = true"><b>bold</b>';
  await ask(page, markup);
  await page.locator('.answer:not([aria-busy])').waitFor();

  assert.equal(await page.locator('.question > .text').textContent(), markup);
  assert.equal(await page.locator('#log img, #log b').count(), 0);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.deepEqual(page.complaints, []);
});

test('the page fits 320 pixels, in the dark too', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const page = await openConnected(t, confabd, {
    viewport: { width: 320, height: 560 }, colorScheme: 'dark',
  });
  await ask(page, `a${'very'.repeat(60)}longword`);
  await page.locator('.answer:not([aria-busy])').waitFor();

  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 320, `nothing sticks out: ${width}`);
  const [red] = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  assert.ok(red < 0x60, 'the background is dark');
  await shoot(page, 'page-narrow-dark');
});

test('Stop ends a running answer and keeps its text', async (t) => {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t,
    ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model', 'raw:slow']);
  const page = await openConnected(t, confabd);
  await ask(page, 'Tell me a long story');

  await page.waitForFunction(() =>
    document.querySelector('.answer[aria-busy] > .text')?.textContent.length > 0);
  const stop = page.getByRole('button', { name: 'Stop' });
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  await shoot(page, 'page-streaming');
  await stop.click();
  await page.locator('.answer:not([aria-busy])').waitFor();

  assert.ok((await page.locator('.answer > .text').textContent()).length > 0);
  assert.equal(await page.locator('.answer > .note').textContent(), 'Stopped.');
  assert.ok(await stop.isHidden());
  assert.ok(await page.getByLabel('Message').evaluate((node) => node === document.activeElement));
  assert.deepEqual(page.complaints, []);
});

test('a failure of the upstream is told in a sentence', async (t) => {
  const upstream = await startRawUpstream(t);
  await upstream.stop();
  const confabd = await startConfabd(t,
    ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model', 'any']);
  const page = await openConnected(t, confabd);
  await ask(page, 'Anybody there?');

  const failure = page.locator('.answer > .failure');
  await failure.waitFor();
  assert.match(await failure.textContent(), /\w+ \w+/);
  assert.ok(await page.getByRole('button', { name: 'Stop' }).isHidden());
});

test('without the cookie there is a readable refusal, not the page', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const page = await openBrowser(t);
  const response = await page.goto(`${confabd.origin}/`);

  assert.equal(response.status(), 401);
  assert.match(response.headers()['content-type'], /^text\/(html|plain)/);
  assert.match(await page.locator('body').innerText(), /confabd/i);
  assert.equal(await page.locator('#composer').count(), 0);
});

test('a page that outlives its confabd says so, and comes back', async (t) => {
  const args = ['--provider', 'builtin', '--dev', '--port', String(await freePort())];
  const first = await startConfabd(t, args);
  const page = await openConnected(t, first);
  await first.stop();
  await page.locator('#connection[data-state="lost"]').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());

  await startConfabd(t, args);
  await page.locator('#connection[data-state="connected"]').waitFor();
  await ask(page, 'Are you back?');
  await page.locator('.answer:not([aria-busy])').waitFor();
});
