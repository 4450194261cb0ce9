// SPDX-License-Identifier: GPL-3.0-or-later
// Socket.IO 5 with the stock clients, over each choice of transports.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { io as io3 } from 'sc3';
import { Manager, io } from 'socket.io-client';

import { inBothModes, isLong, startEcho, test } from './lib/echo.mjs';
import { freePort, memoryOf, sleep, waitFor } from './lib/process.mjs';
import { fetchRaw } from './lib/wire.mjs';

const MIB = 1024 * 1024;

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];

/** Opens a socket that is closed at the end of the test. */
function open(t, echo, { nsp = '/', client = io, ...options } = {}) {
  const socket = client(`${echo.origin}${nsp}`, { path: echo.path, forceNew: true,
    reconnection: false, ...options });
  t.after(() => socket.disconnect());
  return socket;
}

/** The same, and waits for the greeting, which it returns as `socket.greeting`. */
async function connect(t, echo, options) {
  const socket = open(t, echo, options);
  await greet(socket);
  return socket;
}

async function greet(socket) {
  [socket.greeting] = await Promise.race([once(socket, 'auth'),
    once(socket, 'connect_error').then(([error]) => { throw error; })]);
}

/** Sends arguments and returns those that come back. */
async function echoed(socket, ...args) {
  const back = Promise.race([once(socket, 'message-back'),
    once(socket, 'disconnect').then(([reason]) => { throw new Error(reason); })]);
  socket.emit('message', ...args);
  return back;
}

function acked(socket, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ack')), 10000);
    socket.emit('message-with-ack', ...args, (...answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

function bytes(...values) {
  return Buffer.from(values);
}

function defineTransports(mode) {
  for (const transports of TRANSPORTS) {
    const name = transports.join(' and ');

    test(`auth, events, acks and binary over ${name}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      const socket = await connect(t, echo, { transports, auth: { token: 'x', n: [1, null] } });
      assert.deepEqual(socket.greeting, { token: 'x', n: [1, null] });
      const args = [1, 'two', { three: [true, null] }, bytes(1, 2, 3), { deep: [bytes(255)] }];
      assert.deepEqual(await echoed(socket, ...args), args);
      assert.deepEqual(await acked(socket, ...args), args);
      if (transports.length > 1) {
        await waitFor(() => socket.io.engine.transport.name === 'websocket',
          { what: 'the upgrade' });
        assert.deepEqual(await acked(socket, ...args), args);
      }
      const gone = once(socket, 'disconnect');
      socket.disconnect();
      assert.equal((await gone)[0], 'io client disconnect');
      await echo.waitForIdleFds();
    });

    test(`20 clients with 200 messages each over ${name}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      const sockets = await Promise.all(Array.from({ length: 20 }, () =>
        connect(t, echo, { transports })));
      await Promise.all(sockets.map(async (socket, who) => {
        const received = [];
        socket.on('message-back', (from, n) => received.push(`${from}:${n}`));
        for (let n = 0; n < 200; n += 1) {
          socket.emit('message', who, n);
          if (n % 20 === 19)
            assert.deepEqual(await acked(socket, who, n), [who, n]);
        }
        await waitFor(() => received.length >= 200, { timeout: 15000, what: '200 messages' });
        assert.deepEqual(received, Array.from({ length: 200 }, (_, n) => `${who}:${n}`));
      }));
    });
  }

  test('a client of Socket.IO 3', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const socket = await connect(t, echo, { client: io3, auth: { token: 'x' } });
    assert.deepEqual(socket.greeting, { token: 'x' });
    assert.deepEqual(await acked(socket, 1, bytes(1)), [1, bytes(1)]);
  });

  test('without auth the greeting is empty', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    assert.deepEqual((await connect(t, echo)).greeting, {});
  });

  test('heartbeat keeps an idle client for many intervals', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode,
      ['--ping-interval', '200', '--ping-timeout', '3000']);
    for (const transports of TRANSPORTS) {
      const socket = await connect(t, echo, { transports });
      await sleep(1200);
      assert.ok(socket.connected);
      assert.deepEqual(await acked(socket, 1), [1]);
    }
  });

  test('any page may read the answers', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const { headers } = await fetchRaw(echo, { path: `${echo.path}?EIO=4&transport=polling`,
      headers: { Origin: 'https://page.example' } });
    assert.equal(headers['access-control-allow-origin'], 'https://page.example');
  });
}

