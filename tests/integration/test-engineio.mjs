// SPDX-License-Identifier: GPL-3.0-or-later
// Engine.IO 4 over each transport: requests by hand, ws, and the stock client.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { Socket } from 'engine.io-client';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import {
  Polling, Raw, SEPARATOR, Wire, formatFrame, formatRequest, formatUpgrade, parseResponse,
} from './lib/wire.mjs';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];

/* a packet that only a server sends, or that has no place in an open session */
const OUT_OF_PLACE = ['0', '0{"sid":"x"}', '2', '2probe', '5', '7', '9', 'x', ' 4', '\0'];

function definePolling(mode) {
  test('a payload with several packets comes back in order', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    await session.send(['4a', '4', '4c€😀', 'bAQIDBA==', '4{"d":1}', 'b'].join(SEPARATOR));
    assert.deepEqual(await session.receive(6),
      ['4a', '4', '4c€😀', 'bAQIDBA==', '4{"d":1}', 'b']);
  });

  test('binary of every length comes back in base64', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const packets = Array.from({ length: 70 }, (_, length) =>
      `b${Buffer.from(Array.from({ length }, (__, at) => (at * 89 + length) & 0xff))
        .toString('base64')}`);
    await session.send(packets.join(SEPARATOR));
    assert.deepEqual(await session.receive(70), packets);
  });

  test('messages wait for the next poll', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    for (let i = 0; i < 5; i += 1)
      await session.send(`4${i}`);
    assert.deepEqual(await session.receive(5), ['40', '41', '42', '43', '44']);
  });

  test('a poll that waits is answered as soon as there is something', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = session.poll();
    await session.settle();
    await session.send('4now');
    const { status, text, headers } = await poll;
    assert.deepEqual({ status, text }, { status: 200, text: '4now' });
    assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
  });

  test('a request that comes byte by byte', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const raw = await Raw.open(t, echo.port);
    for (const byte of formatRequest({ method: 'POST', path: session.path, body: '4slow' })) {
      raw.write(Buffer.from([byte]));
      await sleep(1);
    }
    await raw.waitForEnd();
    assert.equal(parseResponse(raw.received).text, 'ok');
    assert.deepEqual(await session.receive(), ['4slow']);
  });

  const brokenBodies = {
    empty: '',
    'no type': 'abc',
    'unknown type': '7x',
    'empty packet at the end': `4a${SEPARATOR}`,
    'empty packet at the start': `${SEPARATOR}4a`,
    'broken base64': 'bA',
    'base64 with a blank': 'bAQ ==',
    'UTF-8 cut off': Buffer.from([0x34, 0xc3]),
    'a lone surrogate': Buffer.from([0x34, 0xed, 0xa0, 0x80]),
    'good, then bad': `4a${SEPARATOR}x`,
  };
  for (const [what, body] of Object.entries(brokenBodies)) {
    test(`a broken body ends the session: ${what}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode);
      const session = await Polling.open(echo);
      const poll = session.poll();
      await session.settle();
      const { status, text } = await session.post(body);
      assert.deepEqual({ status, text },
        { status: 400, text: '{"code":3,"message":"Bad request"}' });
      assert.equal((await poll).text, '1');
      await session.assertGone();
    });
  }

  test('a packet out of place ends the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    for (const packet of OUT_OF_PLACE) {
      const session = await Polling.open(echo);
      const poll = session.poll();
      await session.settle();
      await session.post(packet);
      assert.equal((await poll).text, '1', JSON.stringify(packet));
      await session.assertGone();
    }
  });

  test('what a payload holds after the packet that ended the session is ignored', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    await session.send(['4a', '1', '4b'].join(SEPARATOR));
    // a poll that was on its way is released, once
    assert.equal((await session.poll()).text, '6');
    await session.assertGone();
  });

  test('a noop from the client is ignored', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    await session.send('6');
    await session.assertAlive();
  });

  test('the second of two polls is refused and the first told the end', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const first = session.poll();
    await session.settle();
    const second = await session.poll();
    assert.equal(second.status, 400);
    assert.deepEqual(await first.then(({ status, text }) => ({ status, text })),
      { status: 200, text: '1' });
    await session.assertGone();
  });

  test('the second of two POSTs is refused and the session ends', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const first = await Raw.open(t, echo.port);
    first.write(formatRequest({ method: 'POST', path: session.path, body: '4abcdef' })
      .subarray(0, -3));
    await session.settle();
    assert.equal((await session.post('4b')).status, 400);
    await session.assertGone();
    first.write('def');
    await first.waitForEnd();
    assert.ok(parseResponse(first.received));
  });

  test('a poll may wait while a POST comes in', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = session.poll();
    const post = await Raw.open(t, echo.port);
    const request = formatRequest({ method: 'POST', path: session.path, body: '4abcdef' });
    post.write(request.subarray(0, -3));
    await sleep(100);
    post.write(request.subarray(-3));
    assert.equal((await poll).text, '4abcdef');
  });

  test('a cancelled poll ends the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = await session.startPoll(t);
    await session.settle();
    poll.socket.destroy();
    await waitFor(async () => !await session.isKnown(), { timeout: 2000, what: 'the end' });
    await echo.waitForIdleFds();
  });

  test('a poll that is reset ends the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = await session.startPoll(t);
    await session.settle();
    poll.socket.resetAndDestroy();
    await waitFor(async () => !await session.isKnown(), { timeout: 2000, what: 'the end' });
    await echo.waitForIdleFds();
  });

  test('a POST that breaks off ends the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const post = await Raw.open(t, echo.port);
    post.write(formatRequest({ method: 'POST', path: session.path, body: '4abcdef' })
      .subarray(0, -3));
    await session.settle();
    post.socket.destroy();
    await waitFor(async () => !await session.isKnown(), { timeout: 2000, what: 'the end' });
    await echo.waitForIdleFds();
  });

  test('the client closes: a poll that waits gets a noop', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = session.poll();
    await session.settle();
    await session.send('1');
    assert.deepEqual(await poll.then(({ status, text }) => ({ status, text })),
      { status: 200, text: '6' });
    await session.assertGone();
  });
}

function defineHeartbeat(mode) {
  const quick = ['--ping-interval', '200', '--ping-timeout', '200'];
  const patient = ['--ping-interval', '200', '--ping-timeout', '3000'];

  test('heartbeat over polling keeps the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, patient);
    const session = await Polling.open(echo);
    for (let i = 0; i < 4; i += 1) {
      assert.deepEqual(await session.receive(), ['2']);
      await session.send('3');
    }
    await session.assertAlive();
  });

  test('heartbeat over WebSocket keeps the session', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, patient);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 4; i += 1) {
      assert.equal(await wire.next(), '2');
      wire.send('3');
    }
    await wire.assertEchoes();
  });

  test('pings come at their interval', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--ping-interval', '300',
      '--ping-timeout', '5000']);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 3; i += 1) {
      const start = performance.now();
      assert.equal(await wire.next(), '2');
      const elapsed = performance.now() - start;
      assert.ok(elapsed > 250 && elapsed < 1500, `${elapsed} ms`);
      wire.send('3');
    }
  });

  test('a pong that comes before its ping is ignored', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, quick);
    const wire = await Wire.connect(t, echo);
    wire.send('3');
    assert.equal(await wire.next(), '2');
    await wire.waitForClose();
  });

  test('ping timeout over polling ends the session, though it polls', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, quick);
    const session = await Polling.open(echo);
    assert.deepEqual(await session.receive(), ['2']);
    const { status, text } = await session.poll();
    assert.deepEqual({ status, text }, { status: 200, text: '1' });
    await session.assertGone();
    await echo.waitForIdleFds();
  });

  test('ping timeout over polling ends a session that never polls', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, quick);
    const session = await Polling.open(echo);
    await sleep(300);
    assert.equal(await session.isKnown(), true);
    await waitFor(async () => !await session.isKnown(), { timeout: 2000, what: 'the end' });
  });

  test('ping timeout over WebSocket closes it, though it talks', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, quick);
    const start = performance.now();
    const wire = await Wire.connect(t, echo);
    const talk = setInterval(() => wire.send('4talk'), 50);
    t.after(() => clearInterval(talk));
    await wire.waitForClose(2000);
    assert.ok(performance.now() - start > 300);
    await echo.waitForIdleFds();
  });
}

function defineWebSocket(mode) {
  test('text and binary messages come back as they were', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    const texts = ['4', '4a', '4€😀\u2028', `4${'x'.repeat(125)}`, `4${'y'.repeat(65535)}`,
      `4${'z'.repeat(200000)}`, '4a\0b'];
    for (const text of texts) {
      wire.send(text);
      assert.equal(await wire.next(), text);
    }
    for (const length of [0, 1, 125, 126, 65535, 65536, 300000]) {
      const data = Buffer.alloc(length, length);
      wire.send(data);
      assert.deepEqual(await wire.next(), data);
    }
  });

  test('no compression is agreed on', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo, undefined, { perMessageDeflate: true });
    assert.equal(wire.socket.extensions, '');
    await wire.assertEchoes();
  });

  test('a WebSocket ping is answered', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    const pong = once(wire.socket, 'pong');
    wire.socket.ping('abc');
    assert.equal(String((await pong)[0]), 'abc');
    await wire.assertEchoes();
  });

  test('the client closes: the server answers and lets go', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    wire.socket.close(1000, 'bye');
    assert.equal((await wire.waitForClose()).code, 1000);
    await echo.waitForIdleFds();
  });

  test('a close packet of Engine.IO closes the WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    wire.send('1');
    await wire.waitForClose();
    await echo.waitForIdleFds();
  });

  test('a packet out of place closes the WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    for (const packet of [...OUT_OF_PLACE, '']) {
      const wire = await Wire.connect(t, echo);
      wire.send(packet);
      await wire.waitForClose();
    }
    await echo.waitForIdleFds();
  });

  const brokenFrames = {
    'not masked': formatFrame('4a', { masked: false }),
    'reserved bits': formatFrame('4a', { rsv: 4 }),
    'unknown opcode': formatFrame('4a', { opcode: 3 }),
    'text that is not UTF-8': formatFrame([0x34, 0xff]),
    'a continuation of nothing': formatFrame('4a', { opcode: 0 }),
    'a text frame amid fragments': Buffer.concat([formatFrame('4a', { fin: false }),
      formatFrame('4b')]),
    'a control frame in fragments': formatFrame('x', { opcode: 9, fin: false }),
    'a control frame over 125 bytes': formatFrame(Buffer.alloc(126), { opcode: 9 }),
    'a close frame of one byte': formatFrame('x', { opcode: 8 }),
  };
  for (const [what, frame] of Object.entries(brokenFrames)) {
    test(`a broken frame ends the connection: ${what}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode);
      const raw = await Raw.open(t, echo.port);
      raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket'));
      await raw.waitForText(/\r\n\r\n.*"maxPayload":\d+\}/s);
      raw.write(frame);
      /* a close frame, and no echo */
      const [, rest] = await raw.waitForText(/"maxPayload":\d+\}(\x88.*)$/s);
      assert.ok(!rest.includes('4a') && !rest.includes('4b'), JSON.stringify(rest));
      raw.write(formatFrame([0x03, 0xe8], { opcode: 8 }));
      await raw.waitForEnd();
      raw.socket.destroy();
      await echo.waitForIdleFds();
    });
  }

  test('frames sent before the 101 was seen are read', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port);
    raw.write(Buffer.concat([formatUpgrade(echo, 'EIO=4&transport=websocket'),
      formatFrame('4first'), formatFrame(`4${'x'.repeat(9000)}`), formatFrame('4third')]));
    await raw.waitForText(/4first.*4x{9000}.*4third$/s);
  });

  test('half a frame sent before the 101 was seen is completed', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const frame = formatFrame('4hello there');
    for (let at = 1; at < frame.length; at += 3) {
      const raw = await Raw.open(t, echo.port);
      raw.write(Buffer.concat([formatUpgrade(echo, 'EIO=4&transport=websocket'),
        frame.subarray(0, at)]));
      await raw.waitForText(/"maxPayload":\d+\}$/);
      raw.write(frame.subarray(at));
      await raw.waitForText(/4hello there$/);
      raw.socket.destroy();
    }
  });

  test('frames that come byte by byte', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port);
    const bytes = Buffer.concat([formatUpgrade(echo, 'EIO=4&transport=websocket'),
      formatFrame('4one'), formatFrame('', { opcode: 9 }), formatFrame('4two')]);
    for (const byte of bytes) {
      raw.write(Buffer.from([byte]));
      await sleep(1);
    }
    await raw.waitForText(/4one.*\x8a\x00.*4two$/s);
  });

  test('a thousand messages in one write come back in order', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    wire.socket._socket.cork();
    for (let i = 0; i < 1000; i += 1)
      wire.send(`4${i}`);
    wire.socket._socket.uncork();
    for (let i = 0; i < 1000; i += 1)
      assert.equal(await wire.next(), `4${i}`);
  });

  test('a client that only shuts down its sending side is let go', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port, { allowHalfOpen: true });
    raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket'));
    await raw.waitForText(/"maxPayload":\d+\}$/);
    raw.socket.end();
    await raw.waitForEnd();
    raw.socket.destroy();
    await echo.waitForIdleFds();
  });
}

