// SPDX-License-Identifier: GPL-3.0-or-later
// useSocket(): one connection for all that name it, as long as anybody does.
import { StrictMode } from 'react';
import { renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';

import { useSocket } from '@confab/react';

import { startConfabd } from '../integration/lib/confabd.mjs';
import { freePort } from '../integration/lib/process.mjs';
import { startCable, t, until } from './lib.mjs';

const render = (options, more) => renderHook(() => useSocket(options), more);
/** A cable with a confabd at its end. */
async function startCabled() {
  const cable = await startCable();
  cable.port = (await start('--dev', ...cable.hostArgs)).port;
  return cable;
}

const start = (...args) => startConfabd(t, ['--provider', 'builtin', ...args]);

test('it tells the transport and how far it is', async () => {
  const confabd = await start('--dev');
  const { result } = render({ url: confabd.origin });
  expect(result.current.isConnected).toBe(false);
  await until(() => result.current.isConnected);
  expect(result.current.error).toBe(null);
  await until(() => result.current.transport === 'websocket');
  const info = await result.current.call('server:info', {});
  expect(info.protocol).toBe(1);
});

test('components share one connection, and StrictMode and remounts make no other', async () => {
  const cable = await startCabled();
  const options = { url: cable.url, transports: ['websocket'] };
  const one = render(options, { wrapper: StrictMode });
  const two = render(options);
  await until(() => one.result.current.isConnected && two.result.current.isConnected);
  expect(one.result.current.socket).toBe(two.result.current.socket);
  const { id } = one.result.current.socket;
  one.unmount();
  two.unmount();
  const three = render(options, { wrapper: StrictMode });
  await until(() => three.result.current.isConnected);
  expect(three.result.current.socket.id).toBe(id);
  expect(cable.connections).toBe(1);
});

test('the last one closes it', async () => {
  const cable = await startCabled();
  const { result, unmount } = render({ url: cable.url });
  await until(() => result.current.transport === 'websocket');
  unmount();
  await until(() => cable.connections === 0);
});

test('without the token it says so, and with it it gets in', async () => {
  const confabd = await start();
  const stranger = render({ url: `http://127.0.0.1:${confabd.port}` });
  await until(() => stranger.result.current.error);
  expect(stranger.result.current.error.code).toBe('unauthorized');
  expect(stranger.result.current.isConnected).toBe(false);
});

test('a confabd that is not there yet is found when it is', async () => {
  const port = await freePort();
  const { result } = render({ url: `http://127.0.0.1:${port}` });
  await until(() => result.current.error);
  expect(result.current.error.code).toBe('unreachable');
  await start('--dev', '--port', String(port));
  await until(() => result.current.isConnected);
  expect(result.current.error).toBe(null);
});
