// SPDX-License-Identifier: GPL-3.0-or-later
// useAIChat(): versions of a message, and the way from one to another, in all tabs.
import { beforeEach, expect, test } from 'vitest';

import { fromWire, mergeNewest } from '../../src/web/hooks/src/messages.ts';
import { Transcript } from '../../src/web/hooks/src/transcript.ts';
import { act, chatOn, contents, renderChat, startCabled, startWith, until } from './lib.mjs';

const PLAIN = 'The quick brown fox jumps over the lazy dog.';

beforeEach(() => sessionStorage.clear());

const idsOf = (chat) => chat.messages.map(({ id }) => id);
const last = (chat) => chat.messages.at(-1);

async function ask(view, text) {
  const { length } = view.chat.messages;
  await act(() => view.chat.sendMessage(text));
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === length + 2);
}

/** Answers the last question anew; returns what that replaced, and what replaced it. */
async function answerAgain(view) {
  const { id } = last(view.chat);
  await act(() => view.chat.regenerate());
  await until(() => view.chat.status === 'ready' && last(view.chat).id !== id
    && last(view.chat).role === 'assistant');
  return [id, last(view.chat).id];
}

const codeOf = (promise) => promise.then(() => 'ok', ({ code }) => code);

test('another version is gone back to, and what followed it is there again', async () => {
  const { confabd } = await startWith('plain');
  const view = renderChat(chatOn(confabd));
  await ask(view, 'One');
  expect(view.chat.messages.map(({ branches }) => branches)).toEqual([null, null]);
  const [first, second] = await answerAgain(view);
  expect(last(view.chat).branches)
    .toEqual({ index: 2, count: 2, previousId: first, nextId: null });
  await ask(view, 'Two');
  const whole = idsOf(view.chat);

  await act(() => view.chat.switchBranch(first));
  expect(idsOf(view.chat)).toEqual([whole[0], first]);
  expect(last(view.chat).branches)
    .toEqual({ index: 1, count: 2, previousId: null, nextId: second });
  await act(() => view.chat.switchBranch(second));
  expect(idsOf(view.chat)).toEqual(whole);
  expect(view.chat.status).toBe('ready');

  /* and an answer follows the version that is shown */
  await act(() => view.chat.switchBranch(first));
  await ask(view, 'Two, of the first');
  expect(idsOf(view.chat).slice(0, 2)).toEqual([whole[0], first]);
  const lengths = view.seen.map(({ messages }) => messages.length);
  expect(Math.max(...lengths)).toBe(4);
});

test('a question in other words is another version of it, as soon as it is asked', async () => {
  const { confabd } = await startWith('paced:40:20');
  const view = renderChat(chatOn(confabd));
  await ask(view, 'One');
  const [question, answer] = idsOf(view.chat);
  await act(() => void view.chat.regenerate(question, 'Uno'));
  await until(() => view.chat.streamingText);
  expect(view.chat.messages.map(({ content, branches }) => [content, branches])).toEqual([
    ['Uno', { index: 2, count: 2, previousId: question, nextId: null }],
  ]);
  await until(() => view.chat.status === 'ready');
  await act(() => view.chat.switchBranch(question));
  expect(idsOf(view.chat)).toEqual([question, answer]);
  expect(view.chat.messages[0].branches.index).toBe(1);
});

test('other tabs follow, and so does one that comes amid a further answer', async () => {
  const { confabd } = await startWith('paced:40:20');
  const options = chatOn(confabd);
  const one = renderChat(options);
  const two = renderChat({ ...options, auth: { tab: 2 } });
  await ask(one, 'One');
  const [first, second] = await answerAgain(one);
  await until(() => last(two.chat)?.id === second);
  await act(() => one.chat.switchBranch(first));
  await until(() => last(two.chat).id === first);
  expect(two.chat.messages).toEqual(one.chat.messages);
  for (const { messages } of two.seen)
    expect(messages.filter(({ role }) => role === 'assistant').length).toBeLessThan(2);

  await act(() => void two.chat.regenerate());
  await until(() => one.chat.streamingText);
  const three = renderChat({ ...options, auth: { tab: 3 } });
  await until(() => three.chat.status === 'ready' && three.chat.messages.length === 2);
  await until(() => one.chat.status === 'ready' && two.chat.status === 'ready');
  for (const { chat } of [one, two, three])
    expect(last(chat).branches).toEqual({ index: 3, count: 3, previousId: second, nextId: null });
});

test('what cannot be shown is refused with a code, and nothing changes', async () => {
  const { cable } = await startCabled('paced:400:20');
  const view = renderChat(chatOn(cable.url));
  await act(() => view.chat.sendMessage('One'));
  await until(() => view.chat.streamingText);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready');
  const { id } = last(view.chat);
  await act(() => void view.chat.regenerate());
  await until(() => view.chat.streamingText);
  const before = view.chat.messages;
  expect(await codeOf(view.chat.switchBranch(id))).toBe('busy');
  expect(view.chat.messages).toBe(before);
  expect(view.chat.error).toBe(null);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready');
  expect(await codeOf(view.chat.switchBranch('nobody'))).toBe('unknown-message');
  cable.cut();
  await until(() => !view.chat.isConnected);
  expect(await codeOf(view.chat.switchBranch(id))).toBe('offline');
  cable.mend();
  await until(() => view.chat.isConnected);
  await act(() => view.chat.switchBranch(id));
  expect(last(view.chat).id).toBe(id);
});

