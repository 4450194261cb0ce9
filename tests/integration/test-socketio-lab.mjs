// SPDX-License-Identifier: GPL-3.0-or-later
// What an application of the library can do: rooms, questions, ends, floods, timers, middleware.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { io } from 'socket.io-client';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { memoryOf, sleep, waitFor } from './lib/process.mjs';
import { Polling, Raw, Wire, fetchRaw, formatUpgrade } from './lib/wire.mjs';

const MIB = 1024 * 1024;
const ACK_TIMEOUT = 10000;

/* long enough for what must not come */
const SILENCE = 150;

function open(t, echo, { nsp = '/', ...options } = {}) {
  const socket = io(`${echo.origin}${nsp}`, { path: echo.path, forceNew: true,
    reconnection: false, transports: ['websocket'], ...options });
  t.after(() => socket.disconnect());
  /* every event with its arguments, in order */
  socket.log = [];
  socket.onAny((name, ...args) => socket.log.push([name, ...args]));
  return socket;
}

async function connect(t, echo, options) {
  const socket = open(t, echo, options);
  await Promise.race([once(socket, 'connect'),
    once(socket, 'connect_error').then(([error]) => { throw error; })]);
  return socket;
}

async function connectMany(t, echo, count, options) {
  return Promise.all(Array.from({ length: count }, () => connect(t, echo, options)));
}

function call(socket, event, ...args) {
  return socket.timeout(ACK_TIMEOUT).emitWithAck(event, ...args);
}

function heard(socket, name) {
  return socket.log.filter(([event]) => event === name).map(([, ...args]) => args);
}

async function waitForLog(socket, name, count = 1) {
  await waitFor(() => heard(socket, name).length >= count, { timeout: 10000, interval: 2,
    what: `${count} of ${name}` });
  return heard(socket, name);
}

/** A socket that can tell about the others. */
async function connectWatcher(t, echo) {
  const watcher = await connect(t, echo);
  await call(watcher, 'join', 'watchers');
  return watcher;
}

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

function defineQuestions(mode) {
  for (const transports of [['websocket'], ['polling']]) {
    test(`the server asks and is answered over ${transports}`, async (t) => {
      const echo = await startEcho(t, 'socketio-lab', mode);
      const socket = await connect(t, echo, { transports });
      socket.on('question', (id, timeout, text, answer) => answer(text, Buffer.from([9]), null));
      socket.emit('ask', '', 5000, 'why?');
      assert.deepEqual(await waitForLog(socket, 'answered'), [['why?', Buffer.from([9]), null]]);
    });
  }

  test('an answer without arguments', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    socket.on('question', (id, timeout, answer) => answer());
    socket.emit('ask', '', 5000);
    assert.deepEqual(await waitForLog(socket, 'answered'), [[]]);
  });

  test('answers out of order reach their questions', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    const pending = [];
    socket.on('question', (id, timeout, n, answer) => {
      pending.push(() => answer(n));
      if (pending.length === 50)
        pending.reverse().forEach((run) => run());
    });
    for (let n = 0; n < 50; n += 1)
      socket.emit('ask', '', 0, n);
    const answers = await waitForLog(socket, 'answered', 50);
    assert.deepEqual(answers.map(([n]) => n), Array.from({ length: 50 }, (_, i) => 49 - i));
  });

  test('a question that is not answered times out, and a late answer is ignored', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    let answerLate;
    socket.on('question', (id, timeout, answer) => { answerLate = answer; });
    const start = performance.now();
    socket.emit('ask', '', 300);
    assert.deepEqual(await waitForLog(socket, 'unanswered'), [['timed-out']]);
    assert.ok(performance.now() - start > 250);
    answerLate('too late');
    assert.equal((await call(socket, 'stats')).sockets, 1);
    assert.deepEqual(heard(socket, 'answered'), []);
  });

  test('a question to one that goes away fails', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const [asker, asked] = await connectMany(t, echo, 2);
    asked.on('question', () => asked.disconnect());
    asker.emit('ask', asked.id, 0);
    assert.deepEqual(await waitForLog(asker, 'unanswered'), [['closed']]);
  });

  test('one that asks itself and goes away harms nothing', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    const asked = once(socket, 'question');
    for (let i = 0; i < 10; i += 1)
      socket.emit('ask', '', 60000, i);
    await asked;
    socket.disconnect();
    const other = await connect(t, echo);
    await waitFor(async () => (await call(other, 'stats')).sockets === 1, { what: 'the end' });
  });

  test('an ack is sent once', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    let acks = 0;
    socket.emit('twice', () => { acks += 1; });
    assert.deepEqual(await waitForLog(socket, 'acked'), [[true, false]]);
    assert.equal(acks, 1);
  });
}

