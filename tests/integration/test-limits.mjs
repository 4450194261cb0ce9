// SPDX-License-Identifier: GPL-3.0-or-later
// How much one client and one address may ask, and how they are told that it was too much.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';

import { connect, open } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { fetchFrom } from './lib/http.mjs';
import { waitFor } from './lib/process.mjs';
import { BUILTIN } from './lib/ui-stream.mjs';

const start = (t, config) => startConfabd(t, BUILTIN, { config: `[confab]\n${config}` });

/* What a proxy on this machine tells of a client elsewhere. */
const from = (address) => ({ extraHeaders: { 'X-Forwarded-For': address } });
const via = (address) => ({ 'X-Forwarded-For': address });

const info = (confabd, headers) => fetchFrom(confabd, {
  path: '/api/call/server:info', method: 'POST', headers, body: '{}',
});

const count = (list, value) => list.filter((each) => each === value).length;

/** Sends `n` requests in one go; their acks. */
const flood = (chat, n) => Promise.all(Array.from({ length: n },
  () => chat.call('server:info', {})));

test('a client that asks too fast is told when to come back', async (t) => {
  const confabd = await start(t, 'client-rate=5\n');
  const chat = await connect(t, confabd);
  const acks = await flood(chat, 80);
  const passed = acks.filter(({ ok }) => ok).length;
  assert.ok(passed >= 50 && passed < 75, `${passed} passed`);
  for (const { ok, code, error, retryAfterMs } of acks.slice(passed)) {
    assert.deepEqual([ok, code], [false, 'rate-limited']);
    assert.match(error, /Try again in \d+ second/);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 1000, String(retryAfterMs));
  }

  // what it was told is true, and others do not notice
  assert.equal((await (await connect(t, confabd)).call('server:info', {})).ok, true);
  await new Promise((resolve) => { setTimeout(resolve, acks.at(-1).retryAfterMs); });
  assert.equal((await chat.call('server:info', {})).ok, true);
});

test('without an ack the refusal is an event', async (t) => {
  const confabd = await start(t, 'client-rate=1\n');
  const chat = await connect(t, confabd);
  for (let i = 0; i < 15; i += 1)
    chat.socket.emit('ai:chat:stop', { moduleId: 'unknown' });
  await waitFor(() => chat.all('error').some(({ code }) => code === 'rate-limited'));
  const refusal = chat.all('error').find(({ code }) => code === 'rate-limited');
  assert.equal(refusal.retryable, true);
  assert.ok(refusal.retryAfterMs > 0 && refusal.retryAfterMs <= 1000);
  assert.equal(refusal.moduleId, 'unknown');
  assert.equal(refusal.generationId, undefined, 'it ends nothing');
});

test('a question that was refused is not used up', async (t) => {
  const confabd = await start(t, 'client-rate=1\n');
  const chat = await connect(t, confabd);
  await flood(chat, 15);
  const payload = { moduleId: 'm', message: 'Hello!', requestId: 'r' };
  const refused = await chat.call('ai:chat:generate', payload);
  assert.equal(refused.code, 'rate-limited');
  const ack = await waitFor(async () => {
    const answer = await chat.call('ai:chat:generate', payload);
    return answer.ok && answer;
  }, { interval: 300 });
  await chat.end(ack.generationId);
  assert.equal(chat.all('started').length, 1);
});

test('over HTTP it is a 429 with Retry-After', async (t) => {
  const confabd = await start(t, 'address-rate=2\nlimit-local=true\n');
  const answers = [];
  for (let i = 0; i < 30; i += 1)
    answers.push(await info(confabd));
  const passed = count(answers.map(({ status }) => status), 200);
  assert.ok(passed >= 20 && passed < 30, `${passed} passed`);
  const refused = answers.find(({ status }) => status === 429);
  assert.ok(Number(refused.headers['retry-after']) >= 1);
  assert.equal(refused.json.code, 'rate-limited');
  assert.ok(refused.json.retryAfterMs <= 1000 * Number(refused.headers['retry-after']));
  // a supervisor is never refused
  assert.equal((await fetchFrom(confabd, { path: '/healthz' })).status, 200);
});

test('whoever guesses tokens is refused before it is looked at', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin'],
    { config: '[confab]\naddress-rate=1\n' });
  const guess = (token) => fetchFrom(confabd, {
    path: '/metrics', headers: { Authorization: `Bearer ${token}`, ...via('192.0.2.1') },
  });
  const statuses = [];
  for (let i = 0; i < 15; i += 1)
    statuses.push((await guess(`wrong-${i}`)).status);
  assert.equal(statuses[0], 401);
  assert.ok(count(statuses, 429) >= 3, statuses.join(' '));
  assert.equal((await guess(confabd.token)).status, 429, 'the right one, too');
  // its owner, on this machine, is not locked out
  const headers = { Authorization: `Bearer ${confabd.token}` };
  assert.equal((await fetchFrom(confabd, { path: '/metrics', headers })).status, 200);
});

