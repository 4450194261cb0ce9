// SPDX-License-Identifier: GPL-3.0-or-later
// Engine.IO 4: clients that do not read, do not answer, or go away, by the hundred; and what is
// left of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, isLong, startEcho, test } from './lib/echo.mjs';
import { countFds, memoryOf, sleep, waitFor } from './lib/process.mjs';
import { Polling, Raw, Wire, formatFrame, formatRequest, formatUpgrade, parseResponse }
  from './lib/wire.mjs';

const MIB = 1024 * 1024;

/* Made once: to mask it takes so long that hundreds of them would hold up all that runs beside. */
const LARGE_FRAME = formatFrame('4'.padEnd(60000, 'x'));

/* what the first WebSocket costs: its socket, and on own streams the shard's wakeup */
const fdsOfOne = (mode) => (mode === 'own' ? 2 : 1);

/* Opens a WebSocket by hand and stops reading from it. */
async function openDeaf(t, echo) {
  const raw = await Raw.open(t, echo.port, { allowHalfOpen: true });
  raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket'));
  await raw.waitForText(/"maxPayload":\d+\}$/);
  raw.socket.pause();
  return raw;
}

/* Writes frames until the server has had enough; returns how many bytes that took. */
async function floodUntilClosed(raw, mostBytes) {
  let sent = 0;
  while (!raw.error && !raw.hasClosed && sent < mostBytes) {
    sent += LARGE_FRAME.length;
    if (!raw.socket.write(LARGE_FRAME))
      await Promise.race([once(raw.socket, 'drain').catch(() => {}), raw.ended]);
  }
  return sent;
}

/* The stock listener's backlog is 10: those beyond wait a second for their next try. */
const AT_ONCE = { own: 50, stock: 8 };

async function inBatches(total, mode, run) {
  const size = AT_ONCE[mode];
  for (let at = 0; at < total; at += size)
    await Promise.all(Array.from({ length: Math.min(size, total - at) }, (_, i) => run(at + i)));
}

function defineSlowReaders(mode) {
  test('a client that does not read is disconnected, and others go on', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', '200000']);
    const other = await Wire.connect(t, echo);
    const deaf = await openDeaf(t, echo);
    const before = await memoryOf(echo.pid);
    let rounds = 0;
    const talk = (async () => {
      while (!deaf.error && !deaf.hasClosed && rounds < 10000) {
        await other.assertEchoes(`${rounds}`);
        rounds += 1;
      }
    })();
    const sent = await floodUntilClosed(deaf, 128 * MIB);
    await talk;
    assert.ok(deaf.error || deaf.hasClosed, `it took ${sent} bytes`);
    assert.ok(rounds > 0);
    await other.assertEchoes();
    if (!echo.isSanitized) {
      const grown = (await memoryOf(echo.pid)).rss - before.rss;
      assert.ok(grown < 8 * MIB, `${grown} bytes more`);
    }
    deaf.socket.destroy();
    await echo.waitForIdleFds({ extra: fdsOfOne(mode) });
  });

  test('a client that does not read, but is within the limit, gets all of it later', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const deaf = await openDeaf(t, echo);
    const count = 300;
    for (let i = 0; i < count; i += 1)
      deaf.write(LARGE_FRAME);
    await waitFor(() => deaf.socket.writableLength === 0, { timeout: 10000, what: 'all sent' });
    await sleep(200);
    let received = deaf.received.length;
    deaf.socket.removeAllListeners('data');
    deaf.socket.on('data', (data) => { received += data.length; });
    const expected = received + count * (60000 + 4);
    deaf.socket.resume();
    await waitFor(() => received >= expected, { timeout: 15000, what: `${expected} bytes` });
    assert.equal(received, expected);
  });

  test('a client that does not read costs no processor time', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const deaf = await openDeaf(t, echo);
    for (let i = 0; i < 300; i += 1)
      deaf.write(LARGE_FRAME);
    await waitFor(() => deaf.socket.writableLength === 0, { timeout: 10000, what: 'all sent' });
    await sleep(300);
    const before = await echo.cpuTime();
    await sleep(1000);
    const used = await echo.cpuTime() - before;
    assert.ok(used <= 100, `${used} ms in a second`);
  });

  test('a client that never polls is disconnected', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', '200000']);
    const session = await Polling.open(echo);
    let posts = 0;
    while (await session.isKnown() && posts < 100) {
      await session.send('4'.padEnd(50000, 'x'));
      posts += 1;
    }
    assert.ok(posts >= 4 && posts <= 6, `${posts} posts of 50,000 bytes`);
    await session.assertGone();
  });

  test('a client that reads is never taken for one that does not', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', '200000']);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 100; i += 1) {
      wire.send('4'.padEnd(100000, 'x'));
      assert.equal((await wire.next()).length, 100000);
    }
  });
}

