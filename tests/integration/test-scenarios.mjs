// SPDX-License-Identifier: GPL-3.0-or-later
// The list of scenarios.json with the JavaScript clients; test_scenarios.py is the other half.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { Socket as EngineSocket } from 'engine.io-client';
import io2 from 'sc2';
import { io as io3 } from 'sc3';
import { io as io4 } from 'socket.io-client';

import { startEcho, test } from './lib/echo.mjs';
import { waitFor } from './lib/process.mjs';

const { scenarios } = JSON.parse(readFileSync(new URL('scenarios.json', import.meta.url), 'utf8'));
const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];

/** What the notation of the list stands for. */
function revive(value) {
  if (Array.isArray(value))
    return value.map(revive);
  if (value === null || typeof value !== 'object')
    return value;
  if ('$bytes' in value)
    return Buffer.from(value.$bytes, 'hex');
  if ('$zeros' in value)
    return Buffer.alloc(value.$zeros);
  if ('$text' in value)
    return value.$text[0].repeat(value.$text[1]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

/** With the number of the event behind the arguments, so that none is taken for another. */
const numbered = (scenario) => Array.from({ length: scenario.times ?? 1 },
  (_, n) => [...revive(scenario.args), n]);

function upgraded(engine, transports) {
  return waitFor(() => engine.transport.name === transports.at(-1),
    { timeout: 20000, interval: 5, what: `the transport ${transports.at(-1)}` });
}

async function runSocket(t, io, echo, scenario, transports) {
  const socket = io(`${echo.origin}${scenario.namespace ?? '/'}`, { path: echo.path,
    forceNew: true, reconnection: false, transports, auth: scenario.auth });
  t.after(() => socket.close());
  const [greeting] = await once(socket, 'auth');
  /* there is no such payload in protocol 3 */
  if (scenario.auth && io !== io2)
    assert.deepEqual(greeting, scenario.auth);
  const all = numbered(scenario);
  const heard = [];
  if (scenario.way === 'ack')
    all.forEach((args) => socket.emit('message-with-ack', ...args, (...got) => heard.push(got)));
  else {
    socket.on('message-back', (...got) => heard.push(got));
    all.forEach((args) => socket.emit('message', ...args));
  }
  await waitFor(() => heard.length >= all.length, { timeout: 20000, interval: 2,
    what: `${all.length} answers` });
  assert.deepEqual(heard, all);
  await upgraded(socket.io.engine, transports);
  const gone = once(socket, 'disconnect');
  socket.close();
  assert.equal((await gone)[0], 'io client disconnect');
}

async function runEngine(t, echo, scenario, transports) {
  const socket = new EngineSocket(echo.origin, { path: echo.path, transports });
  t.after(() => socket.close());
  await once(socket, 'open');
  const all = numbered(scenario).flat().map((arg) =>
    (Buffer.isBuffer(arg) ? arg : JSON.stringify(arg)));
  const heard = [];
  socket.on('message', (message) => heard.push(message));
  all.forEach((message) => socket.send(message));
  await waitFor(() => heard.length >= all.length, { timeout: 20000, interval: 2,
    what: `${all.length} messages` });
  assert.deepEqual(heard, all);
  await upgraded(socket, transports);
  const gone = once(socket, 'close');
  socket.close();
  assert.equal((await gone)[0], 'forced close');
}

const CLIENTS = {
  'socket.io-client 4': ['socketio-echo', (...rest) => runSocket(rest[0], io4, ...rest.slice(1))],
  'socket.io-client 3': ['socketio-echo', (...rest) => runSocket(rest[0], io3, ...rest.slice(1))],
  'socket.io-client 2': ['socketio-echo', (...rest) => runSocket(rest[0], io2, ...rest.slice(1))],
  'engine.io-client': ['engineio-echo', runEngine],
};

for (const [client, [program, run]] of Object.entries(CLIENTS)) {
  for (const transports of TRANSPORTS) {
    test(`${client} over ${transports.join(', then ')}`, async (t) => {
      const echo = await startEcho(t, program, 'own', ['--allow-eio3']);
      for (const scenario of scenarios) {
        await t.test(`${client} over ${transports.join(', then ')}: ${scenario.name}`, (inner) =>
          run(inner, echo, scenario, transports));
      }
      await echo.waitForIdleFds();
    });
  }
}
