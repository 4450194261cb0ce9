// SPDX-License-Identifier: GPL-3.0-or-later
// useAIChat(): what a component sees of a conversation, whatever happens to the connection.
import { join } from 'node:path';
import { renderHook } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { useSocket } from '@confab/react';

import { freePort, makeDir } from '../integration/lib/process.mjs';
import { act, chatOn, contents, renderChat, startCabled, startWith, t, until } from './lib.mjs';

const PLAIN = 'The quick brown fox jumps over the lazy dog.';
const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('');

beforeEach(() => sessionStorage.clear());

test('a question is there at once, and its answer streams and ends', async () => {
  const { confabd } = await startWith('slow:20');
  const view = renderChat(chatOn(confabd));
  await until(() => view.chat.status === 'ready');
  expect(await view.chat.sendMessage('Hello')).toBe(true);
  const first = await until(() => view.seen.find(({ messages }) => messages.length > 0));
  expect(contents(first)).toEqual(['Hello']);
  expect(first.messages[0].state).toBe('pending');
  expect(first.status).toBe('submitted');
  await until(() => view.chat.status === 'ready');

  expect(contents(view.chat)).toEqual(['Hello', numbered(20)]);
  const [question, answer] = view.chat.messages;
  expect(question.state).toBe('completed');
  expect(answer).toMatchObject({ role: 'assistant', state: 'completed', parentId: question.id });
  expect(answer.usage.outputTokens).toBe(20);
  const texts = [...new Set(view.seen.map(({ streamingText }) => streamingText))];
  expect(texts.length).toBeGreaterThan(5);
  for (const [i, text] of texts.slice(1, -1).entries())
    expect(texts[i + 2] === '' || texts[i + 2].startsWith(text)).toBe(true);
});

test('never is an answer in two places, or in none', async () => {
  const { confabd } = await startWith('slow:20');
  const view = renderChat(chatOn(confabd), { strict: true });
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.status === 'ready');

  const first = view.seen.findIndex(({ streamingText }) => streamingText);
  for (const { messages, streamingText } of view.seen.slice(first)) {
    const answers = messages.filter(({ role }) => role === 'assistant').length;
    expect(answers + (streamingText ? 1 : 0)).toBe(1);
    expect(messages.filter(({ role }) => role === 'user').length).toBe(1);
  }
});

test('messages are the same objects while an answer streams', async () => {
  const { confabd } = await startWith('slow:20');
  const view = renderChat(chatOn(confabd));
  await act(() => view.chat.sendMessage('One'));
  await until(() => view.chat.status === 'ready');
  await act(() => view.chat.sendMessage('Two'));
  await until(() => view.chat.status === 'ready');

  const streaming = view.seen.filter(({ status, messages }) =>
    status === 'streaming' && messages.length === 3);
  expect(streaming.length).toBeGreaterThan(3);
  expect(new Set(streaming.map(({ messages }) => messages)).size).toBe(1);
  expect(view.chat.messages[0]).toBe(streaming[0].messages[0]);
});

test('reasoning comes apart from the text, and stays with the message', async () => {
  const { confabd } = await startWith('reasoning');
  const options = chatOn(confabd);
  const view = renderChat(options);
  await act(() => view.chat.sendMessage('Why?'));
  await until(() => view.chat.status === 'ready');
  expect(view.chat.messages[1]).toMatchObject({ reasoning: 'Let me think', content: PLAIN });

  const other = renderChat({ ...options, auth: { tab: 2 } });
  await until(() => other.chat.messages.length === 2);
  expect(other.chat.messages[1]).toMatchObject({ reasoning: 'Let me think', content: PLAIN });
});

test('stop ends the answer and keeps its text', async () => {
  const { confabd } = await startWith('slow:500');
  const view = renderChat(chatOn(confabd));
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.streamingText.length > 20);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready');
  const answer = view.chat.messages[1];
  expect(answer).toMatchObject({ state: 'stopped', finishReason: 'stopped' });
  expect(answer.content.length).toBeGreaterThan(20);
  expect(numbered(500).startsWith(answer.content)).toBe(true);
});