test('addresses that a proxy tells are counted apart, and this machine is not', async (t) => {
  const confabd = await start(t, 'address-rate=1\n');
  const ask = async (address) => {
    const statuses = [];
    for (let i = 0; i < 15; i += 1)
      statuses.push((await info(confabd, address ? via(address) : {})).status);
    return count(statuses, 429);
  };
  assert.ok(await ask('192.0.2.1') >= 3);
  assert.ok(await ask('198.51.100.7, 192.0.2.2') >= 3);
  assert.equal((await info(confabd, via('198.51.100.7'))).status, 200, 'a claim harms nobody');
  assert.equal(await ask(null), 0);
  assert.equal(await ask('127.0.0.1'), 0);
});

test('events of Socket.IO count for their address, over all its clients', async (t) => {
  const confabd = await start(t, 'address-rate=2\n');
  const chats = [await connect(t, confabd, from('192.0.2.1')),
    await connect(t, confabd, from('192.0.2.1'))];
  const elsewhere = await connect(t, confabd, from('192.0.2.2'));
  const acks = [...await flood(chats[0], 15), ...await flood(chats[1], 15)];
  assert.ok(count(acks.map(({ code }) => code), 'rate-limited') >= 3);
  assert.equal((await elsewhere.call('server:info', {})).ok, true);
});

for (const transport of ['websocket', 'polling'])
  test(`one address has so many connections, with ${transport}`, async (t) => {
    const confabd = await start(t, 'address-connections=2\n');
    const options = { transports: [transport], ...from('192.0.2.1') };
    const first = await connect(t, confabd, options);
    await connect(t, confabd, options);
    const third = open(t, confabd, options);
    const [error] = await once(third, 'connect_error');
    assert.match(String(error.description?.message ?? error.description ?? error), /429/);
    await connect(t, confabd, { ...options, ...from('192.0.2.2') });

    // a place that was given back is there for the next
    first.socket.disconnect();
    await waitFor(() => connect(t, confabd, options).catch(() => null), { interval: 100 });
  });

test('answers that stream over HTTP are connections, too', async (t) => {
  const confabd = await start(t, 'address-connections=1\n');
  const held = await connect(t, confabd, from('192.0.2.1'));
  const refused = await info(confabd, via('192.0.2.1'));
  assert.equal(refused.status, 429);
  assert.equal(refused.json.code, 'rate-limited');
  held.socket.disconnect();
  await waitFor(async () => (await info(confabd, via('192.0.2.1'))).status === 200);
  // and they do not stay
  for (let i = 0; i < 3; i += 1)
    assert.equal((await info(confabd, via('192.0.2.1'))).status, 200);
});

test('when all places are taken it is a 503, and the first to go makes room', async (t) => {
  const confabd = await start(t, 'max-connections=2\n');
  const first = await connect(t, confabd, { transports: ['websocket'] });
  await connect(t, confabd, { transports: ['websocket'] });
  const refused = await fetchFrom(confabd, { path: '/api/socket/?EIO=4&transport=polling' });
  assert.equal(refused.status, 503);
  assert.equal(refused.json.code, 'rate-limited');
  assert.ok(Number(refused.headers['retry-after']) >= 1);
  assert.equal((await fetchFrom(confabd, { path: '/healthz' })).status, 200);
  first.socket.disconnect();
  await waitFor(() => connect(t, confabd, { transports: ['websocket'] }).catch(() => null),
    { interval: 100 });
});

test('what was refused is counted', async (t) => {
  const confabd = await start(t, 'client-rate=1\naddress-connections=1\n');
  const chat = await connect(t, confabd, from('192.0.2.1'));
  const acks = await flood(chat, 20);
  assert.equal((await info(confabd, via('192.0.2.1'))).status, 429);
  const { text } = await fetchFrom(confabd, { path: '/metrics' });
  const refused = count(acks.map(({ code }) => code), 'rate-limited');
  assert.match(text, new RegExp(`^confab_rate_limited_total{limit="client"} ${refused}$`, 'm'));
  assert.match(text, /^confab_rate_limited_total\{limit="address-connections"\} 1$/m);
});

test('a thousand in one go is no trouble by default, nor are many tabs', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const chats = await Promise.all(Array.from({ length: 20 },
    () => connect(t, confabd, { transports: ['websocket'] })));
  const acks = (await Promise.all(chats.map((chat) => flood(chat, 100)))).flat();
  assert.equal(count(acks.map(({ ok }) => ok), true), 2000);
});
