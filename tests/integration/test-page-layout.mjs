// SPDX-License-Identifier: GPL-3.0-or-later
// Where things stand on the page, measured by their boxes.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, launchBrowser, openConnected, questions, send, waitIdle,
} from './lib/browser.mjs';
import { startWithRaw } from './lib/chat.mjs';

/* as much as a line of text is high: what belongs together stands together */
const LINE = 24;

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const boxOf = async (locator) => {
  const { x, y, width, height } = await locator.boundingBox();
  return { left: x, top: y, right: x + width, bottom: y + height };
};

const overlap = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** How much empty space there is between the question of this text and what answers it. */
async function gapAfter(page, text, answer) {
  const question = await boxOf(questions(page).getByText(text, { exact: true }));
  return (await boxOf(answer)).top - question.bottom;
}

for (const width of [1000, 320])
  test(`an answer stands right below its question, ${width} pixels wide`, async (t) => {
    const { confabd } = await startWithRaw(t, 'paced:40:25');
    const page = await openConnected(t, browser, confabd, { viewport: { width, height: 640 } });
    await send(page, 'Hello');
    const dots = answers(page).locator('.waiting, .prose');
    await dots.waitFor();
    const whileWritten = await gapAfter(page, 'Hello', dots);
    assert.ok(whileWritten > 4 && whileWritten <= LINE, `${whileWritten} px while it is written`);
    await waitIdle(page);
    const gap = await gapAfter(page, 'Hello', answers(page).locator('.prose'));
    assert.ok(gap > 4 && gap <= LINE, `${gap} px`);
    assert.ok(Math.abs(gap - whileWritten) <= 2, 'and does not jump when it is whole');
  });

for (const width of [1000, 320])
  test(`what one can do with a question covers none of it, ${width} pixels wide`, async (t) => {
    const { confabd } = await startWithRaw(t, 'plain');
    const page = await openConnected(t, browser, confabd, { viewport: { width, height: 640 } });
    const long = 'many words '.repeat(20).trim();
    for (const text of ['Short', long]) {
      await ask(page, text);
      const question = questions(page).last();
      await question.hover();
      const bubble = await boxOf(question.getByText(text, { exact: true }));
      for (const name of ['Copy message', 'Edit and send again']) {
        const box = await boxOf(question.getByRole('button', { name }));
        assert.ok(!overlap(box, bubble), `${name} beside “${text}”`);
        assert.ok(box.left >= 0 && box.right <= width, `${name} is on the page`);
      }
      assert.ok(bubble.right - bubble.left > (text === long ? width / 2 : 40));
    }
    /* and they are there for the pointer */
    await questions(page).last().hover();
    await questions(page).last().getByRole('button', { name: 'Edit and send again' }).click();
    await page.getByRole('textbox', { name: 'Edit message' }).waitFor();
    await button(page, 'Cancel').click();
  });
