// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile text in a chat, in a real browser: it stays text.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { after, before } from 'node:test';

import {
  answers, ask, conversation, launchBrowser, openConnected,
} from './lib/browser.mjs';
import { startWithRaw } from './lib/chat.mjs';

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

test('markup and hostile Markdown stay harmless', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo');
  const page = await openConnected(t, browser, confabd);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const hostile = [
    '<img src=x onerror="window.hit = 1"><script>window.hit = 2</script><b>bold</b>',
    '[a](javascript:window.hit=3) [b](data:text/html,<script>window.hit=4</script>)',
    '![tracker](https://tracker.example/pixel.png)',
    '[c](data:image/png;base64,AAAA) [d](vscode://open) [e](intent://open#Intent;end)',
    '<svg onload="window.hit=5"><style>body{display:none}</style>',
    '```nolanguage\n<img src=x onerror="window.hit = 7"><b>bold</b>\n```',
    '```html\n<img src=x onerror="window.hit = 8"><b>bold</b>\n```',
    '~~~<img/src=x/onerror="window.hit=9"><b>bold</b>\ncode\n~~~',
    '- in a list\n\n  ```<b>bold</b>\n  <img src=x onerror="window.hit = 10"><b>bold</b>\n  ```',
    'https://example.org/ and mailto:somebody@example.org',
    `| a | b |\n|---|---|\n${'| x | y |\n'.repeat(300)}`,
    '```js\nwindow.hit = 6; // never closed',
  ].join('\n\n');
  await ask(page, hostile);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  const found = await conversation(page).evaluate((node) => ({
    tags: [...node.querySelectorAll('img, script, style, iframe, b')].length,
    links: [...node.querySelectorAll('a')].map((link) => ({ href: link.getAttribute('href'),
      rel: link.rel, target: link.target })),
    handlers: [...node.querySelectorAll('*')].filter((element) =>
      [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
  }));
  assert.equal(found.tags, 0);
  assert.equal(found.handlers, 0);
  // of those that are no addresses of the web only their text is left
  assert.deepEqual([...new Set(found.links.map(({ href }) => href))],
    ['https://tracker.example/pixel.png', null, 'https://example.org/',
      'mailto:somebody@example.org']);
  for (const { rel, target } of found.links)
    assert.deepEqual({ rel, target },
      { rel: 'noopener noreferrer nofollow', target: '_blank' });
  assert.deepEqual(asked.filter((url) => !url.startsWith(confabd.origin)), []);
  assert.deepEqual(page.complaints, []);
});

test('a link opens only when it is clicked, and where it leads learns nothing', async (t) => {
  const asked = [];
  const elsewhere = createServer(({ url, headers }, response) => {
    if (url !== '/favicon.ico')
      asked.push({ url, referer: headers.referer, cookie: headers.cookie });
    response.setHeader('Content-Type', 'text/html').end('<title>Elsewhere</title>');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  t.after(() => { elsewhere.close(); elsewhere.closeAllConnections(); });
  // another name of this machine, so that it is another site
  const address = `http://localhost:${elsewhere.address().port}/away`;
  const { confabd } = await startWithRaw(t, 'echo');
  const page = await openConnected(t, browser, confabd);
  await ask(page, `[Away](${address})`);
  const link = answers(page).getByRole('link', { name: 'Away' });
  await link.hover();
  await link.focus();
  assert.deepEqual(asked, []);
  const [opened] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
  await opened.waitForLoadState();
  assert.deepEqual(await opened.evaluate(() =>
    ({ title: document.title, referrer: document.referrer, opener: window.opener })),
  { title: 'Elsewhere', referrer: '', opener: null });
  assert.deepEqual(asked, [{ url: '/away', referer: undefined, cookie: undefined }]);
});
