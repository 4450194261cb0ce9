// SPDX-License-Identifier: GPL-3.0-or-later
// Protocol 3 of Engine.IO, by option: the stock clients of Socket.IO 2, and requests by hand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

import io2 from 'sc2';
import { io as io4 } from 'socket.io-client';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { Polling, Wire, fetchRaw } from './lib/wire.mjs';

const { Socket: EngineSocket } = createRequire(createRequire(import.meta.url).resolve('sc2'))(
  'engine.io-client');

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const ALLOW = ['--allow-eio3'];
const BINARY_TYPE = { 'Content-Type': 'application/octet-stream' };

function open2(t, echo, nsp = '/', options = {}) {
  const socket = io2(`${echo.origin}${nsp}`, { path: echo.path, forceNew: true,
    reconnection: false, ...options });
  t.after(() => socket.close());
  return socket;
}

async function connect2(t, echo, nsp, options) {
  const socket = open2(t, echo, nsp, options);
  const greeting = once(socket, 'auth');
  await Promise.race([greeting, ...['error', 'connect_error'].map((name) =>
    once(socket, name).then(([error]) => { throw error; }))]);
  [socket.greeting] = await greeting;
  return socket;
}

function acked(socket, ...args) {
  return Promise.race([
    new Promise((resolve) => {
      socket.emit('message-with-ack', ...args, (...answer) => resolve(answer));
    }),
    once(socket, 'disconnect').then(([reason]) => { throw new Error(reason); }),
  ]);
}

/** "LENGTH:packet" of each, the length in UTF-16 code units. */
function encode(...packets) {
  return packets.map((packet) => `${packet.length}:${packet}`).join('');
}

function decode(text) {
  const packets = [];
  let rest = text;
  while (rest !== '') {
    const [head, length] = /^(\d+):/.exec(rest);
    packets.push(rest.substr(head.length, Number(length)));
    rest = rest.slice(head.length + Number(length));
  }
  return packets;
}

/** The form for bodies of bytes: 0 or 1, the digits of the length as bytes, 255, the packet. */
function encodeBytes(...packets) {
  return Buffer.concat(packets.flatMap((packet) => {
    const data = Buffer.from(packet);
    const digits = [...String(data.length)].map(Number);
    return [Buffer.from([typeof packet === 'string' ? 0 : 1, ...digits, 255]), data];
  }));
}

async function receive(session) {
  const { status, text } = await session.poll();
  assert.equal(status, 200, text);
  return decode(text);
}

