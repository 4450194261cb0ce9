// SPDX-License-Identifier: GPL-3.0-or-later
// Versions of questions and answers on the page: the way from one to another, in every tab, by
// every way to Confab, and for everybody.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';

import {
  answers, ask, button, conversation, isFocused, launchBrowser, openBrowser, openConnected,
  openPage, questions, send, shoot, turns, waitConnected, waitIdle,
} from './lib/browser.mjs';
import { connect, startWithRaw } from './lib/chat.mjs';
import { waitFor } from './lib/process.mjs';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const versions = (turn) => turn.getByRole('group', { name: 'Versions' });
const previous = (turn) => turn.getByRole('button', { name: 'Previous version' });
const next = (turn) => turn.getByRole('button', { name: 'Next version' });

/** Waits until the control below a turn says so, as it is read aloud. */
const waitForVersion = (turn, text) =>
  versions(turn).getByText(text, { exact: true }).waitFor({ state: 'attached' });

/** Has the last answer written anew, `times` times. */
async function answerAgain(page, times = 1) {
  for (let i = 0; i < times; i++) {
    const before = await answers(page).last().innerText();
    await answers(page).last().getByRole('button', { name: 'Answer again' }).click();
    await waitFor(async () => await answers(page).last().innerText() !== before
      && await button(page, 'Send').count() === 1, { what: 'another answer' });
    await waitIdle(page);
  }
}

async function editLast(page, text) {
  await questions(page).last().hover();
  await questions(page).last().getByRole('button', { name: 'Edit and send again' }).click();
  await page.getByRole('textbox', { name: 'Edit message' }).fill(text);
  await button(page, 'Send again').click();
  await questions(page).last().filter({ hasText: text }).waitFor();
  await waitIdle(page);
  await answers(page).last().waitFor();
}

/** What the conversation says, one line a turn. */
const textsOf = (page) => turns(page).evaluateAll((nodes) => nodes.map((node) =>
  (node.querySelector('.bubble, .prose')?.innerText ?? '').split('\n')[0]));

const waitForTexts = (page, expected) => waitFor(
  async () => JSON.stringify(await textsOf(page)) === JSON.stringify(expected),
  { what: JSON.stringify(expected) },
);

/** Keeps what the live region says. */
const listen = (page) => page.evaluate(() => {
  window.told = [];
  const region = document.querySelector('[aria-live="polite"]');
  new MutationObserver(() => window.told.push(region.textContent))
    .observe(region, { childList: true, characterData: true, subtree: true });
});

test('one goes back and forth among answers, by pointer and by keyboard', async (t) => {
  const { confabd } = await startWithRaw(t, 'counted');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'Hello');
  assert.equal(await page.getByRole('group', { name: 'Versions' }).count(), 0);
  await answerAgain(page, 2);
  await ask(page, 'And then?');
  const answer = answers(page).first();
  await waitForVersion(answer, '3 of 3');
  assert.ok(await next(answer).isDisabled());
  await listen(page);

  await previous(answer).click();
  await waitForTexts(page, ['Hello', 'Answer number 2.']);
  await waitForVersion(answer, '2 of 3');
  await waitFor(() => isFocused(previous(answer)), { what: 'the focus in place' });
  await page.keyboard.press('Enter');
  await waitForTexts(page, ['Hello', 'Answer number 1.']);
  assert.ok(await previous(answer).isDisabled());
  await waitFor(() => isFocused(next(answer)), { what: 'the focus on the way on' });
  await page.keyboard.press('Enter');
  await waitForVersion(answer, '2 of 3');
  await waitFor(() => isFocused(next(answer)), { what: 'the focus in place' });
  await page.keyboard.press('Space');
  await waitForTexts(page, ['Hello', 'Answer number 3.', 'And then?', 'Answer number 4.']);
  await waitFor(() => isFocused(previous(answer)), { what: 'the focus on the way back' });
  assert.deepEqual((await page.evaluate(() => window.told)).filter(Boolean),
    ['Version 2 of 3', 'Version 1 of 3', 'Version 2 of 3', 'Version 3 of 3']);
  assert.deepEqual(page.complaints, []);
});