function defineEnds(mode) {
  test('the server disconnects a socket from its namespace only', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const watcher = await connectWatcher(t, echo);
    const socket = await connect(t, echo);
    const { id } = socket;
    const gone = once(socket, 'disconnect');
    await call(watcher, 'end', id, 0);
    assert.equal((await gone)[0], 'io server disconnect');
    assert.deepEqual(await waitForLog(watcher, 'ended'), [[id, 'server namespace disconnect']]);
  });

  test('a connection outlives its disconnected socket, and can join again', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 2; i += 1) {
      wire.send('40');
      assert.match(await wire.next(), /^40\{"sid":/);
      wire.send('42["end","",0]');
      assert.equal(await wire.next(), '41');
    }
    wire.send('42["stats"]');
    await wire.waitForClose();
  });

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    test(`the server closes a connection, and the client comes back: ${transports.join(' and ')}`,
      async (t) => {
        const echo = await startEcho(t, 'socketio-lab', mode);
        const watcher = await connectWatcher(t, echo);
        const socket = await connect(t, echo, { transports, reconnection: true,
          reconnectionDelay: 20 });
        const { id } = socket;
        const gone = once(socket, 'disconnect');
        const back = once(socket, 'connect');
        await call(watcher, 'end', id, 1);
        assert.equal((await gone)[0], 'transport close');
        assert.deepEqual(await waitForLog(watcher, 'ended'), [[id, 'forced close']]);
        await back;
        assert.notEqual(socket.id, id);
        assert.equal((await call(socket, 'stats')).sockets, 2);
      });
  }

  test('a socket ends itself in its own handler', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    for (const close of [0, 1, 2]) {
      const socket = await connect(t, echo);
      const gone = once(socket, 'disconnect');
      socket.emit('end', '', close);
      await gone;
    }
    await echo.waitForIdleFds();
  });

  test('one closes thirty others in its handler; their last words arrive', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const one = await connect(t, echo);
    const others = [...await connectMany(t, echo, 25),
      ...await connectMany(t, echo, 5, { transports: ['polling'] })];
    await Promise.all(others.map((socket) => call(socket, 'join', 'doomed')));
    const gone = Promise.all(others.map((socket) => once(socket, 'disconnect')));
    assert.equal(await call(one, 'end-others', ...others.map(({ id }) => id)), 1);
    await gone;
    for (const socket of others)
      assert.deepEqual(heard(socket, 'room'), [['last words']]);
    assert.deepEqual(await call(one, 'stats').then(({ sockets, connections }) =>
      ({ sockets, connections })), { sockets: 1, connections: 1 });
  });

  /** A client that looks on, and what says why another one's socket ended. */
  async function judgeEnds(t, echo) {
    const watcher = await connectWatcher(t, echo);
    return async (end) => {
      const { length } = heard(watcher, 'ended');
      await end();
      const ended = await waitForLog(watcher, 'ended', length + 1);
      assert.ok(watcher.connected);
      assert.equal(ended.length, length + 1);
      return ended.at(-1)[1];
    };
  }

  async function join(t, echo) {
    const wire = await Wire.connect(t, echo);
    wire.send('40');
    assert.match(await wire.next(), /^40/);
    return wire;
  }

  test('a socket is told why it ended, in the words of the JavaScript server', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const reason = await judgeEnds(t, echo);
    const open = () => join(t, echo);
    assert.equal(await reason(async () => (await open()).send('41')),
      'client namespace disconnect');
    assert.equal(await reason(async () => (await open()).send('x')), 'parse error');
    assert.equal(await reason(async () => (await open()).send('42[')), 'forced close');
    assert.equal(await reason(async () => (await open()).send('42/nowhere,["x"]')), 'forced close');
    assert.equal(await reason(async () => (await open()).socket._socket.write('no frame')),
      'transport error');
    assert.equal(await reason(async () => (await open()).send('1')), 'transport close');
    assert.equal(await reason(async () => (await open()).socket.close()), 'transport close');
    assert.equal(await reason(async () => (await open()).socket.terminate()), 'transport close');
    assert.equal(await reason(async () => {
      const session = await Polling.open(echo);
      await session.send('40');
      await session.receive();
      const poll = await session.startPoll(t);
      await session.settle();
      poll.socket.destroy();
    }), 'transport error');
  });

  test('a socket whose client is silent is told so', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode,
      ['--ping-interval', '300', '--ping-timeout', '4000']);
    const reason = await judgeEnds(t, echo);
    assert.equal(await reason(() => join(t, echo)), 'ping timeout');
  });

  test('what makes no sense while output waits is a forced server close', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const watcher = await connectWatcher(t, echo);
    const socket = await connect(t, echo);
    socket.io.engine.transport.ws._socket.pause();
    socket.emit('pour', 1000, 20000);
    socket.io.engine.write('2/nowhere,["x"]');
    assert.equal((await waitForLog(watcher, 'ended'))[0][1], 'forced server close');
  });

  for (const transports of [['websocket'], ['polling']]) {
    test(`each end has the JavaScript server's reason on both sides: ${transports}`, async (t) => {
      const echo = await startEcho(t, 'socketio-lab', mode);
      const watcher = await connectWatcher(t, echo);
      const ends = [
        [(socket) => socket.disconnect(), 'client namespace disconnect', 'io client disconnect'],
        [(socket) => socket.emit('end', '', 0), 'server namespace disconnect',
          'io server disconnect'],
        [(socket) => socket.emit('end', '', 2), 'server namespace disconnect',
          'io server disconnect'],
        [(socket) => socket.emit('end', '', 1), 'forced close', 'transport close'],
        [(socket) => socket.io.engine.close(), 'transport close', 'forced close'],
      ];
      for (const [n, [end, there, here]] of ends.entries()) {
        const socket = await connect(t, echo, { transports });
        const gone = once(socket, 'disconnect');
        end(socket);
        assert.equal((await gone)[0], here);
        assert.equal((await waitForLog(watcher, 'ended', n + 1))[n][1], there);
      }
    });

    test(`the server disconnects a connection in all its namespaces: ${transports}`, async (t) => {
      const echo = await startEcho(t, 'socketio-lab', mode);
      const watcher = await connectWatcher(t, echo);
      const socket = await connect(t, echo, { transports, reconnection: true,
        reconnectionDelay: 20 });
      const other = socket.io.socket('/any');
      await once(other, 'connect');
      const gone = [socket, other].map((one) => once(one, 'disconnect'));
      await call(watcher, 'end', socket.id, 2);
      for (const [reason] of await Promise.all(gone))
        assert.equal(reason, 'io server disconnect');
      /* and it stays away */
      await sleep(SILENCE);
      assert.deepEqual([socket.connected, other.connected], [false, false]);
      assert.equal((await call(watcher, 'stats')).connections, 1);
    });
  }

  test('who is about to end still has its rooms, and hears no more', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const watcher = await connectWatcher(t, echo);
    const ends = [
      [(socket) => socket.disconnect(), 'client namespace disconnect'],
      [(socket) => socket.emit('end', '', 0), 'server namespace disconnect'],
      [(socket) => socket.emit('end', '', 1), 'forced close'],
      [(socket) => socket.io.engine.close(), 'transport close'],
    ];
    for (const [n, [end, reason]] of ends.entries()) {
      const socket = await connect(t, echo);
      const { id } = socket;
      assert.equal(await call(socket, 'join-rooms', 'a,b,a'), 2);
      end(socket);
      await waitForLog(watcher, 'ended', n + 1);
      const [told, why, rooms, connected] = heard(watcher, 'ending')[n];
      assert.deepEqual([told, why, rooms.sort(), connected], [id, reason, ['a', 'b'], true]);
      assert.deepEqual(heard(socket, 'late'), []);
      const order = watcher.log.map(([name]) => name).filter((name) => name.startsWith('end'));
      assert.deepEqual(order.slice(-2), ['ending', 'ended']);
    }
  });
}

