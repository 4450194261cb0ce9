// SPDX-License-Identifier: GPL-3.0-or-later
// How sockets, connections and servers end, and what is told of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { memoryOf, sleep, waitFor } from './lib/process.mjs';
import {
  call, connect, connectMany, connectWatcher, heard, open, waitForLog,
} from './lib/stock-client.mjs';
import { Polling, Raw, Wire, fetchRaw, formatUpgrade } from './lib/wire.mjs';

const MIB = 1024 * 1024;
/* long enough for what must not come */
const SILENCE = 150;

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

  /* A session by polling, whose WebSocket is probed, and that the server closes then. */
  const closeWhileMoving = async (t) => {
    const echo = await startEcho(t, 'socketio-lab', mode);
    const watcher = await connectWatcher(t, echo);
    const session = await Polling.open(echo);
    await session.send('40');
    const [, id] = /^40\{"sid":"([^"]+)"/.exec((await session.poll()).text);
    const wire = await Wire.upgrade(t, session);
    wire.send('2probe');
    assert.equal(await wire.next(), '3probe');
    await call(watcher, 'end', id, 1);
    assert.deepEqual(await waitForLog(watcher, 'ended'), [[id, 'forced close']]);
    return { echo, session, wire };
  };

  test('who moves while the server closes hears of it where he moves to', async (t) => {
    const { echo, wire } = await closeWhileMoving(t);
    await sleep(SILENCE);
    assert.ok(!wire.hasClosed);
    wire.send('5');
    await wire.waitForClose(2000);
    await echo.waitForIdleFds({ extra: 2 });
  });

  test('who polls once more while the server closes hears of it there', async (t) => {
    const { echo, session, wire } = await closeWhileMoving(t);
    assert.equal((await session.poll()).text, '1');
    await wire.waitForClose(2000);
    await echo.waitForIdleFds({ extra: 2 });
  });

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
  defineEnds(mode);
  defineClose(mode);
});