test('a question in other words is gone back from, with all that followed it', async (t) => {
  const { confabd } = await startWithRaw(t, 'counted');
  const page = await openConnected(t, browser, confabd);
  await ask(page, 'First');
  await ask(page, 'Second');
  await editLast(page, 'Second, and better');
  await waitForTexts(page, ['First', 'Answer number 1.', 'Second, and better',
    'Answer number 3.']);
  const question = questions(page).last();
  await waitForVersion(question, '2 of 2');
  await previous(question).click();
  await waitForTexts(page, ['First', 'Answer number 1.', 'Second', 'Answer number 2.']);
  await shoot(page, 'page-versions');

  /* what is edited then is a third one, and the first question has versions of its own */
  await editLast(page, 'Second, once more');
  await waitForVersion(question, '3 of 3');
  await questions(page).first().hover();
  await questions(page).first().getByRole('button', { name: 'Edit and send again' }).click();
  await page.getByRole('textbox', { name: 'Edit message' }).fill('Another first');
  await button(page, 'Send again').click();
  await waitForTexts(page, ['Another first', 'Answer number 5.']);
  await waitIdle(page);
  await previous(questions(page).first()).click();
  await waitForTexts(page, ['First', 'Answer number 1.', 'Second, once more',
    'Answer number 4.']);
  assert.deepEqual(page.complaints, []);
});

test('the other tab follows, and a reload keeps the choice', async (t) => {
  const { confabd } = await startWithRaw(t, 'counted');
  const context = await openBrowser(t, browser);
  const one = await openPage(context, confabd.url);
  await waitConnected(one);
  await ask(one, 'Hello');
  await answerAgain(one);
  const two = await openPage(context, one.url());
  await waitForVersion(answers(two), '2 of 2');
  await one.bringToFront();
  await previous(answers(one)).click();
  await waitForTexts(one, ['Hello', 'Answer number 1.']);
  await two.bringToFront();
  await waitForTexts(two, ['Hello', 'Answer number 1.']);
  await waitForVersion(answers(two), '1 of 2');
  await two.reload();
  await waitForTexts(two, ['Hello', 'Answer number 1.']);
  await ask(two, 'Goes on');
  await one.bringToFront();
  await waitForTexts(one, ['Hello', 'Answer number 1.', 'Goes on', 'Answer number 3.']);
  assert.deepEqual([...one.complaints, ...two.complaints], []);
});

test('without Socket.IO it is the same', async (t) => {
  const { confabd } = await startWithRaw(t, 'counted', { args: ['--no-realtime'] });
  const context = await openBrowser(t, browser);
  const one = await openPage(context, confabd.url);
  await waitConnected(one);
  await ask(one, 'Hello');
  await answerAgain(one);
  await editLast(one, 'Good day');
  await waitForVersion(questions(one), '2 of 2');
  await previous(questions(one)).click();
  await waitForTexts(one, ['Hello', 'Answer number 2.']);
  await waitForVersion(answers(one), '2 of 2');
  await waitFor(() => isFocused(next(questions(one))), { what: 'the focus on the way on' });
  const two = await openPage(context, one.url());
  await waitForTexts(two, ['Hello', 'Answer number 2.']);
  await previous(answers(two)).click();
  await waitForTexts(two, ['Hello', 'Answer number 1.']);
  await one.bringToFront();
  await waitForTexts(one, ['Hello', 'Answer number 1.']);
  await one.reload();
  await waitForTexts(one, ['Hello', 'Answer number 1.']);
});

test('while an answer is written no other version can be chosen', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:4000:20');
  const page = await openConnected(t, browser, confabd);
  for (const text of ['Hello', 'Again', 'And again']) {
    await send(page, text);
    await answers(page).last().filter({ hasText: 't3' }).waitFor();
    await button(page, 'Stop').click();
    await waitIdle(page);
    if (text === 'Hello') {
      await button(page, 'Answer again').click();
      await answers(page).filter({ hasText: 't3' }).waitFor();
      await button(page, 'Stop').click();
      await waitIdle(page);
    }
  }
  const answer = answers(page).first();
  await waitForVersion(answer, '2 of 2');
  assert.ok(await previous(answer).isEnabled());

  const other = await connect(t, confabd);
  const moduleId = page.url().split('/').at(-1);
  await other.generate({ moduleId, message: 'From elsewhere' });
  await answers(page).last().filter({ hasText: 't1' }).waitFor();
  assert.ok(await previous(answer).isDisabled());
  await button(page, 'Stop').click();
  await waitIdle(page);
  await previous(answer).click();
  await waitForVersion(answer, '1 of 2');
  assert.equal(await turns(page).count(), 2);
  assert.deepEqual(page.complaints, []);
});

