// SPDX-License-Identifier: GPL-3.0-or-later
// Many who come and go, and many who do not read: neither costs memory, descriptors, or others'
// time. Shortened unless CONFAB_TEST_LONG is 1.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import nodeTest from 'node:test';
import { fileURLToPath } from 'node:url';

import { io } from 'socket.io-client';

import { isLong, startEcho } from './lib/echo.mjs';
import { Child, countFds, memoryOf, sleep, waitFor } from './lib/process.mjs';
import { Polling, Raw, Wire, formatUpgrade } from './lib/wire.mjs';

const MIB = 1024 * 1024;
const CROWD = fileURLToPath(new URL('lib/crowd.py', import.meta.url));

/* of the server's stream, which are not shared between clients */
const STREAM_BYTES = 64 * 1024;

const start = (t, ...pairs) =>
  startEcho(t, 'socketio-flow', 'own', pairs.flatMap((pair) => ['--set', pair]));
const test = (name, run) => nodeTest(name, { timeout: isLong ? 1200000 : 120000 }, run);

async function connect(t, echo) {
  const socket = io(echo.origin, { path: echo.path, forceNew: true, reconnection: false,
    transports: ['websocket'] });
  t.after(() => socket.disconnect());
  await once(socket, 'connect');
  return socket;
}

const call = (socket, event, ...args) => socket.timeout(60000).emitWithAck(event, ...args);

/* Ways to begin a connection and to leave it there; each gives what ends it on this side. */
const HANDSHAKES = [
  /* a session that is never polled */
  async (t, echo) => { await Polling.open(echo); },
  /* a WebSocket that says nothing, and one that goes at once */
  async (t, echo) => (await Wire.open(t, echo)).socket,
  async (t, echo) => { (await Wire.open(t, echo)).socket.terminate(); },
  /* half of a request */
  async (t, echo) => {
    const raw = await Raw.open(t, echo.port);
    raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket').subarray(0, 60));
    await sleep(50);
    raw.socket.destroy();
  },
];
const UPGRADES = [
  /* never probed */
  async (t, echo) => (await Wire.upgrade(t, await Polling.open(echo))).socket,
  /* probed, and gone before the client has moved */
  async (t, echo) => {
    const wire = await Wire.upgrade(t, await Polling.open(echo));
    wire.send('2probe');
    await wire.next();
    wire.socket.terminate();
  },
];

/** Those whose end the server is to bring about are ended in the end. */
async function churn(echo, seconds, rate) {
  const afters = [];
  const owner = { after: (func) => afters.push(func) };
  const pending = new Set();
  let begun = 0;
  let failed = 0;
  const begin = (ways) => {
    const made = ways[begun % ways.length](owner, echo).catch(() => { failed += 1; });
    begun += 1;
    pending.add(made);
    made.finally(() => pending.delete(made));
  };
  const from = performance.now();
  for (let n = 0; n < seconds * rate; n += 1) {
    await sleep(Math.max(0, from + (n * 1000) / rate - performance.now()));
    begin(HANDSHAKES);
    begin(UPGRADES);
    /* the oldest are let go here only after the server had the time to */
    while (afters.length > 20 * rate)
      await afters.shift()();
  }
  await Promise.all(pending);
  return { begun, failed, end: () => afters.forEach((func) => func()) };
}

const idle = (echo, one, fds) => waitFor(async () => (await call(one, 'state')).connections === 1
  && await countFds(echo.pid) <= fds,
{ timeout: 60000, interval: 100, what: 'all to be gone' });