test('regenerate answers anew, and an edit replaces the question', async () => {
  const { confabd } = await startWith('echo');
  const view = renderChat(chatOn(confabd));
  await act(() => view.chat.sendMessage('One'));
  await until(() => view.chat.status === 'ready');
  await act(() => view.chat.sendMessage('Two'));
  await until(() => view.chat.status === 'ready');
  const [one, answer] = view.chat.messages;

  await act(() => view.chat.regenerate());
  await until(() => view.chat.status === 'ready');
  expect(contents(view.chat)).toEqual([
    'One', 'user: One\n', 'Two', 'user: One\nassistant: user: One\n\nuser: Two\n',
  ]);
  expect(view.chat.messages[0]).toBe(one);

  await act(() => void view.chat.regenerate(answer.id, 'Uno'));
  /* at once, with the answer if that was as quick */
  expect(contents(view.chat)).toEqual(['Uno', 'user: Uno\n'].slice(0, view.chat.messages.length));
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
  expect(contents(view.chat)).toEqual(['Uno', 'user: Uno\n']);
  expect(view.chat.messages[0].id).not.toBe(one.id);
});

test('another tab sees the question and the answer as they come', async () => {
  const { confabd } = await startWith('slow:30');
  const options = chatOn(confabd);
  const one = renderChat(options);
  const two = renderChat({ ...options, auth: { tab: 2 } });
  await until(() => two.chat.status === 'ready');
  await act(() => one.chat.sendMessage('Hello'));
  await until(() => two.chat.streamingText.length > 10);
  expect(contents(two.chat)).toEqual(['Hello']);
  await until(() => two.chat.status === 'ready' && one.chat.status === 'ready');
  expect(two.chat.messages.map(({ id }) => id)).toEqual(one.chat.messages.map(({ id }) => id));
  expect(contents(two.chat)).toEqual(['Hello', numbered(30)]);

  await act(() => two.chat.regenerate());
  await until(() => one.chat.status === 'ready' && two.chat.status === 'ready');
  await until(() => one.chat.messages[1]?.id === two.chat.messages[1]?.id);
  expect(contents(one.chat)).toEqual(['Hello', numbered(30)]);
});

test('a busy conversation refuses, says why, and takes the question back', async () => {
  const { confabd } = await startWith('slow:300');
  const options = chatOn(confabd);
  const one = renderChat(options);
  await act(() => one.chat.sendMessage('One'));
  let accepted;
  await act(async () => { accepted = await one.chat.sendMessage('Two'); });
  expect(accepted).toBe(false);
  expect(one.chat.error.code).toBe('busy');
  expect(contents(one.chat)).toEqual(['One']);
  await act(() => one.chat.stop());
  await until(() => !['submitted', 'streaming'].includes(one.chat.status));
});

test('a conversation that was asked for too fast is there a moment later, and so is its answer',
  async () => {
    const { confabd } = await startWith('paced:150:20', [], {
      config: '[confab]\nclient-rate=1\n',
    });
    const options = chatOn(confabd);
    const one = renderChat(options);
    await act(() => one.chat.sendMessage('Hello'));
    await until(() => one.chat.streamingText.length > 10);

    const auth = { tab: 2 };
    const { result } = renderHook(() => useSocket({ url: confabd.origin, auth }));
    await until(() => result.current.isConnected);
    const acks = await Promise.all(Array.from({ length: 15 },
      () => result.current.call('server:info', {})));
    expect(acks.at(-1).code).toBe('rate-limited');
    const two = renderChat({ ...options, auth });
    await until(() => two.chat.isLoaded && two.chat.streamingText.length > 10);
    expect(contents(two.chat)).toEqual(['Hello']);
    await until(() => two.chat.status === 'ready');
    expect(contents(two.chat)).toEqual(['Hello', numbered(150)]);
    expect(two.seen.some(({ error }) => error)).toBe(false);
  });

test('a failure of the upstream ends the answer with its text and a reason', async () => {
  const { confabd } = await startWith('error-in-data');
  const view = renderChat(chatOn(confabd));
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.status === 'error');
  expect(view.chat.messages[1]).toMatchObject({ state: 'failed', content: 'The' });
  expect(view.chat.messages[1].error.code).toBe(view.chat.error.code);
  expect(view.chat.error.message).toMatch(/\w+ \w+/);
});

