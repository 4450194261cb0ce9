// SPDX-License-Identifier: GPL-3.0-or-later
// What waits for clients and how it is bounded, what is counted, and what recovery keeps.
import assert from 'node:assert/strict';
import { once } from 'node:events';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { call, connect, heard, open, waitForLog } from './lib/stock-client.mjs';
import { Polling, Wire, fetchRaw } from './lib/wire.mjs';

const MIB = 1024 * 1024;
const CHUNK = 20000;
/* more than all buffers of the kernel between the two take */
const FLOOD = 2000;

const start = (t, mode, ...pairs) =>
  startEcho(t, 'socketio-flow', mode, pairs.flatMap((pair) => ['--set', pair]));

const rawOf = (socket) => socket.io.engine.transport.ws._socket;

/** One that looks on, and one that does not read. */
async function connectDeaf(t, echo) {
  const one = await connect(t, echo);
  const deaf = await connect(t, echo);
  const { id } = deaf;
  rawOf(deaf).pause();
  return { one, deaf, id };
}

/** Fills it until the kernel, too, takes no more; says how many events went out. */
async function fillUp(one, id) {
  let total = 0;
  for (let full = 0; full < 3;) {
    const { sent, error } = await call(one, 'fill', id, FLOOD, CHUNK, '');
    assert.equal(error, 'queue-full');
    total += sent;
    full = sent === 0 ? full + 1 : 0;
    await sleep(30);
  }
  return total;
}

/** Says something until it is refused: the kernel may yet take more. Returns what was not. */
async function sayUntilRefused(one) {
  const taken = [];
  for (;;) {
    const { refusals } = await call(one, 'counters');
    const text = `${taken.length} ${'x'.repeat(CHUNK)}`;
    await call(one, 'say', text);
    const now = (await call(one, 'counters')).refusals;
    if (now > refusals) {
      assert.equal(now, refusals + 1);
      return taken;
    }
    taken.push(text);
  }
}

