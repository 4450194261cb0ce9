// SPDX-License-Identifier: GPL-3.0-or-later
// What an application of the library can do: questions, floods, timers, middleware.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { memoryOf, sleep, waitFor } from './lib/process.mjs';
import {
  call, connect, connectMany, connectWatcher, heard, open, waitForLog,
} from './lib/stock-client.mjs';
import { fetchRaw } from './lib/wire.mjs';

const MIB = 1024 * 1024;

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

inBothModes((mode) => {
  defineQuestions(mode);
  defineFloods(mode);
  defineHandlers(mode);
});