test('one that was away finds the branch that was chosen meanwhile', async () => {
  const { confabd, cable } = await startCabled('plain');
  const options = chatOn(confabd);
  const one = renderChat(options);
  const two = renderChat({ ...options, url: cable.url });
  await ask(one, 'One');
  const [first] = await answerAgain(one);
  await ask(one, 'Two');
  await until(() => two.chat.messages.length === 4);
  cable.cut();
  await until(() => !two.chat.isConnected);
  await act(() => one.chat.switchBranch(first));
  cable.mend();
  await until(() => last(two.chat).id === first);
  expect(two.chat.messages).toEqual(one.chat.messages);
});

test('a branch that is long is read as far as to the version that was chosen', async () => {
  const { confabd } = await startWith('plain');
  const view = renderChat(chatOn(confabd));
  await ask(view, 'Before');
  await ask(view, 'One');
  const [first, second] = await answerAgain(view);
  for (let i = 0; i < 30; i++)
    await ask(view, `More ${i}`);
  const whole = idsOf(view.chat);
  await act(() => view.chat.switchBranch(first));
  expect(view.chat.messages.length).toBe(4);
  await act(() => view.chat.switchBranch(second));
  expect(idsOf(view.chat)).toEqual(whole);
  expect(view.chat.hasMore).toBe(false);
});

test('a switch amid the reading of older messages mixes nothing up', async () => {
  const { confabd, cable } = await startCabled('plain');
  const options = chatOn(confabd);
  const one = renderChat(options);
  for (let i = 0; i < 8; i++)
    await ask(one, `Question ${i}`);
  const [first, second] = await answerAgain(one);
  for (let i = 0; i < 30; i++)
    await ask(one, `After ${i}`);
  const whole = idsOf(one.chat);
  const two = renderChat({ ...options, url: cable.url });
  await until(() => two.chat.messages.length === 50 && two.chat.hasMore);

  /* what it asks for is decided while the branch is another one, and arrives at once with it */
  cable.hold();
  const older = two.chat.loadMore();
  await act(() => one.chat.switchBranch(first));
  cable.release();
  await older;
  await until(() => last(two.chat).id === first);
  expect(idsOf(two.chat)).toEqual(whole.slice(0, 15).concat(first));

  cable.hold();
  const back = two.chat.loadMore();
  await act(() => one.chat.switchBranch(second));
  cable.release();
  await back;
  await until(() => last(two.chat).id === whole.at(-1));
  expect(idsOf(two.chat)).toEqual(whole.slice(-idsOf(two.chat).length));
  expect(idsOf(two.chat)).toContain(second);
});

test('over HTTP alone it is the same, and other tabs notice it', async () => {
  const { confabd } = await startWith('plain', ['--no-realtime']);
  const options = chatOn(confabd);
  const one = renderChat(options);
  await until(() => one.chat.status === 'ready');
  await ask(one, 'One');
  const [first, second] = await answerAgain(one);
  await until(() => last(one.chat).branches?.index === 2);
  await ask(one, 'Two');
  const two = renderChat({ ...options, auth: { tab: 2 } });
  await until(() => two.chat.messages.length === 4);
  await act(() => one.chat.switchBranch(first));
  expect(last(one.chat).id).toBe(first);
  await until(() => last(two.chat).id === first);
  expect(two.chat.messages).toEqual(one.chat.messages);
  expect(await codeOf(one.chat.switchBranch('nobody'))).toBe('unknown-message');
  await act(() => one.chat.switchBranch(second));
  expect(contents(one.chat)).toEqual(['One', PLAIN, 'Two', PLAIN]);
  await until(() => contents(two.chat).length === 4);
  expect(two.chat.messages).toEqual(one.chat.messages);
});

/* ---- pages of history by themselves ---- */

const page = (...pairs) => pairs.map(([messageId, parentId, branches]) => fromWire({
  messageId, parentId, role: 'user', content: messageId, parts: null, state: 'completed',
  generationId: null, finishReason: null, model: null, usage: null, createdAt: 1,
  ...(branches ? { branches } : {}),
}));
const names = (messages) => messages.map(({ id }) => id).join('');

test('a page joins what is known at a message of it, or at the one before it', () => {
  const known = page(['a', null], ['b', 'a'], ['c', 'b'], ['d', 'c']);
  for (const [newest, expected, joined] of [
    [page(['b', 'a'], ['x', 'b']), 'abx', true],
    [page(['x', 'b'], ['y', 'x']), 'abxy', true],
    [page(['x', null]), 'x', false],
    [page(['x', 'w'], ['y', 'x']), 'xy', false],
  ]) {
    const merged = mergeNewest(known, newest);
    expect([names(merged.messages), merged.joined]).toEqual([expected, joined]);
  }
});

test('a message that got a sibling is another object, and any other is not', () => {
  const known = page(['a', null], ['b', 'a']);
  const branches = { index: 1, count: 2, previousId: null, nextId: 'c' };
  const { messages } = mergeNewest(known, page(['a', null], ['b', 'a', branches]));
  expect(messages[0]).toBe(known[0]);
  expect(messages[1].branches).toEqual(branches);
  expect(mergeNewest(messages, page(['a', null], ['b', 'a', { ...branches }])).messages[1])
    .toBe(messages[1]);
});

test('older messages that do not lead to those that are shown are left out', () => {
  const transcript = new Transcript();
  transcript.applyNewest(page(['c', 'b'], ['d', 'c']), true);
  transcript.applyOlder('c', page(['a', null]), false);
  expect(names(transcript.log)).toBe('cd');
  expect(transcript.hasMore).toBe(true);
  transcript.applyOlder('c', page(['a', null], ['b', 'a']), false);
  expect(names(transcript.log)).toBe('abcd');
  expect(transcript.hasMore).toBe(false);
});