test('a cut network loses nothing: what runs continues without gap or repeat', async () => {
  const { cable } = await startCabled('paced:120:20');
  const view = renderChat(chatOn(cable.url));
  await act(() => view.chat.sendMessage('Hello'));
  for (let i = 0; i < 3; i++) {
    const before = view.chat.streamingText.length;
    await until(() => view.chat.streamingText.length > before + 20);
    cable.cut();
    await until(() => !view.chat.isConnected);
    cable.mend();
    await until(() => view.chat.isConnected);
  }
  await until(() => view.chat.status === 'ready');
  expect(contents(view.chat)).toEqual(['Hello', numbered(120)]);
  for (const { streamingText } of view.seen)
    expect(numbered(120).startsWith(streamingText)).toBe(true);
});

test('an end that came while the network was cut is learnt afterwards', async () => {
  const { cable } = await startCabled('paced:30:20');
  const view = renderChat(chatOn(cable.url));
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.streamingText);
  cable.cut();
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  cable.mend();
  await until(() => view.chat.messages[1]?.usage);
  expect(view.chat.status).toBe('ready');
  expect(contents(view.chat)).toEqual(['Hello', numbered(30)]);
  expect(view.chat.messages[1].usage.outputTokens).toBe(30);
});

test('what is asked without a network is asked when it is back, once', async () => {
  const { cable } = await startCabled('plain');
  const view = renderChat(chatOn(cable.url));
  await until(() => view.chat.status === 'ready');
  cable.cut();
  await until(() => !view.chat.isConnected);
  await act(() => void view.chat.sendMessage('Are you there?'));
  expect(view.chat.status).toBe('submitted');
  cable.mend();
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
  expect(contents(view.chat)).toEqual(['Are you there?', PLAIN]);
});

test('a network cut at any moment around the asking makes neither two questions nor none',
  async () => {
    const { cable, confabd } = await startCabled('plain');
    const options = chatOn(cable.url);
    const view = renderChat(options);
    await until(() => view.chat.status === 'ready');
    const asked = [];
    for (let i = 0; i < 8; i++) {
      const text = `Question ${i}`;
      asked.push(text, PLAIN);
      await until(() => view.chat.isConnected);
      await act(() => void view.chat.sendMessage(text));
      await new Promise((resolve) => { setTimeout(resolve, i); });
      cable.cut();
      await until(() => !view.chat.isConnected);
      cable.mend();
      await until(() => view.chat.status === 'ready' && view.chat.messages.length === asked.length);
    }
    expect(contents(view.chat)).toEqual(asked);
    const other = renderChat({ ...options, url: confabd.origin });
    await until(() => other.chat.messages.length === asked.length);
    expect(contents(other.chat)).toEqual(asked);
  });

test('confabd restarted amid an answer: it ends as interrupted, with its text', async () => {
  const dir = join(await makeDir(t), 'data');
  const port = String(await freePort());
  const { confabd, start } = await startWith('slow:500', ['--data-dir', dir, '--port', port]);
  const view = renderChat(chatOn(confabd));
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.streamingText.length > 20);
  await confabd.stop();
  await start();
  await until(() => view.chat.isConnected && view.chat.messages.length === 2);
  const [question, answer] = view.chat.messages;
  expect(question.content).toBe('Hello');
  expect(answer.state).toBe('interrupted');
  expect(answer.content.length).toBeGreaterThan(10);
  await act(() => view.chat.regenerate());
  await until(() => view.chat.streamingText);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready');
});