function defineNamespaces(mode) {
  test('an unknown namespace is refused, and the connection lives', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const manager = new Manager(echo.origin, { path: echo.path });
    t.after(() => manager._close());
    const main = manager.socket('/');
    await greet(main);
    for (const nsp of ['/unknown', '/custom/', '/Custom', '/ü']) {
      const socket = manager.socket(nsp);
      const [error] = await once(socket, 'connect_error');
      assert.equal(error.message, 'Invalid namespace', nsp);
      socket.disconnect();
    }
    assert.deepEqual(await acked(main, 1), [1]);
  });

  test('an unknown namespace alone is refused', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const [error] = await once(open(t, echo, { nsp: '/unknown' }), 'connect_error');
    assert.equal(error.message, 'Invalid namespace');
  });

  test('two namespaces share a connection and nothing else', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const manager = new Manager(echo.origin, { path: echo.path, transports: ['websocket'] });
    t.after(() => manager._close());
    const main = manager.socket('/', { auth: { who: 'main' } });
    const custom = manager.socket('/custom', { auth: { who: 'custom' } });
    await Promise.all([greet(main), greet(custom)]);
    assert.deepEqual([main.greeting, custom.greeting], [{ who: 'main' }, { who: 'custom' }]);
    assert.notEqual(main.id, custom.id);
    const strayed = [];
    main.on('message-back', (...args) => strayed.push(args));
    assert.deepEqual(await echoed(custom, 'c', bytes(7)), ['c', bytes(7)]);
    assert.deepEqual(strayed, []);
    /* ids of acks are counted in each namespace for itself */
    assert.deepEqual(await Promise.all([acked(main, 'm'), acked(custom, 'c')]), [['m'], ['c']]);
  });

  test('leaving one namespace keeps the other, which can be joined again', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, ['--connect-timeout', '300']);
    const manager = new Manager(echo.origin, { path: echo.path });
    t.after(() => manager._close());
    const main = manager.socket('/');
    const custom = manager.socket('/custom');
    await Promise.all([greet(main), greet(custom)]);
    main.disconnect();
    assert.deepEqual(await acked(custom, 1), [1]);
    await sleep(600);
    assert.deepEqual(await acked(custom, 2), [2]);
    const first = custom.id;
    custom.disconnect();
    main.connect();
    await greet(main);
    custom.connect();
    await greet(custom);
    assert.notEqual(custom.id, first);
    assert.deepEqual(await acked(main, 3), [3]);
  });

  test('a stock client comes back after the server restarted', async (t) => {
    const port = String(await freePort());
    const first = await startEcho(t, 'socketio-echo', mode, ['--port', port]);
    const socket = await connect(t, first, { reconnection: true, reconnectionDelay: 50,
      reconnectionDelayMax: 100, auth: { again: true } });
    const id = socket.id;
    const gone = once(socket, 'disconnect');
    await first.stop();
    assert.ok(['transport close', 'transport error'].includes((await gone)[0]));
    // the client may be back before this program has heard that the server is
    const greeted = once(socket, 'auth');
    const second = await startEcho(t, 'socketio-echo', mode, ['--port', port]);
    assert.equal(second.port, first.port);
    assert.deepEqual(await greeted, [{ again: true }]);
    assert.notEqual(socket.id, id);
    assert.deepEqual(await acked(socket, 1), [1]);
  });
}