function defineQueues(mode) {
  const limit = `max-queued-bytes=${4 * MIB}`;

  test('over the limit a client is disconnected, and the sender told why', async (t) => {
    const echo = await start(t, mode, limit);
    const { one, id } = await connectDeaf(t, echo);
    const { sent, ...rest } = await call(one, 'fill', id, FLOOD, CHUNK, '');
    assert.deepEqual(rest, { error: 'queue-full', connected: false, ready: false, queued: 0 });
    assert.ok(sent * CHUNK > 4 * MIB && sent < FLOOD, `${sent} sent`);
    const counters = await call(one, 'counters');
    assert.equal(counters.overflows, 1);
    assert.equal(counters.refusals, 0);
    assert.equal(counters['ends-transport-error'], 1);
  });

  test('with overflow-policy refuse it stays, and gets all that was not refused', async (t) => {
    const echo = await start(t, mode, limit, 'overflow-policy="refuse"');
    const { one, deaf, id } = await connectDeaf(t, echo);
    let sent = await fillUp(one, id);
    const { sent: more, ...rest } = await call(one, 'fill', id, FLOOD, CHUNK, '');
    sent += more;
    assert.ok(rest.queued > 4 * MIB && rest.queued < 4 * MIB + 2 * CHUNK, `${rest.queued} queued`);
    assert.deepEqual({ ...rest, queued: 0 },
      { error: 'queue-full', connected: true, ready: false, queued: 0 });
    const taken = [];
    await waitFor(async () => {
      taken.push(...await sayUntilRefused(one));
      one.emit('ask', id);
      return heard(one, 'asked').length > 0;
    }, { timeout: 20000, what: 'a question to be refused' });
    assert.deepEqual(heard(one, 'asked')[0], ['queue-full']);

    rawOf(deaf).resume();
    await waitForLog(deaf, 'chunk', sent);
    await call(one, 'say', 'after');
    assert.deepEqual((await waitForLog(deaf, 'said', taken.length + 1)).flat(),
      [...taken, 'after']);
    assert.equal(heard(deaf, 'chunk').length, sent);
    assert.equal((await call(one, 'counters')).overflows, 0);
  });

  test('a client that only asks is cut off at twice the limit all the same', async (t) => {
    const echo = await start(t, mode, 'max-queued-bytes=65536', 'overflow-policy="refuse"');
    const { one, deaf, id } = await connectDeaf(t, echo);
    await fillUp(one, id);
    const gone = waitFor(async () => (await call(one, 'state')).sockets === 1,
      { timeout: 20000, what: 'its end' });
    /* each answer is some 100 bytes */
    for (let i = 0; i < 3000; i += 1)
      deaf.emit('state', () => {});
    await gone;
    assert.equal((await call(one, 'counters')).overflows, 1);
  });

  test('volatile events are dropped above the high mark, and only there', async (t) => {
    const echo = await start(t, mode, `high-mark=${MIB}`, `max-queued-bytes=${8 * MIB}`);
    const { one, deaf, id } = await connectDeaf(t, echo);
    const { sent, error, queued, connected } = await call(one, 'fill', id, FLOOD, CHUNK,
      'volatile');
    assert.equal(error, 'not-ready');
    assert.equal(connected, true);
    assert.ok(queued > MIB && queued < MIB + 2 * CHUNK, `${queued} queued`);
    assert.equal((await call(one, 'counters')).drops, 1);
    rawOf(deaf).resume();
    await waitForLog(deaf, 'chunk', sent);
    assert.equal((await call(one, 'fill', id, 1, CHUNK, 'volatile')).sent, 1);
    assert.equal((await call(one, 'counters')).drops, 1);
  });

  test('drained comes at the low mark, or when all is out', async (t) => {
    for (const low of [0, 2 * MIB]) {
      const echo = await start(t, mode, `low-mark=${low}`, `max-queued-bytes=${16 * MIB}`);
      const { one, deaf, id } = await connectDeaf(t, echo);
      const { queued } = await call(one, 'fill', id, 700, CHUNK, '');
      assert.ok(queued > 4 * MIB, `${queued} queued`);
      await call(one, 'watch', id);
      await sleep(150);
      assert.deepEqual(heard(one, 'drained'), []);
      rawOf(deaf).resume();
      const [[left]] = await waitForLog(one, 'drained');
      assert.ok(left <= low, `${left} left`);
      if (low > 0)
        assert.ok(left > 0, 'it came before all was out');
      await waitForLog(deaf, 'chunk', 700);
    }
  });
}