function defineStockClient(mode) {
  for (const transports of TRANSPORTS) {
    test(`engine.io-client echoes over ${transports.join(' and ')}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, ['--ping-interval', '300']);
      const socket = new Socket(echo.origin, { transports });
      t.after(() => socket.close());
      const received = [];
      socket.on('message', (data) => received.push(data));
      await Promise.race([once(socket, 'open'),
        once(socket, 'error').then(([error]) => { throw error; })]);

      const sent = ['a', '', 'ü€😀', Buffer.from([1, 2, 3]), 'x'.repeat(100000),
        Buffer.alloc(70000)];
      for (const data of sent)
        socket.send(data);
      await waitFor(() => received.length === sent.length, { what: 'the echoes' });
      /* the client gives nothing for an empty message */
      assert.deepEqual(received.map((data = '') =>
        (typeof data === 'string' ? data : Buffer.from(data))), sent);
      await sleep(1000);
      assert.equal(socket.readyState, 'open');
      assert.equal(socket.transport.name, transports.at(-1));
      const closed = once(socket, 'close');
      socket.close();
      await closed;
      await echo.waitForIdleFds();
    });
  }
}

inBothModes((mode) => {
  definePolling(mode);
  defineHeartbeat(mode);
  defineWebSocket(mode);
  defineStockClient(mode);
});
