// SPDX-License-Identifier: GPL-3.0-or-later
// Connections that hold a place and give nothing for it, requests that are bombs, and more of both
// than there are file descriptors.
import assert from 'node:assert/strict';
import test from 'node:test';

import { connect } from '../integration/lib/chat.mjs';
import { fetchFrom } from '../integration/lib/http.mjs';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { Attacker, request, text, upgradeRequest } from './lib/attacker.mjs';
import { MIB, SAMPLE_MS, Storm, isInstrumented, long } from './lib/storm.mjs';

const SOCKET = '/api/socket/?EIO=4&transport=polling';
/* One local address has some 28,000 ports at best, of which many are in TIME_WAIT. */
const LOCAL_ADDRESSES = 8;

/* of a server that asks whether we are there */
const PING = '\x81\x012';

/** Opens `count` connections, some at a time, and says `greeting` on each once it is open. */
async function openMany(storm, count, { atATime = 200, greeting = null } = {}) {
  const all = [];
  for (let i = 0; i < count; i += atATime) {
    const some = Array.from({ length: Math.min(atATime, count - i) }, (_, k) =>
      new Attacker(storm.port, { localAddress: `127.0.0.${2 + ((i + k) % LOCAL_ADDRESSES)}` }));
    await Promise.all(some.map((one) => waitFor(() => !one.socket.connecting,
      { timeout: 60000, interval: 5 })));
    if (greeting !== null)
      some.forEach(({ socket }) => socket.write(greeting));
    all.push(...some);
  }
  storm.t.after(() => all.forEach(({ socket }) => socket.destroy()));
  return all;
}

const destroyAll = (all) => all.forEach(({ socket }) => socket.destroy());
const countClosed = (all) => all.filter(({ closed }) => closed).length;

/** Counts the statuses of those who were answered. */
function countStatuses(all) {
  const counts = {};
  for (const { status } of all)
    if (status > 0)
      counts[`× ${status}`] = (counts[`× ${status}`] ?? 0) + 1;
  return counts;
}

test('heads that come byte by byte', async (t) => {
  const storm = await Storm.start(t);
  const head = `${request('/', { headers: { 'X-Slow': 'y'.repeat(4000) } })}`;
  const all = await openMany(storm, long ? 1000 : 300);
  for (let i = 0; i < 140 && countClosed(all) < all.length; i += 1) {
    all.filter(({ closed }) => !closed).forEach(({ socket }) => socket.write(head[i]));
    await sleep(100);
  }
  assert.equal(countClosed(all), all.length, 'all were given up');
  assert.deepEqual(countStatuses(all), { '× 408': all.length });
  await storm.weather({ connections: all.length, ...countStatuses(all) });
});

test('bodies that come byte by byte', async (t) => {
  const storm = await Storm.start(t);
  const all = await openMany(storm, long ? 500 : 100);
  const head = request('/api/chat', { method: 'POST', headers: { 'Content-Length': 100000 } });
  all.forEach(({ socket }) => socket.write(head));
  /* they are given up after 30 s */
  const rounds = long ? 400 : 20;
  for (let i = 0; i < rounds && countClosed(all) < all.length; i += 1) {
    all.filter(({ closed }) => !closed).forEach(({ socket }) => socket.write('x'));
    await sleep(100);
  }
  const closed = countClosed(all);
  assert.ok(!long || closed === all.length, `${closed} of ${all.length} were given up`);
  destroyAll(all);
  await storm.weather({ connections: all.length, 'given up': closed }, 24 * MIB);
});

test('bodies in chunks of one byte', async (t) => {
  const storm = await Storm.start(t);
  const n = long ? 200000 : 60000;
  const all = await openMany(storm, 10);
  const headers = { 'Transfer-Encoding': 'chunked' };
  const head = request('/api/chat', { method: 'POST', headers });
  all.forEach(({ socket }) => socket.write(`${head}${'1\r\nx\r\n'.repeat(n)}`));
  await waitFor(() => all.every(({ socket }) => socket.writableLength === 0),
    { timeout: 60000, interval: 20, what: 'all to be taken' });
  await sleep(SAMPLE_MS * 3);
  all.forEach(({ socket }) => socket.write('0\r\n\r\n'));
  await waitFor(() => all.every(({ status }) => status > 0),
    { timeout: 60000, interval: 20, what: 'answers' });
  destroyAll(all);
  const chunks = n * all.length;
  await storm.weather({ chunks, ...countStatuses(all) }, 16 * MIB);
  // they are read in turns with what others want
  assert.ok(storm.served > chunks / 100000, `${storm.served} answers to others`);
});

test('bodies whose senders leave, and nobody comes after them', async (t) => {
  const storm = await Storm.start(t, { clients: 0 });
  const all = await openMany(storm, 400);
  const head = request('/api/chat', { method: 'POST', headers: { 'Content-Length': 100000 } });
  all.forEach(({ socket }) => socket.write(`${head}${'x'.repeat(30000)}`));
  await waitFor(async () => await isInstrumented()
      || (await storm.measure()).rss > storm.before.rss + 16 * MIB,
    { timeout: 60000, interval: 50, what: 'bodies to be kept' });
  await sleep(SAMPLE_MS * 3);
  destroyAll(all);
  await storm.weather({ connections: all.length }, 48 * MIB, 6 * MIB);
});