function defineValues(mode) {
  const same = {
    'no arguments': [],
    'an empty string, array and object': ['', [], {}],
    numbers: [0, 1, -1, 0.1, 1e21, 1e-7, -1.5e300, 2 ** 53, -(2 ** 53), 2 ** 53 - 1,
      123456789012345680000, 5e-324, Number.MAX_VALUE],
    'booleans and null': [true, false, null],
    'letters of all planes': ['aüß', '漢字', '😀👩‍👩‍👧', 'שלום', 'e\u0301', '\u2028\u2029', '\ufeff',
      '\uffff'],
    'characters that JSON escapes': ['"\\/\b\f\n\r\t', '\u0001\u001f\u007f', '</script>'],
    'keys of all kinds': [{ '': 1, ' ': 2, 'ü😀': 3, '"': 4, constructor: 5, num: 6 }],
    'a key of JavaScript': [JSON.parse('{"__proto__": {"x": 1}}')],
    'what looks like a placeholder': [{ _placeholder: false, num: 0 }, { _placeholder: 'yes' }],
    'nesting within the limit': [JSON.parse(`${'['.repeat(60)}1${']'.repeat(60)}`)],
    'many arguments': Array.from({ length: 1000 }, (_, i) => i),
    'a text of 900,000 bytes': ['ü😀'.repeat(150000)],
    'binary parts everywhere': [bytes(1), { a: bytes(2), b: [bytes(3), { c: bytes() }] }, bytes(4)],
    'ten binary parts': Array.from({ length: 10 }, (_, i) => bytes(i)),
    /* in base64 within the limit */
    'a binary part of 700,000 bytes': [Buffer.alloc(700000, 'abc')],
  };
  for (const [what, args] of Object.entries(same)) {
    test(`comes back as it was: ${what}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      for (const transports of [['websocket'], ['polling']]) {
        const socket = await connect(t, echo, { transports });
        assert.deepEqual(await echoed(socket, ...args), args);
        assert.deepEqual(await acked(socket, ...args), args);
      }
    });
  }

  test('what C and UTF-8 cannot hold becomes U+FFFD', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const socket = await connect(t, echo);
    assert.deepEqual(await echoed(socket, 'a\0b', '\ud800', 'x\udc00y', -0),
      ['a\ufffdb', '\ufffd', 'x\ufffdy', 0]);
  });

  test('eleven binary parts close the connection', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    for (const transports of [['websocket'], ['polling']]) {
      const socket = await connect(t, echo, { transports });
      const gone = once(socket, 'disconnect');
      socket.emit('message', ...Array.from({ length: 11 }, (_, i) => bytes(i)));
      assert.match((await gone)[0], /^transport (?:close|error)$/);
    }
    assert.deepEqual(await acked(await connect(t, echo), 1), [1]);
  });

  test('a message over the limit closes the connection', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, ['--max-payload', '2000']);
    for (const transports of [['websocket'], ['polling']]) {
      const socket = await connect(t, echo, { transports });
      assert.deepEqual(await acked(socket, 'x'.repeat(1900)), ['x'.repeat(1900)]);
      const gone = once(socket, 'disconnect');
      socket.emit('message', 'x'.repeat(2000));
      assert.match((await gone)[0], /^transport (?:close|error)$/);
    }
    await echo.waitForIdleFds();
  });

  test('an event that nobody listens for is ignored', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const socket = await connect(t, echo);
    await assert.rejects(socket.timeout(200).emitWithAck('nobody', 1));
    assert.deepEqual(await acked(socket, 1), [1]);
  });
}

function defineEventNames(mode) {
  const count = isLong ? 300000 : 100000;

  test(`${count} made-up event names cost no memory`, async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const socket = await connect(t, echo, { transports: ['websocket'] });
    const flood = async (from, to) => {
      for (let i = from; i < to; i += 1) {
        socket.emit(`made-up ${i} ${'x'.repeat(100)}`, i);
        if (i % 2000 === 1999)
          await acked(socket, i);
      }
    };
    await flood(0, 10000);
    const before = (await memoryOf(echo.pid)).rss;
    await flood(10000, count);
    if (!echo.isSanitized) {
      const grown = (await memoryOf(echo.pid)).rss - before;
      assert.ok(grown < 8 * MIB, `${grown} bytes more`);
    }
    assert.ok(socket.connected);
  });
}

inBothModes((mode) => {
  defineTransports(mode);
  defineNamespaces(mode);
  defineValues(mode);
  defineEventNames(mode);
});
