// SPDX-License-Identifier: GPL-3.0-or-later
// How large what a client sends may be, by every way in which it comes.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep } from './lib/process.mjs';
import { Polling, Raw, Wire, chunked, formatRequest } from './lib/wire.mjs';

function defineLimits(mode) {
  const limit = 1000;
  const options = ['--max-payload', String(limit)];

  test('a body of exactly the limit is taken', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const session = await Polling.open(echo);
    const packet = '4'.padEnd(limit, 'x');
    await session.send(packet);
    assert.deepEqual(await session.receive(), [packet]);
    await session.send(chunked(packet, 100), { 'Transfer-Encoding': 'chunked' });
    assert.deepEqual(await session.receive(), [packet]);
  });

  const bodies = {
    'Content-Length': [{}, '4'.padEnd(limit + 1, 'x')],
    'chunks': [{ 'Transfer-Encoding': 'chunked' }, chunked('4'.padEnd(limit + 1, 'x'), 100)],
    'Content-Length, 3 MB': [{}, Buffer.alloc(3e6, '4')],
    'chunks, 3 MB': [{ 'Transfer-Encoding': 'chunked' }, chunked(Buffer.alloc(3e6, '4'), 60000)],
  };
  for (const [what, [headers, body]] of Object.entries(bodies)) {
    test(`a body over the limit ends the session with 413: ${what}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, options);
      const session = await Polling.open(echo);
      const poll = session.poll();
      await session.settle();
      const { status, text } = await session.post(body, headers);
      assert.deepEqual({ status, text },
        { status: 413, text: '{"code":3,"message":"Payload too large"}' });
      assert.equal((await poll).text, '1');
      await session.assertGone();
      await echo.waitForIdleFds();
    });
  }

  test('a body without end is cut off, and nothing of it is kept', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const session = await Polling.open(echo);
    const raw = await Raw.open(t, echo.port);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 'x'),
      Buffer.from('\r\n')]);
    raw.write(formatRequest({ method: 'POST', path: session.path, body: '',
      headers: { 'Transfer-Encoding': 'chunked' } }));
    let sent = 0;
    while (!raw.hasEnded && !raw.hasClosed && sent < 64 * 1024 * 1024) {
      if (!raw.socket.write(chunk))
        await Promise.race([once(raw.socket, 'drain').catch(() => {}), raw.ended]);
      sent += chunk.length;
    }
    assert.ok(raw.hasEnded || raw.hasClosed, 'it took 64 MiB');
    await session.assertGone();
  });

  test('a message of exactly the limit is taken over WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const wire = await Wire.connect(t, echo);
    await wire.assertEchoes('x'.repeat(limit - 1));
    wire.send(Buffer.alloc(limit));
    assert.deepEqual(await wire.next(), Buffer.alloc(limit));
  });

  for (const [what, data] of [['text', '4'.padEnd(limit + 1, 'x')],
    ['binary', Buffer.alloc(limit + 1)], ['text of 200 kB', '4'.padEnd(200000, 'x')]]) {
    test(`a message over the limit closes the WebSocket with 1009: ${what}`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, options);
      const wire = await Wire.connect(t, echo);
      wire.send(data);
      assert.equal((await wire.waitForClose()).code, 1009);
      await echo.waitForIdleFds();
    });
  }

  test('fragments that together stay below the limit make one message', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const wire = await Wire.connect(t, echo);
    const parts = Array.from({ length: 64 }, (_, i) => `${i % 10}`.repeat(15));
    parts[0] = `4${parts[0].slice(1)}`;
    for (let round = 0; round < 3; round += 1) {
      parts.forEach((part, i) => {
        wire.send(part, { fin: i === parts.length - 1 });
        if (i % 16 === 0)
          wire.socket.ping();
      });
      assert.equal(await wire.next(), parts.join(''));
    }
  });

  test('64 fragments that together exceed the limit close the WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 64; i += 1)
      wire.send(i === 0 ? '4'.padEnd(16, 'x') : 'x'.repeat(16), { fin: i === 63 });
    assert.equal((await wire.waitForClose()).code, 1009);
    assert.deepEqual(wire.messages.slice(1), []);
    await echo.waitForIdleFds();
  });

  test('fragments without end close the WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, options);
    const wire = await Wire.connect(t, echo);
    while (!wire.hasClosed) {
      wire.send('4', { fin: false });
      await sleep(0);
    }
    assert.equal((await wire.closed).code, 1009);
  });
}

inBothModes(defineLimits);
