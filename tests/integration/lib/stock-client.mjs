// SPDX-License-Identifier: GPL-3.0-or-later
// The stock client of Socket.IO beside a conformance program.
import { once } from 'node:events';

import { io } from 'socket.io-client';

import { waitFor } from './process.mjs';

const PATIENCE = 20000;

/** Opens a socket that is closed at the end of the test, and keeps all it hears in its `log`. */
export function open(t, echo, { nsp = '/', ...options } = {}) {
  const socket = io(`${echo.origin}${nsp}`, { path: echo.path, forceNew: true,
    reconnection: false, transports: ['websocket'], ...options });
  t.after(() => socket.disconnect());
  /* every event with its arguments, in order */
  socket.log = [];
  socket.onAny((name, ...args) => socket.log.push([name, ...args]));
  return socket;
}

/** The same, and waits until it is in. */
export async function connect(t, echo, options) {
  const socket = open(t, echo, options);
  await Promise.race([once(socket, 'connect'),
    once(socket, 'connect_error').then(([error]) => { throw error; })]);
  return socket;
}

export async function connectMany(t, echo, count, options) {
  return Promise.all(Array.from({ length: count }, () => connect(t, echo, options)));
}

/** Emits, and waits for the ack. */
export function call(socket, event, ...args) {
  return socket.timeout(PATIENCE).emitWithAck(event, ...args);
}

/** The arguments of each event of that name so far. */
export function heard(socket, name) {
  return socket.log.filter(([event]) => event === name).map(([, ...args]) => args);
}

export async function waitForLog(socket, name, count = 1) {
  await waitFor(() => heard(socket, name).length >= count, { timeout: PATIENCE, interval: 2,
    what: `${count} of ${name}` });
  return heard(socket, name);
}

/** Of socketio-lab: a socket that can tell about the others. */
export async function connectWatcher(t, echo) {
  const watcher = await connect(t, echo);
  await call(watcher, 'join', 'watchers');
  return watcher;
}