test('connections that say nothing, or half of something', async (t) => {
  const storm = await Storm.start(t);
  const all = await openMany(storm, long ? 2000 : 400);
  const parts = ['', 'GET', 'GET / HTTP/1.1\r\nHost: local', 'POST /api/chat HTTP/1.1\r\n'];
  all.forEach(({ socket }, i) => socket.write(parts[i % parts.length]));
  await waitFor(() => countClosed(all) === all.length,
    { timeout: 60000, interval: 100, what: 'all to be given up' });
  const statuses = countStatuses(all);
  await storm.weather({ connections: all.length, ...statuses });
});

test('connections that stop in the middle of becoming one', async (t) => {
  const storm = await Storm.start(t);
  const all = await openMany(storm, long ? 2000 : 300);
  // upgraded, and never CONNECT
  all.forEach(({ socket }) => socket.write(upgradeRequest()));
  await waitFor(() => all.every(({ text }) => text.includes('"sid"')),
    { timeout: 60000, interval: 50, what: 'all handshakes' });
  // until they time out others come and go
  assert.equal((await fetchFrom(storm.confabd, { path: '/healthz' })).status, 200);
  destroyAll(all);
  await storm.weather({ connections: all.length }, long ? 64 * MIB : 32 * MIB);
});

test('heads and queries that are bombs', async (t) => {
  const storm = await Storm.start(t);
  const many = (n, make) => Object.fromEntries(Array.from({ length: n }, (_, i) => make(i)));
  const bombs = [
    request('/', { headers: { Bomb: 'x'.repeat(MIB) } }),
    request('/', { headers: many(20000, (i) => [`X-${i}`, i]) }),
    request('/', { headers: many(1500, (i) => [`X-${i}`, '']) }),
    request(`/${'x'.repeat(MIB)}`),
    request(`/?${'a=b&'.repeat(3500)}`),
    request(`/?${'&'.repeat(15000)}`),
    request(`${SOCKET}&${'sid='.repeat(3500)}`),
    request(`${SOCKET}&${'%41=%00&'.repeat(1800)}`),
    request(`/${'../'.repeat(5000)}etc/passwd`),
    request(`/${'%2e%2e%2f'.repeat(1600)}`),
    request('/', { headers: { Cookie: 'a=b;'.repeat(3500) } }),
    request('/', { headers: { Authorization: `Bearer ${'x'.repeat(15000)}` } }),
    request('/', { headers: { 'X-Forwarded-For': '1.2.3.4,'.repeat(1800) } }),
    request('/', { headers: { 'Accept-Encoding': 'gzip;q=0.1,'.repeat(1300) } }),
    request('/', { headers: { Range: `bytes=${'0-1,'.repeat(3500)}` } }),
    Buffer.from(`GET / HTTP/1.1\r\n${'\r\n'.repeat(100)}`),
    Buffer.from(`${'\r\n'.repeat(50000)}GET / HTTP/1.1\r\n\r\n`),
    Buffer.from(`${'M'.repeat(100000)} / HTTP/1.1\r\n\r\n`),
    Buffer.from(Array.from({ length: 50000 }, (_, i) => (i * 37) % 256)),
  ];
  const all = [];
  for (let round = 0; round < (long ? 200 : 10); round += 1) {
    const some = await openMany(storm, bombs.length);
    some.forEach(({ socket }, i) => socket.write(bombs[i]));
    await waitFor(() => countClosed(some) === some.length,
      { timeout: 60000, what: 'every bomb to be answered or cut' });
    all.push(...some);
  }
  const statuses = countStatuses(all);
  assert.equal(Object.keys(statuses).filter((key) => key.startsWith('× 5')
    && !['× 501', '× 505'].includes(key)).length, 0, JSON.stringify(statuses));
  await storm.weather({ bombs: all.length, ...statuses });
});

test('more connections than file descriptors', async (t) => {
  const limit = long ? 15000 : 400;
  const storm = await Storm.start(t, { ulimit: `-n ${limit}` });
  /* this program has a limit, too */
  const count = long ? 19500 : 600;
  // so many take longer than one that says nothing, or answers no ping, is waited for
  const handshakes = await openMany(storm, count, { greeting: upgradeRequest() });
  handshakes.forEach((one) => {
    one.onData = (data) => data.includes(PING) && one.socket.write(text('3'));
  });
  await waitFor(() => handshakes.every((one) => one.closed || one.text.includes('"sid"')),
    { timeout: 120000, interval: 100, what: 'all to be in, or told that there is no room' });
  const inside = handshakes.filter(({ closed }) => !closed).length;
  const statuses = countStatuses(handshakes);
  assert.ok(inside > limit / 2 && inside < limit, `${inside} are in`);
  assert.ok((statuses['× 503'] ?? 0) > 50, JSON.stringify(statuses));
  // who is in is served meanwhile: storm's clients, whose answers come from another connection
  const { served } = storm;
  await waitFor(() => storm.served > served + 5, { timeout: 30000, what: 'answers' });
  destroyAll(handshakes);
  await storm.weather({ connections: count, inside, ...statuses },
    (await isInstrumented() ? 1024 : long ? 160 : 32) * MIB);
});

test('silent connections in every place give way to those who speak', async (t) => {
  const storm = await Storm.start(t, { ulimit: `-n ${long ? 4000 : 400}` });
  const count = long ? 4500 : 600;
  const silent = await openMany(storm, count);
  await sleep(1200);
  let served = 0;
  for (let i = 0; i < 20; i += 1) {
    const chat = await connect(t, storm.confabd, { transports: ['websocket'] });
    assert.equal((await chat.ask({ moduleId: `late-${i}`, message: 'Hello' })).event, 'complete');
    chat.socket.disconnect();
    served += 1;
  }
  const givenUp = countClosed(silent);
  destroyAll(silent);
  await storm.weather({ silent: count, 'given up': givenUp, 'served beside them': served });
});