function defineCounters(mode) {
  test('connections, upgrades, packets and ends are counted', async (t) => {
    const echo = await start(t, mode, 'ping-interval=60000');
    const one = await connect(t, echo);
    const before = await call(one, 'counters');
    assert.equal(before['connections-websocket'], 1);
    assert.equal(before['connections-polling'], 0);

    const two = await connect(t, echo, { transports: ['polling', 'websocket'] });
    await waitFor(() => two.io.engine.transport.name === 'websocket', { what: 'the upgrade' });
    await waitFor(async () => (await call(one, 'counters')).upgrades === 1, { what: 'its count' });
    const middle = await call(one, 'counters');
    assert.equal(middle['connections-polling'], 1);
    assert.equal(middle['upgrades-failed'], 0);
    await call(one, 'say', 'x'.repeat(1000));
    await waitForLog(two, 'said');
    const after = await call(one, 'counters');
    /* two questions and an event; an answer, an event and another answer */
    assert.equal(after['packets-in'] - middle['packets-in'], 2);
    assert.equal(after['packets-out'] - middle['packets-out'], 3);
    const bytes = (name) => after[name] - middle[name];
    assert.ok(bytes('bytes-in') > 1000 && bytes('bytes-in') < 1200, `${bytes('bytes-in')}`);
    assert.ok(bytes('bytes-out') > 1500 && bytes('bytes-out') < 3500, `${bytes('bytes-out')}`);
    assert.equal(after['ends-transport-close'], 0);
    rawOf(two).destroy();
    await waitFor(async () => {
      const now = await call(one, 'counters');
      return now['ends-transport-close'] + now['ends-transport-error'] === 1;
    }, { what: 'its end' });
  });

  test('errors are counted by code', async (t) => {
    const echo = await start(t, mode, 'max-payload=1000');
    const one = await connect(t, echo);
    const ask = (query, options) => fetchRaw(echo, { path: `${echo.path}?${query}`, ...options });
    await ask('EIO=4&transport=pigeon');
    await ask('EIO=4&transport=polling&sid=nobody');
    await ask('EIO=4&transport=polling&sid=nobody');
    await ask('EIO=4&transport=polling', { method: 'POST', body: 'x' });
    await ask('EIO=4&transport=websocket');
    await ask('EIO=2&transport=polling');
    const session = await Polling.open(echo);
    await session.post('x'.repeat(2000));
    const refused = open(t, echo);
    refused.io.engine.on('open', () => refused.io.engine.write('0/nowhere,'));
    await once(refused, 'connect');
    await waitFor(async () => (await call(one, 'counters'))['connect-errors'] === 1,
      { what: 'the refusal' });
    const counters = await call(one, 'counters');
    assert.deepEqual(
      Object.fromEntries(Object.entries(counters).filter(([name]) => name.startsWith('errors-'))), {
        'errors-unknown-transport': 1,
        'errors-unknown-sid': 2,
        'errors-bad-handshake-method': 1,
        'errors-bad-request': 2,
        'errors-forbidden': 0,
        'errors-unsupported-protocol-version': 1,
      });
  });

  test('an upgrade that comes to nothing, silence and nonsense are counted', async (t) => {
    /* time enough for the one that answers */
    const echo = await start(t, mode, 'upgrade-timeout=100', 'ping-interval=300',
      'ping-timeout=4000');
    const one = await connect(t, echo);
    const session = await Polling.open(echo);
    await Wire.upgrade(t, session);
    await waitFor(async () => (await call(one, 'counters'))['upgrades-failed'] === 1,
      { what: 'the upgrade to fail' });
    const babbler = await Wire.connect(t, echo);
    babbler.send('nonsense');
    await waitFor(async () => (await call(one, 'counters'))['ends-parse-error'] === 1,
      { what: 'the end of it' });
    /* a kind that Socket.IO has not; and a good packet for where this one is not */
    const stutterer = await Wire.connect(t, echo);
    stutterer.send('49["x"]');
    await waitFor(async () => (await call(one, 'counters'))['ends-parse-error'] === 2,
      { what: 'the end of the second' });
    const stray = await Wire.connect(t, echo);
    stray.send('42/nowhere,["x"]');
    await waitFor(async () => (await call(one, 'counters'))['ends-by-server'] === 1,
      { what: 'the end of the third' });
    assert.equal((await call(one, 'counters'))['ends-parse-error'], 2);
    await waitFor(async () => (await call(one, 'counters'))['ends-ping-timeout'] === 1,
      { timeout: 20000, what: 'the end of the silent one' });
  });
}

/** Cuts the connection and comes back. */
async function cut(socket) {
  const gone = once(socket, 'disconnect');
  if (socket.io.engine.transport.name === 'websocket')
    rawOf(socket).destroy();
  else
    socket.io.engine.transport.onError('cut by the test');
  await gone;
}

async function comeBack(socket) {
  const back = once(socket, 'connect');
  socket.connect();
  await back;
}

const awaitAlone = (one) => waitFor(async () => (await call(one, 'state')).sockets === 1,
  { timeout: 20000, what: 'the other to be gone' });