function defineClosing(mode) {
  test('a close that the peer never answers is cut off', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port, { allowHalfOpen: true });
    raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket'));
    await raw.waitForText(/"maxPayload":\d+\}$/);
    raw.write(formatFrame('9'));
    await raw.waitForText(/\x88\x02\x03\xe8$/);
    await echo.waitForIdleFds({ timeout: 15000 });
    await raw.waitForEnd();
  });

  test('a close that the peer does not even read is cut off', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-queued-bytes', `${64 * MIB}`]);
    const deaf = await openDeaf(t, echo);
    for (let i = 0; i < 200; i += 1)
      deaf.write(LARGE_FRAME);
    deaf.write(formatFrame('9'));
    await echo.waitForIdleFds({ timeout: 15000 });
  });

  test('a peer that answers the close but keeps its connection is cut off', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port, { allowHalfOpen: true });
    raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket'));
    await raw.waitForText(/"maxPayload":\d+\}$/);
    raw.write(formatFrame('9'));
    await raw.waitForText(/\x88\x02\x03\xe8$/);
    raw.write(formatFrame([0x03, 0xe8], { opcode: 8 }));
    await echo.waitForIdleFds({ timeout: 15000 });
  });

  test('a poll may wait longer than a body may take to come',
    { skip: isLong ? false : 'takes more than half a minute' }, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode, ['--ping-interval', '35000']);
      const session = await Polling.open(echo);
      const { status, text } = await session.poll({ timeout: 40000 });
      assert.deepEqual({ status, text }, { status: 200, text: '2' });
    });

  test('SIGTERM ends it with polls, POSTs and WebSockets under way', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const waiting = await Polling.open(echo);
    const poll = await waiting.startPoll(t);
    const posting = await Polling.open(echo);
    const post = await Raw.open(t, echo.port);
    post.write(formatRequest({ method: 'POST', path: posting.path, body: '4abc' }).subarray(0, -1));
    const upgrading = await Polling.open(echo);
    const candidate = await Wire.upgrade(t, upgrading);
    candidate.send('2probe');
    await candidate.next();
    const wire = await Wire.connect(t, echo);
    const deaf = await openDeaf(t, echo);
    deaf.write(LARGE_FRAME);
    await sleep(100);
    await echo.stop();
    await Promise.all([poll.waitForEnd(), post.waitForEnd(), wire.waitForClose(),
      candidate.waitForClose()]);
    /* a poll that was answered at all was told of the end */
    const response = parseResponse(poll.received);
    if (response)
      assert.equal(response.text, '1');
  });
}

function defineLeaks(mode) {
  test('1,000 GETs leave no file descriptor', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      ['--ping-interval', '200', '--ping-timeout', '200']);
    await inBatches(1000, mode, () => Polling.open(echo));
    await echo.waitForIdleFds();
  });

  test('1,000 WebSockets come and go and leave nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const cycle = async () => {
      await inBatches(1000, mode, async (i) => {
        const wire = await Wire.connect(t, echo);
        await wire.assertEchoes();
        if (i % 3 === 0)
          wire.socket.terminate();
        else if (i % 3 === 1)
          wire.socket.close();
        else
          wire.send('1');
        await wire.waitForClose();
      });
      await echo.waitForIdleFds();
      return (await memoryOf(echo.pid)).rss;
    };
    const first = await cycle();
    if (!echo.isSanitized) {
      const grown = await cycle() - first;
      assert.ok(grown < 2 * MIB, `${grown} bytes more after another 1,000`);
    }
  });

  test('200 upgraded sessions come and go and leave no file descriptor', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    await inBatches(200, mode, async () => {
      const session = await Polling.open(echo);
      const wire = await Wire.upgrade(t, session);
      wire.send('2probe');
      assert.equal(await wire.next(), '3probe');
      wire.send('5');
      await wire.assertEchoes();
      wire.socket.close();
      await wire.waitForClose();
    });
    await echo.waitForIdleFds();
  });

  const resets = {
    'amid the head of a request': (echo) => formatUpgrade(echo, 'EIO=4&transport=websocket')
      .subarray(0, 60),
    'with its upgrade': (echo) => formatUpgrade(echo, 'EIO=4&transport=websocket'),
    'with a handshake': (echo) => formatRequest({ path: `${echo.path}?EIO=4&transport=polling` }),
    'amid a frame': (echo) => Buffer.concat([formatUpgrade(echo, 'EIO=4&transport=websocket'),
      formatFrame('4hello').subarray(0, 5)]),
    'with output on its way': (echo) => Buffer.concat([
      formatUpgrade(echo, 'EIO=4&transport=websocket'),
      ...Array(20).fill(LARGE_FRAME)]),
  };
  for (const [what, format] of Object.entries(resets)) {
    test(`100 peers that reset ${what} leave nothing`, async (t) => {
      const echo = await startEcho(t, 'engineio-echo', mode);
      await inBatches(100, mode, async (i) => {
        const raw = await Raw.open(t, echo.port);
        await new Promise((resolve) => { raw.socket.write(format(echo), resolve); });
        await sleep(i % 10);
        raw.socket.resetAndDestroy();
      });
      await echo.waitForIdleFds();
      await (await Wire.connect(t, echo)).assertEchoes();
    });
  }

  test('many clients at once hear only their own messages', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const wires = [];
    await inBatches(100, mode, async () => { wires.push(await Wire.connect(t, echo)); });
    for (let round = 0; round < 20; round += 1)
      await Promise.all(wires.map((wire, i) => wire.assertEchoes(`${i} ${round}`)));
    assert.ok(await countFds(echo.pid) >= echo.idleFds + 100);
  });
}

function defineOwnOnly() {
  test('without file descriptors it turns peers away, and recovers', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', 'own', [], { maxFds: 60 });
    const first = await Wire.connect(t, echo);
    const raws = [];
    for (let i = 0; i < 120; i += 1)
      raws.push(await Raw.open(t, echo.port));
    await waitFor(() => raws.some((raw) => raw.text.startsWith('HTTP/1.1 503 ')),
      { what: 'somebody turned away' });
    await first.assertEchoes();
    for (const raw of raws)
      raw.socket.destroy();
    /* those that still stand in the backlog come first */
    const second = await waitFor(() => Wire.connect(t, echo).catch(() => null),
      { what: 'a newcomer is served again' });
    await second.assertEchoes();
    await first.assertEchoes();
    await Polling.open(echo);
  });
}

inBothModes((mode) => {
  defineSlowReaders(mode);
  defineClosing(mode);
  defineLeaks(mode);
  if (mode === 'own')
    defineOwnOnly();
});
