// SPDX-License-Identifier: GPL-3.0-or-later
// Rooms, and whom an event reaches: the application says to whom, a filter what.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { memoryOf, sleep, waitFor } from './lib/process.mjs';
import { call, connect, connectMany, heard, open, waitForLog } from './lib/stock-client.mjs';
import { Polling, fetchRaw } from './lib/wire.mjs';

const MIB = 1024 * 1024;
/* long enough for what must not come */
const SILENCE = 150;

function defineRooms(mode) {
  test('a room hears what is said to it, but the one who says it', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [a, b, c, d] = [...await connectMany(t, echo, 3),
      await connect(t, echo, { transports: ['polling'] })];
    for (const socket of [a, b, d])
      assert.equal(await call(socket, 'join', 'r'), 1);
    await call(a, 'to-room', 'r', 'hello');
    assert.deepEqual(await waitForLog(b, 'room'), [['hello']]);
    assert.deepEqual(await waitForLog(d, 'room'), [['hello']]);
    await sleep(SILENCE);
    assert.deepEqual([a, b, c, d].map((socket) => heard(socket, 'room').length), [0, 1, 0, 1]);
  });

  test('one who is not in the room may speak to it', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [a, b] = await connectMany(t, echo, 2);
    await call(b, 'join', 'r');
    await call(a, 'to-room', 'r', 'from outside');
    assert.deepEqual(await waitForLog(b, 'room'), [['from outside']]);
  });

  test('who left a room, or came twice, hears it never or once', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [a, b, c] = await connectMany(t, echo, 3);
    for (const socket of [b, c, c])
      await call(socket, 'join', 'r');
    assert.equal(await call(b, 'leave', 'r'), 0);
    assert.equal(await call(b, 'leave', 'never joined'), 0);
    await call(a, 'to-room', 'r', 'x');
    await waitForLog(c, 'room');
    await sleep(SILENCE);
    assert.deepEqual([heard(b, 'room').length, heard(c, 'room').length], [0, 1]);
  });

  test('rooms go with their last member', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const a = await connect(t, echo);
    for (let i = 0; i < 200; i += 1)
      await call(a, 'join', `room ${i}`);
    a.disconnect();
    const b = await connect(t, echo);
    await waitFor(async () => (await call(b, 'stats')).sockets === 1, { what: 'one socket' });
    assert.equal(await call(b, 'to-room', 'room 7', 'x'), 1);
  });

  test('a broadcast with binary reaches all, over each transport', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const sockets = [...await connectMany(t, echo, 10),
      ...await connectMany(t, echo, 5, { transports: ['polling'] })];
    await call(sockets[0], 'to-all', { part: Buffer.from([1, 2]) }, 'and text');
    for (const socket of sockets) {
      assert.deepEqual(await waitForLog(socket, 'all'),
        [[{ part: Buffer.from([1, 2]) }, 'and text']]);
    }
  });

  test('every receiver hears 500 broadcasts in order', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const sockets = [...await connectMany(t, echo, 20),
      ...await connectMany(t, echo, 5, { transports: ['polling'] })];
    for (let i = 0; i < 500; i += 1)
      sockets[0].emit('to-all', i);
    for (const socket of sockets) {
      const all = await waitForLog(socket, 'all', 500);
      assert.deepEqual(all.map(([n]) => n), Array.from({ length: 500 }, (_, i) => i));
    }
  });
}