test('a choice that comes too late is refused with the reason, and nothing changes', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:3000:20', { args: ['--no-realtime'] });
  const context = await openBrowser(t, browser);
  const one = await openPage(context, confabd.url);
  await waitConnected(one);
  for (const name of ['Send', 'Answer again']) {
    if (name === 'Send')
      await send(one, 'Hello');
    else
      await button(one, name).click();
    await answers(one).filter({ hasText: 't3' }).waitFor();
    await button(one, 'Stop').click();
    await waitIdle(one);
  }
  const two = await openPage(context);
  /* it hears of no answer for as long as this is held */
  await two.route('**/api/chat/*/stream', () => {});
  await two.goto(one.url());
  await waitForVersion(answers(two), '2 of 2');
  await send(one, 'More');
  await waitFor(() => answers(one).count().then((n) => n === 2), { what: 'an answer' });
  await previous(answers(two).first()).click();
  await two.getByText('This conversation is still being answered.').waitFor();
  await waitForVersion(answers(two).first(), '2 of 2');
  await one.bringToFront();
  await button(one, 'Stop').click();
  await waitIdle(one);
});

/** Scrolls up until the middle of the page is where this is. */
const scrollUpTo = (page, locator) => waitFor(async () => {
  const box = await locator.count() === 1 ? await locator.boundingBox() : null;
  if (box && box.y > 200 && box.y < 500)
    return true;
  const by = box ? 350 - box.y : 250;
  await conversation(page).evaluate((node, up) => { node.scrollTop -= up; }, by);
  await page.waitForTimeout(100);
  return false;
}, { what: 'the middle of the page' });

test('the control stays under the pointer, however long the versions are', async (t) => {
  const { confabd } = await startWithRaw(t, 'counted:4');
  const page = await openConnected(t, browser, confabd);
  const shown = (n) => answers(page).filter({ hasText: `Answer number ${n}.` });
  for (const text of ['Before', 'Still before', 'Hello'])
    await ask(page, text);
  await answerAgain(page);
  await ask(page, 'After the second');
  await scrollUpTo(page, previous(shown(4)));
  await previous(shown(4)).click();
  await waitForVersion(shown(3), '1 of 2');
  await ask(page, 'After the first');
  await scrollUpTo(page, next(shown(3)));
  await page.waitForTimeout(300);

  const { y } = await next(shown(3)).boundingBox();
  for (const [version, control, n] of [['2 of 2', next(shown(3)), 4],
    ['1 of 2', previous(shown(4)), 3]]) {
    await control.click();
    await waitForVersion(shown(n), version);
    await waitFor(async () => Math.abs((await versions(shown(n)).boundingBox()).y - y) < 3,
      { what: `the control of ${version} in its place` });
    await page.waitForTimeout(400);
    const there = await versions(shown(n)).boundingBox();
    assert.ok(Math.abs(there.y - y) < 3, `it stays there: ${there.y}, not ${y}`);
  }
  assert.ok(await isFocused(next(shown(3))));
});

test('what a search finds on a hidden branch is shown, and a reload stays where one is',
  async (t) => {
    const { confabd } = await startWithRaw(t, 'counted');
    const page = await openConnected(t, browser, confabd);
    await ask(page, 'Of zebras');
    await editLast(page, 'Of lions');
    await page.getByRole('searchbox', { name: 'Search all chats' }).fill('zebras');
    const result = page.getByRole('region', { name: 'Search results' }).getByRole('link')
      .filter({ hasText: 'Of zebras' }).first();
    await result.click();
    await waitForTexts(page, ['Of zebras', 'Answer number 1.']);
    await waitForVersion(questions(page), '1 of 2');
    await next(questions(page)).click();
    await waitForTexts(page, ['Of lions', 'Answer number 2.']);
    await page.reload();
    await waitForTexts(page, ['Of lions', 'Answer number 2.']);
    assert.deepEqual(page.complaints, []);
  });