function defineFloods(mode) {
  test('a sender that waits for drained serves a slow reader with a short queue', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    const before = (await memoryOf(echo.pid)).rss;
    const { _socket: tcp } = socket.io.engine.transport.ws;
    socket.emit('flood', 1000, 20000);
    await waitForLog(socket, 'chunk', 10);
    for (let i = 0; i < 5; i += 1) {
      tcp.pause();
      await sleep(100);
      tcp.resume();
      await sleep(10);
    }
    const [[sent, drained, most]] = await waitForLog(socket, 'flooded');
    assert.equal(sent, 1000);
    assert.equal(heard(socket, 'chunk').length, 1000);
    assert.ok(drained >= 3, `drained ${drained} times`);
    assert.ok(most <= 64 * 1024 + 3 * 20100, `${most} bytes queued`);
    if (!echo.isSanitized) {
      const grown = (await memoryOf(echo.pid)).rss - before;
      assert.ok(grown < 8 * MIB, `${grown} bytes more`);
    }
  });

  test('a sender that waits for drained serves a client that polls', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo, { transports: ['polling'] });
    socket.emit('flood', 200, 20000);
    const [[sent, drained]] = await waitForLog(socket, 'flooded');
    assert.deepEqual([sent, heard(socket, 'chunk').length], [200, 200]);
    assert.ok(drained >= 3, `drained ${drained} times`);
  });

  test('many slow readers at once are all served', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const sockets = await connectMany(t, echo, 10);
    for (const socket of sockets) {
      socket.emit('flood', 100, 50000);
      socket.io.engine.transport.ws._socket.pause();
    }
    await sleep(300);
    for (const socket of sockets)
      socket.io.engine.transport.ws._socket.resume();
    for (const socket of sockets) {
      await waitForLog(socket, 'flooded');
      assert.equal(heard(socket, 'chunk').length, 100);
    }
  });

  test('what was queued before a close still arrives at a slow reader', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const socket = await connect(t, echo);
    const { _socket: tcp } = socket.io.engine.transport.ws;
    tcp.pause();
    const gone = once(socket, 'disconnect');
    socket.emit('pour', 500, 20000);
    socket.emit('end', '', 1);
    await sleep(500);
    tcp.resume();
    assert.equal((await gone)[0], 'transport close');
    assert.equal(heard(socket, 'chunk').length, 500);
  });

  for (const transports of ['websocket', 'polling']) {
    test(`a sender without regard ends the connection: ${transports}`, async (t) => {
      const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', '100000']);
      const watcher = await connectWatcher(t, echo);
      const socket = await connect(t, echo, { transports: [transports] });
      const { id } = socket;
      const before = (await memoryOf(echo.pid)).rss;
      socket.emit('pour', 100000, 2000);
      assert.deepEqual(await waitForLog(watcher, 'ended'), [[id, 'transport error']]);
      if (!echo.isSanitized) {
        const grown = (await memoryOf(echo.pid)).rss - before;
        assert.ok(grown < 8 * MIB, `${grown} bytes more`);
      }
    });
  }

  test('small events that wait count as what they take', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', `${8 * MIB}`]);
    const watcher = await connectWatcher(t, echo);
    const socket = await connect(t, echo);
    const { id } = socket;
    const { _socket: tcp } = socket.io.engine.transport.ws;
    const before = (await memoryOf(echo.pid)).rss;
    // what is on its way to it would keep this process from all else, also in the tests after this
    tcp.pause();
    t.after(() => tcp.destroy());
    socket.emit('pour', 1000000, 1);
    assert.deepEqual(await waitForLog(watcher, 'ended'), [[id, 'transport error']]);
    if (!echo.isSanitized) {
      const grown = (await memoryOf(echo.pid)).rss - before;
      assert.ok(grown < 16 * MIB, `${grown} bytes more`);
    }
  });
}

