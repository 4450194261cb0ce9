// SPDX-License-Identifier: GPL-3.0-or-later
// Engine.IO 4: the move of a session from polling to a WebSocket, and its failures.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { Socket } from 'engine.io-client';

import { inBothModes, isLong, startEcho, test } from './lib/echo.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { Polling, Raw, SEPARATOR, Wire, formatUpgrade } from './lib/wire.mjs';

const QUICK = ['--upgrade-timeout', '400'];

/* how long a session may take to notice what happened to its candidate */
const SOON = 150;

async function probe(wire) {
  wire.send('2probe');
  assert.equal(await wire.next(), '3probe');
}

/** Opens a session over polling and moves it. */
async function openAndUpgrade(t, echo) {
  const session = await Polling.open(echo);
  const wire = await Wire.upgrade(t, session);
  await probe(wire);
  wire.send('5');
  await wire.assertEchoes();
  return { session, wire };
}

function defineMove(mode) {
  test('a session moves with probe and upgrade', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--ping-interval', '1500']);
    const { wire } = await openAndUpgrade(t, echo);
    assert.equal(await wire.next(), '2');
    wire.send('3');
    wire.send(Buffer.from([1, 2]));
    assert.deepEqual(await wire.next(), Buffer.from([1, 2]));
  });

  test('a poll that waits at the probe is ended by a noop', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const poll = session.poll();
    await session.settle();
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    assert.deepEqual(await poll.then(({ status, text }) => ({ status, text })),
      { status: 200, text: '6' });
    wire.send('5');
    await wire.assertEchoes();
  });

  test('a poll that comes after the probe is ended by a noop', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    for (let i = 0; i < 3; i += 1)
      assert.equal((await session.poll()).text, '6');
    wire.send('5');
    await wire.assertEchoes();
  });

  test('messages that waited for a poll at the probe go out on it', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    await session.send('4a');
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    await session.send('4b');
    assert.deepEqual((await session.poll()).text.split(SEPARATOR), ['4a', '4b']);
    wire.send('5');
    await wire.assertEchoes();
  });

  test('messages that no poll fetched go out on the WebSocket, in order', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    await session.send(['4a', 'bAQI=', '4c'].join(SEPARATOR));
    wire.send('5');
    wire.send('4d');
    assert.equal(await wire.next(), '4a');
    assert.deepEqual(await wire.next(), Buffer.from([1, 2]));
    assert.equal(await wire.next(), '4c');
    assert.equal(await wire.next(), '4d');
  });

  test('frames that come with the upgrade packet are read', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    wire.socket._socket.cork();
    for (const packet of ['2probe', '5', '4a', '4b'])
      wire.send(packet);
    wire.socket._socket.uncork();
    assert.equal(await wire.next(), '3probe');
    assert.equal(await wire.next(), '4a');
    assert.equal(await wire.next(), '4b');
  });

  test('after the move a poll or POST is refused and harms nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { session, wire } = await openAndUpgrade(t, echo);
    const refusal = { status: 400, text: '{"code":3,"message":"Bad request"}' };
    const poll = await session.poll();
    assert.deepEqual({ status: poll.status, text: poll.text }, refusal);
    const post = await session.post('4x');
    assert.deepEqual({ status: post.status, text: post.text }, refusal);
    await wire.assertEchoes();
  });

  test('after the move another WebSocket is closed and harms nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { session, wire } = await openAndUpgrade(t, echo);
    const other = await Wire.upgrade(t, session);
    await other.waitForClose();
    assert.deepEqual(other.messages, []);
    await wire.assertEchoes();
  });

  test('the end of a moved session leaves nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { session, wire } = await openAndUpgrade(t, echo);
    wire.socket.close();
    await wire.waitForClose();
    assert.equal(await session.isKnown(), false);
    await echo.waitForIdleFds();
  });

  test('a session that began on WebSocket takes no other', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wire = await Wire.connect(t, echo);
    const other = await Wire.open(t, echo, `EIO=4&transport=websocket&sid=${wire.open.sid}`);
    await other.waitForClose();
    assert.deepEqual(other.messages, []);
    await wire.assertEchoes();
  });

  test('a ping before the move is answered after it', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      ['--ping-interval', '300', '--ping-timeout', '3000']);
    const session = await Polling.open(echo);
    assert.deepEqual(await session.receive(), ['2']);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    wire.send('5');
    wire.send('3');
    await sleep(250);
    assert.equal(await wire.next(), '2');
    wire.send('3');
    await wire.assertEchoes();
  });
}