function defineClients(mode) {
  for (const transports of TRANSPORTS) {
    const name = transports.join(' and ');

    test(`Socket.IO 2: events, acks and binary over ${name}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode,
        [...ALLOW, '--ping-interval', '300']);
      const socket = await connect2(t, echo, '/', { transports });
      assert.deepEqual(socket.greeting, {});
      const args = [1, 'ü😀\u2028', { a: [null, true] }, Buffer.from([1, 2, 3]),
        { deep: [Buffer.alloc(0)] }];
      const back = once(socket, 'message-back');
      socket.emit('message', ...args);
      assert.deepEqual(await back, args);
      assert.deepEqual(await acked(socket, ...args), args);
      await sleep(1500);
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
      assert.deepEqual(await acked(socket, ...args), args);
      const gone = once(socket, 'disconnect');
      socket.close();
      await gone;
      await echo.waitForIdleFds();
    });

    test(`Socket.IO 2: 10 clients with 200 messages each over ${name}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode, ALLOW);
      const sockets = await Promise.all(Array.from({ length: 10 }, () =>
        connect2(t, echo, '/', { transports })));
      await Promise.all(sockets.map(async (socket, who) => {
        const received = [];
        socket.on('message-back', (from, n) => received.push(`${from}:${n}`));
        for (let n = 0; n < 200; n += 1)
          socket.emit('message', who, n);
        await waitFor(() => received.length >= 200, { timeout: 15000, what: '200 messages' });
        assert.deepEqual(received, Array.from({ length: 200 }, (_, n) => `${who}:${n}`));
      }));
    });

    test(`engine.io-client 3 echoes over ${name}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
      const socket = new EngineSocket(echo.origin, { transports });
      t.after(() => socket.close());
      const received = [];
      socket.on('message', (data) => received.push(data));
      await Promise.race([once(socket, 'open'),
        once(socket, 'error').then(([error]) => { throw error; })]);
      const sent = ['a', 'ü€😀', Buffer.from([1, 2, 255]), 'x'.repeat(100000),
        Buffer.alloc(70000, 200)];
      for (const data of sent)
        socket.send(data);
      await waitFor(() => received.length === sent.length, { what: 'the echoes' });
      assert.deepEqual(received.map((data) =>
        (typeof data === 'string' ? data : Buffer.from(data))), sent);
    });
  }

  test('Socket.IO 2: namespaces on one connection', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, ALLOW);
    const manager = new io2.Manager(echo.origin, { path: echo.path });
    t.after(() => manager.close());
    const main = manager.socket('/');
    const custom = manager.socket('/custom');
    await Promise.all([once(main, 'auth'), once(custom, 'auth')]);
    assert.deepEqual(await acked(custom, 1), [1]);
    custom.close();
    assert.deepEqual(await acked(main, 2), [2]);
  });

  test('Socket.IO 2: an unknown namespace is refused', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, ALLOW);
    const [error] = await once(open2(t, echo, '/unknown'), 'error');
    assert.deepEqual(error, { message: 'Invalid namespace' });
  });

  test('Socket.IO 2: middleware refuses as the JavaScript server does', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ALLOW);
    const [error] = await once(open2(t, echo, '/guarded'), 'error');
    assert.deepEqual(error, { code: 'missing' });
  });

  test('Socket.IO 2: the server closes and the client comes back', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ALLOW);
    const socket = open2(t, echo, '/', { reconnection: true, reconnectionDelay: 20 });
    await once(socket, 'connect');
    const gone = once(socket, 'disconnect');
    const back = once(socket, 'reconnect');
    socket.emit('end', '', 1);
    assert.match((await gone)[0], /^transport (?:close|error)$/);
    await back;
  });

  test('clients of both protocols at once', async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode, ALLOW);
    const old = open2(t, echo);
    const young = io4(echo.origin, { path: echo.path, forceNew: true });
    t.after(() => young.close());
    const heard = [once(old, 'all'), once(young, 'all')];
    await Promise.all([once(old, 'connect'), once(young, 'connect')]);
    young.emit('to-all', { part: Buffer.from([1]) });
    for (const [payload] of await Promise.all(heard))
      assert.deepEqual(payload, { part: Buffer.from([1]) });
  });

  test('without the option a client of Socket.IO 2 is refused', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    for (const transports of TRANSPORTS)
      await once(open2(t, echo, '/', { transports }), 'connect_error');
    await echo.waitForIdleFds();
  });
}

function defineRequests(mode) {
  test('the handshake and a session over polling', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    const session = await Polling.open(echo, { protocol: 3 });
    assert.match(session.sid, /^[A-Za-z0-9_-]{20}$/);
    assert.deepEqual(session.open.upgrades, ['websocket']);
    await session.send(encode('4a', '4ü😀x', '4'));
    assert.deepEqual(await receive(session), ['4a', '4ü😀x', '4']);
    await session.send(encode('b4AQID'));
    const { headers, body } = await session.poll();
    assert.equal(headers['content-type'], 'application/octet-stream');
    assert.deepEqual(body, encodeBytes(Buffer.from([4, 1, 2, 3])));
  });

  test('a client that takes no binary gets base64', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    const session = await Polling.open(echo, { protocol: 3, query: '&b64=1' });
    await session.send(encodeBytes('4text', Buffer.from([4, 1, 2, 3])), BINARY_TYPE);
    const { text, headers } = await session.poll();
    assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
    assert.deepEqual(decode(text), ['4text', 'b4AQID']);
  });

  test('bodies of bytes in both directions', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    const session = await Polling.open(echo, { protocol: 3 });
    const packets = ['4ü😀', Buffer.from([4, 0, 255]), Buffer.from([4]),
      Buffer.alloc(300, 4)];
    await session.send(encodeBytes(...packets), BINARY_TYPE);
    assert.deepEqual((await session.poll()).body, encodeBytes(...packets));
  });

  const broken = {
    empty: ['', {}],
    'no length': ['4a', {}],
    'a length too long': ['3:4a', {}],
    'a length too short': ['1:4a', {}],
    'a length of zero': ['0:', {}],
    'a length in bytes': ['5:4ü😀', {}],
    'a length within a surrogate pair': ['2:4😀', {}],
    'a huge length': ['99999999999999999999:4a', {}],
    'a negative length': ['-2:4a', {}],
    'an unknown type': ['2:7a', {}],
    'binary that is no message': ['4:b2AA', {}],
    'broken base64': ['4:b4A=', {}],
    'text where bytes are declared': ['2:4a', BINARY_TYPE],
    'bytes without end of length': [Buffer.from([0, 2]), BINARY_TYPE],
    'bytes of an unknown kind': [Buffer.from([2, 1, 255, 0x34]), BINARY_TYPE],
    'bytes shorter than their length': [Buffer.from([0, 9, 255, 0x34]), BINARY_TYPE],
    'bytes with a huge length': [Buffer.from([1, ...Array(18).fill(9), 255, 4]), BINARY_TYPE],
    'bytes that are no message': [encodeBytes(Buffer.from([2, 1])), BINARY_TYPE],
    'bytes that are not UTF-8': [Buffer.from([0, 2, 255, 0x34, 0xff]), BINARY_TYPE],
  };
  for (const [what, [body, headers]] of Object.entries(broken)) {
    test(`a broken body ends the session: ${what}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
      const session = await Polling.open(echo, { protocol: 3 });
      const { status, text } = await session.post(body, headers);
      assert.deepEqual({ status, text },
        { status: 400, text: '{"code":3,"message":"Bad request"}' });
      assert.equal(await session.isKnown(), false);
    });
  }

  test('the client pings and the server answers, over polling', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      [...ALLOW, '--ping-interval', '300', '--ping-timeout', '300']);
    const session = await Polling.open(echo, { protocol: 3 });
    for (let i = 0; i < 5; i += 1) {
      await sleep(200);
      await session.send(encode('2'));
      assert.deepEqual(await receive(session), ['3']);
    }
  });

  test('the client pings and the server answers, over WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      [...ALLOW, '--ping-interval', '300', '--ping-timeout', '300']);
    const wire = await Wire.connect(t, echo, 'EIO=3&transport=websocket');
    for (let i = 0; i < 5; i += 1) {
      await sleep(200);
      wire.send('2');
      assert.equal(await wire.next(), '3');
    }
    wire.send('2hello');
    assert.equal(await wire.next(), '3hello');
  });

  test('a client that does not ping is closed after interval and timeout', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      [...ALLOW, '--ping-interval', '300', '--ping-timeout', '300']);
    const session = await Polling.open(echo, { protocol: 3 });
    const start = performance.now();
    const wire = await Wire.connect(t, echo, 'EIO=3&transport=websocket');
    await wire.waitForClose(3000);
    assert.ok(performance.now() - start > 500);
    await waitFor(async () => !await session.isKnown(), { what: 'the end' });
    await echo.waitForIdleFds();
  });

  test('frames of WebSocket, binary and base64', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    const wire = await Wire.connect(t, echo, 'EIO=3&transport=websocket');
    await wire.assertEchoes('ü😀');
    wire.send(Buffer.from([4, 1, 2]));
    assert.deepEqual(await wire.next(), Buffer.from([4, 1, 2]));
    wire.send('b4AQI=');
    assert.deepEqual(await wire.next(), Buffer.from([4, 1, 2]));
  });

  for (const packet of ['', '7', '3', 'b4A', 'b2AQI=', Buffer.alloc(0), Buffer.from([2, 1])]) {
    test(`a broken frame closes the WebSocket: ${JSON.stringify(packet)}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
      const wire = await Wire.connect(t, echo, 'EIO=3&transport=websocket');
      wire.send(packet);
      await wire.waitForClose();
      await echo.waitForIdleFds();
    });
  }

  test('a session moves to WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    const session = await Polling.open(echo, { protocol: 3 });
    const poll = session.poll();
    await sleep(50);
    const wire = await Wire.upgrade(t, session);
    wire.send('2probe');
    assert.equal(await wire.next(), '3probe');
    assert.equal((await poll).text, '1:6');
    wire.send('5');
    await wire.assertEchoes();
    wire.send(Buffer.from([4, 7]));
    assert.deepEqual(await wire.next(), Buffer.from([4, 7]));
  });

  test('Socket.IO: the main namespace is joined unasked', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, ALLOW);
    const wire = await Wire.connect(t, echo, 'EIO=3&transport=websocket');
    assert.equal(await wire.next(), '40');
    assert.equal(await wire.next(), '42["auth",{}]');
    wire.send('420["message-with-ack",1]');
    assert.equal(await wire.next(), '430[1]');
    wire.send('40/custom,');
    assert.equal(await wire.next(), '40/custom,');
  });

  test('the versions are told apart', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ALLOW);
    for (const version of ['', 'EIO=2&', 'EIO=5&', 'EIO=34&']) {
      const { status, text } = await fetchRaw(echo,
        { path: `${echo.path}?${version}transport=polling` });
      assert.deepEqual({ status, text },
        { status: 400, text: '{"code":5,"message":"Unsupported protocol version"}' });
    }
    await (await Polling.open(echo)).assertAlive();
  });
}

inBothModes((mode) => {
  defineClients(mode);
  defineRequests(mode);
});
