// SPDX-License-Identifier: GPL-3.0-or-later
// A confabd for each test, and hooks that are rendered against it.
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';

import { StrictMode } from 'react';
import { renderHook } from '@testing-library/react';
import { expect, onTestFinished, vi } from 'vitest';

import { useAIChat } from '@confab/react';

import { startConfabd } from '../integration/lib/confabd.mjs';
import { startRawUpstream } from '../integration/lib/upstreams.mjs';

/* as in a browser: what changes is rendered in its own time, and tests wait for it */
globalThis.IS_REACT_ACT_ENVIRONMENT = false;

/** Does something, and lets the components render what comes of it at once. */
export async function act(action) {
  const result = await action();
  await new Promise((resolve) => { setTimeout(resolve, 0); });
  return result;
}

/* node:test hands a context with after(); Vitest has this instead */
export const t = { after: (end) => onTestFinished(end) };

/** A confabd for development whose model is the raw upstream's of that name. */
export async function startWith(behaviour, args = [], options = {}) {
  const upstream = await startRawUpstream(t);
  const model = ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model',
    `raw:${behaviour}`];
  const start = (more = [], owner = t) =>
    startConfabd(owner, ['--dev', ...model, ...args, ...more], options);
  return { upstream, start, confabd: await start([], options.mortal ? null : t) };
}

let count = 0;

/** Options of a conversation that no other test has. */
export function chatOn(confabd, more = {}) {
  return { url: confabd.origin ?? confabd, moduleId: `m${process.pid}-${count++}`, ...more };
}

/**
 * useAIChat() as it is rendered; `seen` is every state that a component got to see, in order.
 */
export function renderChat(options, { strict = false } = {}) {
  const seen = [];
  const { result, unmount, rerender } = renderHook((props) => {
    const chat = useAIChat(props);
    seen.push(chat);
    return chat;
  }, { initialProps: options, wrapper: strict ? StrictMode : undefined });
  return { result, seen, unmount, rerender, get chat() { return result.current; } };
}

export function until(condition) {
  return vi.waitFor(() => {
    const value = condition();
    expect(value).toBeTruthy();
    return value;
  }, { timeout: 20000, interval: 5 });
}

export const contents = (chat) => chat.messages.map(({ content }) => content);

/**
 * A TCP port that leads to another one, and can be cut and mended like a network. `hostArgs` let
 * confabd answer to its name; `port` is where it leads.
 */
export async function startCable() {
  const pairs = new Set();
  let isCut = false;
  let isForbidden = () => false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connectTcp(cable.port, '127.0.0.1');
    const pair = [near, far];
    near.once('data', (head) => {
      pair.head = head.toString('latin1');
      if (isForbidden(pair.head))
        near.destroy();
    });
    pairs.add(pair);
    for (const [socket, other] of [[near, far], [far, near]]) {
      socket.on('error', () => {});
      socket.on('close', () => { other.destroy(); pairs.delete(pair); });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const pair of pairs)
      pair.forEach((socket) => socket.destroy());
  };
  /* as a proxy that lets through only what it understands */
  const forbid = (path) => {
    isForbidden = (head) => head.split('\r\n')[0].includes(path);
    for (const pair of pairs)
      if (isForbidden(pair.head ?? ''))
        pair.forEach((socket) => socket.destroy());
  };
  onTestFinished(() => { cut(); server.close(); });
  const host = `127.0.0.1:${server.address().port}`;
  const cable = {
    port: 0,
    url: `http://${host}`,
    hostArgs: ['--allow-host', host],
    cut,
    forbid,
    /* what comes meanwhile arrives in one piece afterwards */
    hold: () => pairs.forEach(([, far]) => far.pause()),
    release: () => pairs.forEach(([, far]) => far.resume()),
    mend: () => { isCut = false; isForbidden = () => false; },
    get connections() { return pairs.size; },
  };
  return cable;
}

/** startWith() at the end of a cable. */
export async function startCabled(behaviour) {
  const cable = await startCable();
  const { confabd } = await startWith(behaviour, cable.hostArgs);
  cable.port = confabd.port;
  return { confabd, cable };
}