test('what a search finds far up is shown, and on a hidden branch amid an answer it says why not',
  async (t) => {
    const { confabd } = await startWithRaw(t, 'counted');
    const chat = await connect(t, confabd);
    const { ack } = await chat.ask({ moduleId: 'm', message: 'Of zebras' });
    const anew = await chat.call('ai:chat:regenerate', {
      moduleId: 'm', messageId: ack.userMessageId, message: 'Of lions',
    });
    await chat.end(anew.generationId);
    for (let i = 0; i < 30; i++)
      await chat.ask({ moduleId: 'm', message: `More ${i}` });
    const page = await openConnected(t, browser, confabd);
    const goTo = async (word) => {
      await page.getByRole('searchbox', { name: 'Search all chats' }).fill(word);
      await page.getByRole('region', { name: 'Search results' }).getByRole('link')
        .filter({ has: page.locator('.snippet', { hasText: `Of ${word}` }) }).last().click();
    };
    const lions = questions(page).getByText('Of lions', { exact: true });
    await goTo('lions');
    await lions.waitFor();

    await chat.call('module:update', { moduleId: 'm', model: 'raw:paced:8000:20' });
    await chat.generate({ moduleId: 'm', message: 'At length' });
    await page.reload();
    await answers(page).filter({ hasText: 't3' }).waitFor();
    await goTo('zebras');
    await page.getByText('This conversation is still being answered.').waitFor();
    assert.equal(await questions(page).filter({ hasText: 'Of zebras' }).count(), 0);
    await goTo('lions');
    await lions.waitFor();
    await button(page, 'Stop').click();
    await waitIdle(page);
    await goTo('zebras');
    await questions(page).filter({ hasText: 'Of zebras' }).waitFor();
    assert.deepEqual(page.complaints, []);
  });

for (const colorScheme of ['light', 'dark'])
  test(`versions fit 320 pixels, and axe finds nothing against them in ${colorScheme} colours`,
    async (t) => {
      const { confabd } = await startWithRaw(t, 'counted');
      const page = await openConnected(t, browser, confabd, {
        colorScheme, viewport: { width: 320, height: 560 },
      });
      await ask(page, 'Hello, and good day, and all that one says before one asks');
      await answerAgain(page);
      await editLast(page, 'Hello, and all that one says before one asks what one wants to');
      await answerAgain(page);
      for (const turn of [questions(page), answers(page)]) {
        await waitForVersion(turn, '2 of 2');
        for (const arrow of [previous(turn), next(turn)]) {
          const { x, width, height } = await arrow.boundingBox();
          assert.ok(x >= 0 && x + width <= 320, `${x} + ${width}`);
          assert.ok(width >= 24 && height >= 24, 'large enough for a finger');
        }
      }
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 320);
      await page.waitForTimeout(300);
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => window.axe.run(document));
      assert.deepEqual(violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
      await shoot(page, `page-versions-narrow-${colorScheme}`);
    });

for (const [locale, before, group, message, send_] of [
  ['de', 'Vorherige Version', 'Versionen', 'Nachricht', 'Senden'],
  ['fr', 'Version précédente', 'Versions', 'Message', 'Envoyer'],
])
  test(`versions speak ${locale}`, async (t) => {
    const { confabd } = await startWithRaw(t, 'counted');
    const page = await openPage(await openBrowser(t, browser, { locale }), confabd.url);
    await page.getByRole('textbox', { name: message, exact: true }).fill('Hallo');
    await button(page, send_).click();
    await turns(page).getByText('Answer number 1.').waitFor();
    const moduleId = page.url().split('/').at(-1);
    const other = await connect(t, confabd);
    await waitFor(async () =>
      (await other.call('ai:chat:regenerate', { moduleId })).ok, { what: 'another answer' });
    await turns(page).getByText('Answer number 2.').waitFor();
    await page.getByRole('group', { name: group })
      .getByRole('button', { name: before }).click();
    await turns(page).getByText('Answer number 1.').waitFor();
    assert.deepEqual(page.complaints, []);
  });