function defineRecovery(mode) {
  const window = 'recovery-window=60000';

  test('binary events that were missed come as they were', async (t) => {
    const echo = await start(t, mode, window);
    const [one, two] = [await connect(t, echo), await connect(t, echo)];
    await call(one, 'say', 'first');
    await waitForLog(two, 'said');
    await cut(two);
    await awaitAlone(one);
    const parts = { a: Buffer.from([1, 2, 3]), b: [Buffer.alloc(0), Buffer.from([255])] };
    await call(one, 'say', 'with', parts);
    await call(one, 'say', 'without');
    await comeBack(two);
    assert.equal(two.recovered, true);
    const all = await waitForLog(two, 'said', 3);
    assert.deepEqual(all.map((args) => args.slice(0, -1)), [['first'], ['with', parts],
      ['without']]);
    const counters = await call(one, 'counters');
    assert.equal(counters.recoveries, 1);
    assert.equal(counters['recoveries-failed'], 0);
  });

  test('a client that polls is recovered as well', async (t) => {
    const echo = await start(t, mode, window, 'ping-interval=200', 'ping-timeout=3000');
    const one = await connect(t, echo);
    const two = await connect(t, echo, { transports: ['polling'] });
    const { id } = two;
    await call(one, 'say', 'first');
    await waitForLog(two, 'said');
    await cut(two);
    await awaitAlone(one);
    await call(one, 'say', 'second');
    await comeBack(two);
    assert.equal(two.recovered, true);
    assert.equal(two.id, id);
    const all = await waitForLog(two, 'said', 2);
    assert.deepEqual(all.map(([text]) => text), ['first', 'second']);
  });

  test('one that missed more bytes than are kept is a new one, and is told so', async (t) => {
    const echo = await start(t, mode, window, 'recovery-max-bytes=2000');
    const [one, two] = [await connect(t, echo), await connect(t, echo)];
    const { id } = two;
    await call(one, 'say', 'first');
    await waitForLog(two, 'said');
    await cut(two);
    await awaitAlone(one);
    for (let i = 0; i < 3; i += 1)
      await call(one, 'say', 'x'.repeat(800));
    await comeBack(two);
    assert.equal(two.recovered, false);
    assert.notEqual(two.id, id);
    assert.equal((await call(two, 'state')).recovered, false);
    assert.equal(heard(two, 'said').length, 1);
    const counters = await call(one, 'counters');
    assert.equal(counters.recoveries, 0);
    assert.equal(counters['recoveries-failed'], 1);
  });

  test('middleware is asked again, unless told otherwise', async (t) => {
    for (const skip of [false, true]) {
      const echo = await start(t, mode, window, `recovery-skip-middleware=${skip}`);
      const [one, two] = [await connect(t, echo), await connect(t, echo)];
      await call(one, 'say', 'first');
      await waitForLog(two, 'said');
      await cut(two);
      await awaitAlone(one);
      await comeBack(two);
      assert.equal(two.recovered, true);
      assert.equal((await call(two, 'state')).admitted, skip ? 2 : 3);
    }
  });

  test('one that was taken out of it gets no offsets, and is a new one', async (t) => {
    const echo = await start(t, mode, window);
    const [one, two] = [await connect(t, echo), await connect(t, echo)];
    assert.equal((await call(two, 'state')).recoverable, true);
    await call(one, 'say', 'before');
    await waitForLog(two, 'said');
    await call(two, 'forget');
    assert.equal((await call(two, 'state')).recoverable, false);
    await call(one, 'say', 'after');
    const [before, after] = await waitForLog(two, 'said', 2);
    assert.equal(before.length, 2);
    assert.deepEqual(after, ['after']);
    await cut(two);
    await awaitAlone(one);
    await comeBack(two);
    assert.equal(two.recovered, false);
  });

  test('an event that was refused is not made up for', async (t) => {
    const echo = await start(t, mode, window, `max-queued-bytes=${MIB}`,
      'overflow-policy="refuse"', `recovery-max-bytes=${64 * MIB}`, 'recovery-max-packets=100000');
    const { one, deaf, id } = await connectDeaf(t, echo);
    const sent = await fillUp(one, id);
    const taken = await sayUntilRefused(one);
    await cut(deaf);
    await awaitAlone(one);
    await comeBack(deaf);
    assert.equal(deaf.recovered, true);
    await waitForLog(deaf, 'chunk', sent);
    await call(one, 'say', 'heard');
    assert.deepEqual((await waitForLog(deaf, 'said', taken.length + 1)).map(([text]) => text),
      [...taken, 'heard']);
    assert.equal(heard(deaf, 'chunk').length, sent);
  });
}

inBothModes((mode) => {
  defineQueues(mode);
  defineCounters(mode);
  defineRecovery(mode);
});
