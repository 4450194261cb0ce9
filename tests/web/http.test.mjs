// SPDX-License-Identifier: GPL-3.0-or-later
// useAIChat() where there is no Socket.IO: a confabd with --no-realtime, or a network that lets
// neither WebSocket nor polling through.
import { renderHook } from '@testing-library/react';
import { beforeEach, expect, test } from 'vitest';

import { useSocket } from '@confab/react';

import {
  act, chatOn, contents, renderChat, startCable, startCabled, startWith, until,
} from './lib.mjs';

const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('');
const start = (behaviour) => startWith(behaviour, ['--no-realtime']);

beforeEach(() => sessionStorage.clear());

test('a question is asked over HTTP, and its answer streams and ends', async () => {
  const { confabd } = await start('slow:40');
  const view = renderChat(chatOn(confabd));
  await until(() => view.chat.isConnected && view.chat.status === 'ready');
  expect(await view.chat.sendMessage('Hello')).toBe(true);
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
  expect(contents(view.chat)).toEqual(['Hello', numbered(40)]);
  const texts = new Set(view.seen.map(({ streamingText }) => streamingText));
  expect(texts.size).toBeGreaterThan(5);
  await until(() => view.chat.messages[1].usage);
  expect(view.chat.messages[1].usage.outputTokens).toBe(40);
});

test('stop, regenerate and an edit work the same', async () => {
  const { confabd } = await start('slow:300');
  const view = renderChat(chatOn(confabd));
  await until(() => view.chat.isConnected && view.chat.status === 'ready');
  await act(() => view.chat.sendMessage('One'));
  await until(() => view.chat.streamingText.length > 10);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready');
  expect(view.chat.messages[1].state).toBe('stopped');

  const { id } = view.chat.messages[1];
  await act(() => view.chat.regenerate());
  await until(() => view.chat.streamingText.length > 10);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
  expect(view.chat.messages[1].id).not.toBe(id);

  await act(() => view.chat.regenerate(undefined, 'Uno'));
  await until(() => view.chat.streamingText.length > 10);
  await act(() => view.chat.stop());
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
  expect(view.chat.messages[0].content).toBe('Uno');
});

test('a reload amid an answer takes it up again, whole', async () => {
  const { confabd } = await start('paced:100:20');
  const options = chatOn(confabd);
  const first = renderChat(options);
  await until(() => first.chat.isConnected && first.chat.status === 'ready');
  await act(() => first.chat.sendMessage('Hello'));
  await until(() => first.chat.streamingText.length > 20);
  first.unmount();
  const second = renderChat({ ...options, auth: { reloaded: true } });
  await until(() => second.chat.streamingText.length > 20);
  await until(() => second.chat.status === 'ready' && second.chat.messages.length === 2);
  expect(contents(second.chat)).toEqual(['Hello', numbered(100)]);
});

test('a network that lets no Socket.IO through: HTTP takes over amid an answer, and gives back',
  async () => {
    const { confabd, cable } = await startCabled('paced:400:20');
    const options = chatOn(cable.url);
    const socket = renderHook(() => useSocket({ url: cable.url }));
    const view = renderChat(options);
    await until(() => view.chat.isConnected && view.chat.status === 'ready');
    await act(() => view.chat.sendMessage('Hello'));
    await until(() => view.chat.streamingText.length > 20);
    cable.forbid('/api/socket');
    await until(() => socket.result.current.transport === 'http');
    const before = view.chat.streamingText.length;
    await until(() => view.chat.streamingText.length > before + 20);
    cable.mend();
    await until(() => ['polling', 'websocket'].includes(socket.result.current.transport));
    const after = view.chat.streamingText.length;
    await until(() => view.chat.streamingText.length > after + 20 || view.chat.status === 'ready');
    await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
    expect(contents(view.chat)).toEqual(['Hello', numbered(400)]);
    for (const { streamingText } of view.seen)
      expect(numbered(400).startsWith(streamingText)).toBe(true);
    expect(confabd.hasExited).toBe(false);
  });

test('where HTTP is all there is, a restart of confabd is noticed and got over', async () => {
  const cable = await startCable();
  const { confabd, start: startAnew } = await startWith('plain',
    ['--no-realtime', ...cable.hostArgs], { mortal: true });
  cable.port = confabd.port;
  const view = renderChat(chatOn(cable.url));
  await until(() => view.chat.isConnected && view.chat.status === 'ready');
  await confabd.stop();
  await until(() => !view.chat.isConnected);
  cable.port = (await startAnew()).port;
  await until(() => view.chat.isConnected);
  expect(await view.chat.sendMessage('Hello')).toBe(true);
  await until(() => view.chat.status === 'ready' && view.chat.messages.length === 2);
});