function defineSelection(mode) {
  test('an event goes to rooms, once to each, but not to those excepted', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [one, two, three, four] = await connectMany(t, echo, 4);
    for (const [socket, room] of [[one, 'a'], [one, 'b'], [two, 'a'], [three, 'b'], [three, 'c']])
      await call(socket, 'join', room);
    assert.equal(await call(four, 'select', '', 'a,b', '', 'union'), 3);
    assert.equal(await call(four, 'select', '', 'a,b', 'c', 'less c'), 2);
    assert.equal(await call(four, 'select', '', 'a', two.id, 'less an id'), 1);
    assert.equal(await call(four, 'select', 'volatile', 'b', '', 'volatile'), 2);
    /* what was sent before is there with the answer that follows it */
    await Promise.all([one, two, three, four].map((socket) => call(socket, 'keep', '')));
    assert.deepEqual(heard(one, 'selected'),
      [['union'], ['less c'], ['less an id'], ['volatile']]);
    assert.deepEqual(heard(two, 'selected'), [['union'], ['less c']]);
    assert.deepEqual(heard(three, 'selected'), [['union'], ['volatile']]);
    assert.deepEqual(heard(four, 'selected'), []);
  });

  test('all of a room are asked, moved and disconnected', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [one, two, three] = await connectMany(t, echo, 3);
    for (const socket of [one, two])
      await call(socket, 'join', 'a');
    for (const socket of [one, two])
      socket.on('question', (...args) => args.at(-1)('yes'));
    three.emit('ask-all', 'a', 60000);
    assert.deepEqual(await waitForLog(three, 'asked-all'), [[2, 'all']]);
    two.off('question');
    three.emit('ask-all', 'a', 200);
    assert.deepEqual((await waitForLog(three, 'asked-all', 2))[1], [1, 'timed-out']);
    three.emit('ask-all', 'empty', 60000);
    assert.deepEqual((await waitForLog(three, 'asked-all', 3))[2], [0, 'all']);
    await call(three, 'move', 'a', 'b');
    assert.equal(await call(three, 'select', '', 'a', '', ''), 0);
    assert.equal(await call(three, 'select', '', 'b', '', ''), 2);
    const gone = [one, two].map((socket) => once(socket, 'disconnect'));
    await call(three, 'dismiss', 'b');
    for (const [reason] of await Promise.all(gone))
      assert.equal(reason, 'io server disconnect');
    assert.equal((await call(three, 'stats')).sockets, 1);
  });

  test('many join and leave several rooms in one call', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [one, two, three] = await connectMany(t, echo, 3);
    assert.equal(await call(one, 'join-rooms', 'a,b,c'), 3);
    assert.equal(await call(two, 'join-rooms', 'a'), 1);
    /* who leaves the room by which it was selected leaves the others too */
    assert.equal(await call(three, 'swap', 'a', 'a,d,e'), 0);
    for (const room of ['a', 'd', 'e'])
      assert.equal(await call(three, 'select', '', room, '', ''), 0);
    assert.equal(await call(three, 'select', '', 'b,c', '', ''), 1);
  });

  test('an answer to a poll is compressed unless the application says no', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const text = 'x'.repeat(5000);
    const one = await connect(t, echo);
    const session = await Polling.open(echo);
    await session.send('40');
    await session.receive();
    for (const [how, encoding] of [['', 'gzip'], ['uncompressed', undefined], ['', 'gzip']]) {
      await call(one, 'select', how, '', one.id, text);
      const { headers, status } = await fetchRaw(echo, {
        path: `${echo.path}?EIO=4&transport=polling&sid=${session.sid}`,
        headers: { 'Accept-Encoding': 'gzip' } });
      assert.deepEqual([status, headers['content-encoding']], [200, encoding]);
    }
  });

  test('the adapter in memory knows of no other server', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    assert.equal(await call(await connect(t, echo), 'tell-servers', 'hello'), 'not supported');
  });

  test('an adapter of the application carries what is said to many', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [one, two] = await connectMany(t, echo, 2);
    const before = await call(one, 'count-broadcasts');
    await call(two, 'join', 'r');
    await call(one, 'to-room', 'r', 'through it');
    await call(one, 'select', '', 'r', '', 'and again');
    assert.equal(await call(one, 'count-broadcasts'), before + 2);
    assert.deepEqual(await waitForLog(two, 'room'), [['through it']]);
    assert.deepEqual(await waitForLog(two, 'selected'), [['and again']]);
  });

  test('a filter decides on the events of one socket', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [one, two] = await connectMany(t, echo, 2);
    await call(one, 'filter');
    one.emit('join', 'r');
    assert.deepEqual(await waitForLog(one, 'refused'), [['Not this']]);
    await call(two, 'join', 'r');
    assert.equal(await call(two, 'select', '', 'r', '', ''), 1);
  });

  test('a volatile event is dropped for a client that does not read', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const [one, deaf] = await connectMany(t, echo, 2);
    await call(deaf, 'join', 'r');
    deaf.io.engine.transport.ws._socket.pause();
    deaf.emit('pour', 1000, 20000);
    await waitFor(async () => (await memoryOf(echo.pid)).rss > 12 * MIB, { what: 'the flood' });
    await call(one, 'select', 'volatile', 'r', '', 'lost');
    await call(one, 'select', '', 'r', '', 'kept');
    deaf.io.engine.transport.ws._socket.resume();
    assert.deepEqual(await waitForLog(deaf, 'selected'), [['kept']]);
  });

  test('middleware decides later: refuses with data, lets in, or forgets', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const refused = async (auth) => {
      const [{ message, data }] = await once(open(t, echo, { nsp: '/patient', auth }),
        'connect_error');
      return { message, data };
    };
    assert.deepEqual(await refused(), { message: 'Too late', data: { code: 'late' } });
    assert.deepEqual(await refused({ token: 'forget' }), { message: 'Refused', data: undefined });
    await connect(t, echo, { nsp: '/patient', auth: { token: 'right' } });
  });

  test('a client that goes while middleware decides is not let in', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const one = await connect(t, echo);
    const hasty = open(t, echo, { nsp: '/patient', auth: { token: 'right' } });
    await once(hasty.io, 'open');
    await waitFor(async () => (await call(one, 'stats')).connections === 2, { what: 'it to come' });
    hasty.disconnect();
    await waitFor(async () => (await call(one, 'stats')).connections === 1, { what: 'it to go' });
    await sleep(SILENCE);
    assert.equal(hasty.connected, false);
    assert.equal((await call(one, 'stats')).connections, 1);
  });
}

inBothModes((mode) => {
  defineRooms(mode);
  defineSelection(mode);
});