test('abandoned handshakes and upgrades leave memory and descriptors where they were',
  async (t) => {
    const rate = 40;
    const echo = await start(t, 'ping-interval=2000', 'ping-timeout=1000', 'upgrade-timeout=2000',
      'connect-timeout=2000');
    const one = await connect(t, echo);
    const fds = await countFds(echo.pid);
    const settle = async (seconds) => {
      const { begun, failed, end } = await churn(echo, seconds, rate);
      await idle(echo, one, fds);
      end();
      const { rss } = await memoryOf(echo.pid);
      return { begun, failed, rss, fds: await countFds(echo.pid) };
    };
    const before = await settle(isLong ? 60 : 5);
    const after = await settle(isLong ? 600 : 10);
    const counters = await call(one, 'counters');
    t.diagnostic(`${before.begun} begun: ${(before.rss / MIB).toFixed(1)} MiB, ${before.fds} fds; `
      + `${after.begun} more: ${(after.rss / MIB).toFixed(1)} MiB, ${after.fds} fds; `
      + `${counters['connections-polling']} by polling, `
      + `${counters['connections-websocket']} by WebSocket, `
      + `${counters['upgrades-failed']} upgrades failed, `
      + `${before.failed + after.failed} not begun`);
    assert.equal(before.failed + after.failed, 0);
    assert.equal(counters.upgrades, 0);
    assert.equal(counters['upgrades-failed'], (before.begun + after.begun) / 2);
    assert.equal(after.fds, fds);
    if (!echo.isSanitized)
      assert.ok(after.rss < before.rss + 2 * MIB, `${before.rss} and ${after.rss} bytes`);
  });

/** One run of the broadcast; with so many who do not read. */
async function broadcast(t, { readers, stuck, limit, count, size }) {
  const echo = await start(t, `max-queued-bytes=${limit}`, 'overflow-policy="refuse"',
    'ping-interval=3600000');
  const one = await connect(t, echo);
  const crowd = new Child('python3', [CROWD, `${echo.port}`, echo.path, `${readers}`, `${stuck}`],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => crowd.end());
  await crowd.waitForOutput(/^ready$/m, 60000);
  const before = (await memoryOf(echo.pid)).rss;
  let most = before;
  const timer = setInterval(async () => {
    most = Math.max(most, (await memoryOf(echo.pid)).rss);
  }, 200);
  t.after(() => clearInterval(timer));
  const ticked = once(one, 'ticked');
  one.emit('tick', 10, count, size);
  await ticked;
  clearInterval(timer);
  most = Math.max(most, (await memoryOf(echo.pid)).rss);
  const { refusals, overflows } = await call(one, 'counters');
  /* what they have yet to read */
  await sleep(500);
  crowd.process.stdin.end();
  const [line] = await crowd.waitForOutput(/^\{.*\}$/m, 60000);
  await echo.stop();
  return { ...JSON.parse(line), before, most, refusals, overflows,
    isSanitized: echo.isSanitized };
}

test('clients that do not read cost neither much memory nor the time of those who do',
  async (t) => {
    /* in all, more than the buffers of the kernel take for one who does not read */
    const size = isLong ? 2000 : 20000;
    const count = isLong ? 3000 : 300;
    const limit = 64 * 1024;
    const n = isLong ? 1000 : 50;
    const alone = await broadcast(t, { readers: n, stuck: 0, limit, count, size });
    const beside = await broadcast(t, { readers: n, stuck: n, limit, count, size });
    const tell = ({ median, p99, worst }) =>
      `median ${median} µs, p99 ${p99} µs, at worst ${worst} µs`;
    for (const [name, run] of Object.entries({ alone, beside }))
      t.diagnostic(`${n} readers ${name === 'alone' ? 'alone' : `beside ${n} that do not read`}: `
        + `${tell(run.all)}; of the second half ${tell(run.settled)}; ${run.refusals} events `
        + `refused; ${(run.before / MIB).toFixed(1)} MiB before, ${(run.most / MIB).toFixed(1)} `
        + 'MiB at most');
    for (const run of [alone, beside])
      assert.ok(run.ticks.every((ticks) => ticks === count), `${run.ticks} of ${count} heard`);
    assert.equal(alone.refusals, 0);
    assert.ok(beside.refusals > n, `${beside.refusals} refused`);
    assert.equal(beside.overflows, 0);
    if (!beside.isSanitized) {
      // on a busy machine some events wait for those who read as well
      const bound = n * (limit + STREAM_BYTES + 4 * size) + 8 * MIB;
      assert.ok(beside.most - beside.before < bound,
        `${beside.most - beside.before} bytes more, ${bound} allowed`);
    }
  });
