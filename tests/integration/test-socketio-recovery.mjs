// SPDX-License-Identifier: GPL-3.0-or-later
// A client that lost its connection, and finds again what it was.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { call, connect, connectMany, heard, open, waitForLog } from './lib/stock-client.mjs';

/* Cuts the connection, and waits until the client has noticed. */
async function cut(socket) {
  const gone = once(socket, 'disconnect');
  socket.io.engine.transport.ws._socket.destroy();
  await gone;
}

async function comeBack(socket) {
  const back = once(socket, 'connect');
  socket.connect();
  await back;
}

const RECOVERY = ['--recovery-window', '60000'];

function defineRecovery(mode) {
  test('a client that lost its connection finds id, rooms, data and what it missed', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, RECOVERY);
    const [one, two] = await connectMany(t, echo, 2);
    const { id } = one;
    assert.equal(one.recovered, false);
    await call(one, 'join', 'r');
    await call(one, 'keep', 'this');
    await call(two, 'to-room', 'r', 'before');
    await waitForLog(one, 'room');
    await cut(one);
    await waitFor(async () => (await call(two, 'stats')).sockets === 1, { what: 'the end' });
    await call(two, 'to-room', 'r', 'while away');
    await call(two, 'to-room', 'other', 'not for it');
    await call(two, 'select', 'volatile', 'r', '', 'not kept');
    await comeBack(one);
    assert.equal(one.recovered, true);
    assert.equal(one.id, id);
    assert.deepEqual((await call(one, 'keep', '')), 'this');
    await call(two, 'to-room', 'r', 'after');
    await waitForLog(one, 'room', 3);
    assert.deepEqual(heard(one, 'room').map(([text]) => text), ['before', 'while away', 'after']);
    assert.deepEqual(heard(one, 'selected'), []);
  });

  test('a client that missed more than is kept is a new one', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode,
      [...RECOVERY, '--recovery-max-packets', '5']);
    const [one, two] = await connectMany(t, echo, 2);
    const { id } = one;
    await call(one, 'join', 'r');
    await call(two, 'to-room', 'r', 'before');
    await waitForLog(one, 'room');
    await cut(one);
    await waitFor(async () => (await call(two, 'stats')).sockets === 1, { what: 'the end' });
    for (let i = 0; i < 6; i++)
      await call(two, 'to-room', 'r', `${i}`);
    await comeBack(one);
    assert.equal(one.recovered, false);
    assert.notEqual(one.id, id);
    await call(one, 'keep', '');
    assert.equal(heard(one, 'room').length, 1);
  });

  test('an id without its secret recovers nothing', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, RECOVERY);
    const [one, thief] = await connectMany(t, echo, 2);
    const { id } = one;
    await call(one, 'join', 'r');
    await cut(one);
    await waitFor(async () => (await call(thief, 'stats')).sockets === 1, { what: 'the end' });
    await cut(thief);
    thief._pid = id + thief._pid.slice(id.length);
    await comeBack(thief);
    assert.equal(thief.recovered, false);
    assert.notEqual(thief.id, id);
    await comeBack(one);
    assert.equal(one.recovered, true);
    assert.equal(one.id, id);
  });

  test('who comes back before the server noticed takes the place of the old', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, RECOVERY);
    const old = await connect(t, echo);
    const { id } = old;
    await call(old, 'join', 'r');
    const next = open(t, echo, { autoConnect: false });
    next._pid = old._pid;
    const gone = once(old, 'disconnect');
    await comeBack(next);
    await gone;
    assert.equal(next.recovered, true);
    assert.equal(next.id, id);
    await call(next, 'to-room', 'nobody', '');
    assert.equal((await call(next, 'stats')).sockets, 1);
    assert.equal(await call(next, 'select', '', 'r', '', 'still in'), 1);
  });

  test('what pongs have confirmed is dropped, and is not missed', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, [...RECOVERY, '--ping-interval', '30']);
    const [one, two] = await connectMany(t, echo, 2);
    let pings = 0;
    one.io.engine.on('ping', () => pings++);
    await call(one, 'join', 'r');
    await call(two, 'to-room', 'r', 'first');
    await waitForLog(one, 'room');
    const before = pings;
    await waitFor(() => pings >= before + 3, { what: 'pings' });
    const early = one._lastOffset;
    await call(two, 'to-room', 'r', 'second');
    await waitForLog(one, 'room', 2);
    await cut(one);
    await comeBack(one);
    assert.equal(one.recovered, true);
    assert.equal(heard(one, 'room').length, 2);
    const later = pings;
    one.io.engine.on('ping', () => pings++);
    await call(two, 'to-room', 'r', 'third');
    await waitForLog(one, 'room', 3);
    await waitFor(() => pings >= later + 3, { what: 'pings' });
    /* one that claims to have missed what it confirmed is not believed */
    await cut(one);
    one._lastOffset = early;
    await comeBack(one);
    assert.equal(one.recovered, false);
  });

  test('after the window, and with recovery off, a client is a new one', async (t) => {
    for (const options of [['--recovery-window', '50'], []]) {
      const echo = await startEcho(t, 'socketio-lab', mode, options);
      const one = await connect(t, echo);
      const { id } = one;
      await cut(one);
      await sleep(200);
      await comeBack(one);
      assert.ok(!one.recovered);
      assert.notEqual(one.id, id);
    }
  });
}

inBothModes(defineRecovery);