function defineHandlers(mode) {
  test('a timer started in a handler fires in time', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    for (const transports of [['websocket'], ['polling']]) {
      const socket = await connect(t, echo, { transports });
      for (const delay of [0, 100, 300]) {
        const start = performance.now();
        const later = once(socket, 'later');
        socket.emit('later', delay, `after ${delay}`);
        assert.deepEqual(await later, [`after ${delay}`]);
        const elapsed = performance.now() - start;
        assert.ok(elapsed >= delay - 5 && elapsed < delay + 1000, `${elapsed} ms`);
      }
    }
  });

  test('a task started in a handler comes back', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    const start = performance.now();
    for (let i = 0; i < 20; i += 1)
      socket.emit('task', `abc${i}`);
    const tasks = await waitForLog(socket, 'task', 20);
    assert.ok(performance.now() - start < 2000);
    assert.deepEqual(tasks.map(([text]) => text).sort(),
      Array.from({ length: 20 }, (_, i) => [...`abc${i}`].reverse().join('')).sort());
  });

  test('a timer that fires after its socket went harms nothing', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo);
    socket.emit('later', 200, 'x');
    socket.emit('task', 'x');
    socket.disconnect();
    const other = await connect(t, echo);
    await sleep(400);
    assert.equal((await call(other, 'stats')).sockets, 1);
  });

  test('binary built by the application', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    for (const transports of [['websocket'], ['polling']]) {
      const socket = await connect(t, echo, { transports });
      socket.emit('binary');
      assert.deepEqual(await waitForLog(socket, 'binary'), [[Buffer.from([1, 2, 3]),
        { part: Buffer.alloc(0), parts: [Buffer.from([1, 2, 3])] }, true]]);
    }
  });

  test('a handler for all events hears every name', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const socket = await connect(t, echo, { nsp: '/any' });
    const names = ['a', 'never heard of', 'ü😀', '', 'event', 'drained', 'disconnected'];
    for (const name of names)
      socket.emit(name, 1, 2);
    assert.deepEqual(await waitForLog(socket, 'heard', names.length),
      names.map((name) => [name, 2]));
  });

  test('the handshake tells of the request', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    for (const transports of [['websocket'], ['polling']]) {
      const socket = await connect(t, echo, { transports, query: { x: 'a b&ü' },
        extraHeaders: { 'X-Lab': 'yes' } });
      const info = await call(socket, 'handshake');
      assert.match(info.url, /^\/socket\.io\/\?/);
      assert.ok(Math.abs(info.time - Date.now()) < 60000);
      assert.deepEqual({ ...info, url: '', time: 0 }, { url: '', time: 0, query: 'a b&ü',
        header: 'yes', address: '127.0.0.1', secure: false, uid: -1 });
    }
  });

  test('middleware refuses with message and data, one after the other', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const refused = async (auth) => {
      const [{ message, data }] = await once(open(t, echo, { nsp: '/guarded', auth }),
        'connect_error');
      return { message, data };
    };
    assert.deepEqual(await refused(), { message: 'Not "you"', data: { code: 'missing' } });
    assert.deepEqual(await refused({ token: 'x' }),
      { message: 'Not "you"', data: { code: 'wrong' } });
    assert.deepEqual(await refused({ token: 'right' }), { message: 'No name', data: undefined });
    await connect(t, echo, { nsp: '/guarded', auth: { token: 'right', name: 'n' } });
  });

  test('only the origins that the application names may read answers', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const path = `${echo.path}?EIO=4&transport=polling`;
    const allow = async (origin, method) => (await fetchRaw(echo, { method, path,
      headers: { Origin: origin } })).headers;
    for (const method of ['GET', 'OPTIONS']) {
      const headers = await allow('http://lab.example', method);
      assert.equal(headers['access-control-allow-origin'], 'http://lab.example');
      for (const origin of ['http://lab.example:81', 'http://evil.example', 'null']) {
        const refused = await allow(origin, method);
        assert.deepEqual(Object.keys(refused).filter((name) => name.startsWith('access-')), []);
        assert.match(refused.vary, /(?:^|, )Origin(?:,|$)/);
      }
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
    assert.deepEqual((await one.timeout(ACK_TIMEOUT).emitWithAck('keep', '')), 'this');
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

function defineClose(mode) {
  test('closing the server tells all clients and then says so', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const one = await connect(t, echo);
    const others = [...await connectMany(t, echo, 5),
      ...await connectMany(t, echo, 3, { transports: ['polling'] })];
    const gone = [one, ...others].map((socket) => once(socket, 'disconnect'));
    one.emit('close', 5000);
    for (const [reason] of await Promise.all(gone.slice(0, 6)))
      assert.equal(reason, 'transport close');
    /* one that is between two polls finds nobody */
    for (const [reason] of await Promise.all(gone.slice(6)))
      assert.match(reason, /^transport (?:close|error)$/);
    assert.deepEqual(heard(one, 'closing'), [['bye']]);
    await echo.waitForOutput(/^Closed$/m, 4000);
    /* in the words of the JavaScript server */
    assert.equal(echo.stdout.match(/^Ended: server shutting down$/mg)?.length, 9);
  });

  test('a server that closes takes nobody new', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const one = await connect(t, echo);
    one.emit('close', 5000);
    await echo.waitForOutput(/^Closed$/m, 4000);
    if (mode === 'own') {
      const raw = new Raw(echo.port);
      await raw.waitForEnd();
      assert.equal(raw.error?.code, 'ECONNREFUSED');
    } else {
      const { status } = await fetchRaw(echo, { path: `${echo.path}?EIO=4&transport=polling` });
      assert.equal(status, 503);
      await assert.rejects(Wire.open(t, echo), /503/);
    }
  });

  test('a client that does not read holds up the close no longer than told', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const one = await connect(t, echo);
    const deaf = await connect(t, echo);
    deaf.io.engine.transport.ws._socket.pause();
    deaf.emit('pour', 1000, 20000);
    await waitFor(async () => (await memoryOf(echo.pid)).rss > 12 * MIB
      || (await call(one, 'stats')).sockets === 2, { what: 'the flood' });
    await sleep(200);
    const start = performance.now();
    one.emit('close', 1000);
    await echo.waitForOutput(/^Closed$/m, 5000);
    const elapsed = performance.now() - start;
    assert.ok(elapsed > 800 && elapsed < 3000, `${elapsed} ms`);
  });

  test('closing twice is an error of the second', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const one = await connect(t, echo);
    one.emit('close', 2000);
    one.emit('close', 2000);
    await echo.waitForOutput(/^Closed$/m, 4000);
  });

  test('SIGTERM while clients come, go, ask and are flooded', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const sockets = await connectMany(t, echo, 10);
    sockets.forEach((socket, i) => {
      socket.emit('join', 'r');
      if (i % 2 === 0)
        socket.emit('flood', 1000, 20000);
      else
        socket.emit('ask', sockets[i - 1].id, 60000);
      socket.emit('later', 60000, 'never');
    });
    const half = await Raw.open(t, echo.port);
    half.write(formatUpgrade(echo, 'EIO=4&transport=websocket').subarray(0, 80));
    await sleep(100);
    await echo.stop();
  });
}

inBothModes((mode) => {
  defineRooms(mode);
  defineQuestions(mode);
  defineEnds(mode);
  defineFloods(mode);
  defineHandlers(mode);
  defineSelection(mode);
  defineRecovery(mode);
  defineClose(mode);
});