test('a reload amid an answer continues it, and one before the answer asks again', async () => {
  const { cable, confabd } = await startCabled('paced:60:20');
  const options = chatOn(confabd);
  const first = renderChat(options);
  await act(() => first.chat.sendMessage('Hello'));
  await until(() => first.chat.streamingText.length > 20);
  first.unmount();
  const second = renderChat({ ...options, auth: { reloaded: true } });
  await until(() => second.chat.streamingText.length > 20);
  await until(() => second.chat.status === 'ready');
  expect(contents(second.chat)).toEqual(['Hello', numbered(60)]);

  const third = renderChat({ ...options, url: cable.url });
  await until(() => third.chat.status === 'ready');
  cable.cut();
  await until(() => !third.chat.isConnected);
  await act(() => void third.chat.sendMessage('Unsent'));
  third.unmount();
  cable.mend();
  const fourth = renderChat({ ...options, url: cable.url, auth: { reloaded: true } });
  await until(() => fourth.chat.status === 'ready' && fourth.chat.messages.length === 4);
  expect(contents(fourth.chat)).toEqual(['Hello', numbered(60), 'Unsent', numbered(60)]);
});

test('an answer that arrives in one piece with its ack is over all the same', async () => {
  const { confabd, cable } = await startCabled('plain');
  const options = chatOn(cable.url);
  const view = renderChat(options);
  await until(() => view.chat.status === 'ready');
  const call = async (name, payload) => (await fetch(`${confabd.origin}/api/call/${name}`, {
    method: 'POST', body: JSON.stringify(payload), headers: { 'Content-Type': 'application/json' },
  })).json();
  const isOver = async (last) => {
    const { messages = [] } = await call('ai:chat:history', { moduleId: options.moduleId });
    const answer = messages.at(-1);
    return answer?.state === 'completed' && answer.role === 'assistant'
      && answer.messageId !== last;
  };
  for (const [ask, length] of [
    [() => view.chat.sendMessage('Hello'), 2],
    [() => view.chat.regenerate(), 2],
    [() => view.chat.sendMessage('Again'), 4],
  ]) {
    const last = view.chat.messages.at(-1)?.id;
    cable.hold();
    const accepted = ask();
    await vi.waitFor(async () => expect(await isOver(last)).toBe(true), { timeout: 20000 });
    /* until all of it is on the cable */
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    cable.release();
    expect(await accepted).toBe(true);
    await until(() => view.chat.status === 'ready' && view.chat.messages.length === length);
    expect(view.chat.messages.at(-1).id).not.toBe(last);
    expect(view.chat.messages.at(-1).role).toBe('assistant');
  }
});

test('what was told after the history was read is not lost by that', async () => {
  const { confabd, cable } = await startCabled('plain');
  const options = chatOn(confabd);
  const one = renderChat(options);
  const way = { url: cable.url, transports: ['polling'] };
  const two = renderChat({ ...options, ...way });
  const { result } = renderHook(() => useSocket(way));
  await until(() => one.chat.status === 'ready' && two.chat.status === 'ready');
  for (const length of [2, 4]) {
    cable.hold();
    /* the request that waits takes this; all else comes in one piece with the next */
    const info = result.current.call('server:info', {});
    const reloaded = two.chat.reload();
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    await act(() => one.chat.sendMessage('Hello'));
    await until(() => one.chat.status === 'ready' && one.chat.messages.length === length);
    /* until all of it is on the cable */
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    cable.release();
    await Promise.all([info, reloaded]);
    await until(() => two.chat.status === 'ready' && two.chat.messages.length === length);
  }
  expect(contents(two.chat)).toEqual(contents(one.chat));
});

test('older messages come in pages, without gap', async () => {
  const { confabd } = await startWith('plain');
  const options = chatOn(confabd);
  const view = renderChat(options);
  for (let i = 0; i < 40; i++) {
    await act(() => view.chat.sendMessage(`Question ${i}`));
    await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2 * i + 2);
  }
  const other = renderChat({ ...options, auth: { tab: 2 } });
  await until(() => other.chat.messages.length === 50);
  expect(other.chat.hasMore).toBe(true);
  await act(() => other.chat.loadMore());
  expect(other.chat.hasMore).toBe(false);
  expect(contents(other.chat)).toEqual(contents(view.chat));
});

test('over polling alone everything is the same', async () => {
  const { confabd } = await startWith('slow:30');
  const view = renderChat(chatOn(confabd, { transports: ['polling'] }));
  await act(() => view.chat.sendMessage('Hello'));
  await until(() => view.chat.status === 'ready');
  expect(contents(view.chat)).toEqual(['Hello', numbered(30)]);
});