function defineFailure(mode) {
  test('an upgrade that stops at the probe is given up in time', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, QUICK);
    const session = await Polling.open(echo);
    const start = performance.now();
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    await wire.waitForClose(2000);
    assert.ok(performance.now() - start > 300);
    await session.assertAlive();
    const poll = session.poll();
    await session.settle();
    await session.send('4waits again');
    assert.equal((await poll).text, '4waits again');
  });

  test('a WebSocket that never speaks is closed in time', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, QUICK);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await sleep(200);
    await session.assertAlive();
    await wire.waitForClose(2000);
    await session.assertAlive();
    await echo.waitForIdleFds();
  });

  test('a client that never sees the 101 leaves nothing behind', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, QUICK);
    const session = await Polling.open(echo);
    const raw = await Raw.open(t, echo.port);
    raw.socket.pause();
    raw.write(formatUpgrade(echo, `EIO=4&transport=websocket&sid=${session.sid}`));
    /* what is polled meanwhile is not taken for part of the upgrade */
    await session.assertAlive();
    await sleep(700);
    await session.assertAlive();
    raw.socket.destroy();
    await echo.waitForIdleFds();
  });

  test('a WebSocket that goes away before its 101 harms nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    for (let i = 0; i < 20; i += 1) {
      const raw = await Raw.open(t, echo.port);
      raw.socket.write(formatUpgrade(echo, `EIO=4&transport=websocket&sid=${session.sid}`), () => {
        if (i % 2 === 0)
          raw.socket.resetAndDestroy();
        else
          raw.socket.destroy();
      });
      await once(raw.socket, 'close');
    }
    await echo.waitForIdleFds();
    await session.assertAlive();
  });

  for (const packet of ['2', '2prob', '2probes', '3probe', '4hello', '5', '1', '6', 'x', '']) {
    test(`a WebSocket that begins with ${JSON.stringify(packet)} is closed`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode);
      const session = await Polling.open(echo);
      const wire = await Wire.upgrade(t, session);
      wire.send(packet);
      await wire.waitForClose();
      assert.deepEqual(wire.messages, []);
      await session.assertAlive();
    });
  }

  test('a WebSocket that begins with binary is closed', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    wire.send(Buffer.from('2probe'));
    await wire.waitForClose();
    await session.assertAlive();
  });

  test('a message between probe and upgrade packet closes the WebSocket', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    wire.send('4too early');
    await wire.waitForClose();
    await session.assertAlive();
  });

  test('a second WebSocket is closed, and the first goes on', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const first = await Wire.upgrade(t, session);
    await probe(first);
    const second = await Wire.upgrade(t, session);
    second.send('2probe');
    await second.waitForClose();
    assert.deepEqual(second.messages, []);
    first.send('5');
    await first.assertEchoes();
  });

  test('a WebSocket that goes amid the upgrade leaves the session, which tries again',
    async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode);
      const session = await Polling.open(echo);
      const first = await Wire.upgrade(t, session);
      await probe(first);
      first.socket._socket.resetAndDestroy();
      await sleep(SOON);
      await session.assertAlive();
      const second = await Wire.upgrade(t, session);
      await probe(second);
      second.send('5');
      await second.assertEchoes();
    });

  test('the end of the session ends its candidate', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    await session.send('1');
    await wire.waitForClose();
    assert.equal((await session.poll()).text, '6');
    await session.assertGone();
    await echo.waitForIdleFds();
  });

  test('a ping timeout amid the upgrade ends both', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      ['--ping-interval', '200', '--ping-timeout', '200']);
    const session = await Polling.open(echo);
    const wire = await Wire.upgrade(t, session);
    await probe(wire);
    await wire.waitForClose(2000);
    await session.assertGone();
    await echo.waitForIdleFds();
  });
}

/* Sends numbered messages as fast as they are taken, from before the upgrade until after it, and
 * returns what came back. */
async function echoWhileUpgrading(t, echo, count) {
  const socket = new Socket(echo.origin, { transports: ['polling', 'websocket'] });
  t.after(() => socket.close());
  const received = [];
  let upgradedAt = -1;
  let sent = 0;
  socket.on('message', (data) => received.push(data));
  socket.on('upgrade', () => { upgradedAt = sent; });
  await Promise.race([once(socket, 'open'),
    once(socket, 'error').then(([error]) => { throw error; })]);

  /* half of them by the time it has moved, the others then */
  while (sent < count && (upgradedAt < 0 || sent < count / 2)) {
    for (let i = 0; i < 10 && sent < count; i += 1)
      socket.send(`${sent++}`);
    await sleep(1);
    if (sent >= count / 2)
      await waitFor(() => upgradedAt >= 0, { what: 'the upgrade' });
  }
  while (sent < count)
    socket.send(`${sent++}`);
  await waitFor(() => received.length >= count, { timeout: 15000,
    what: `${count} echoes, of which ${received.length} came` });
  assert.equal(socket.transport.name, 'websocket');
  assert.ok(upgradedAt > 0, 'none was sent before the move');
  return received;
}

function defineLoad(mode) {
  test('1,000 messages sent amid the upgrade arrive once and in order', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const expected = Array.from({ length: 1000 }, (_, i) => `${i}`);
    for (let round = 0; round < (isLong ? 20 : 3); round += 1)
      assert.deepEqual(await echoWhileUpgrading(t, echo, 1000), expected);
  });

  test('20 clients upgrade at once amid their messages', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const expected = Array.from({ length: 200 }, (_, i) => `${i}`);
    const all = await Promise.all(Array.from({ length: 20 }, () =>
      echoWhileUpgrading(t, echo, 200)));
    for (const received of all)
      assert.deepEqual(received, expected);
  });
}

inBothModes((mode) => {
  defineMove(mode);
  defineFailure(mode);
  defineLoad(mode);
});
