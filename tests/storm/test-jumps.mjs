// SPDX-License-Identifier: GPL-3.0-or-later
// The time of day jumps by hours, and the keyring comes and goes, while answers are on their way:
// of every question that was accepted there is one end, told and kept.
import assert from 'node:assert/strict';
import test from 'node:test';

import { startBus, startKeyring, storeKey } from '../integration/lib/bus.mjs';
import { connect } from '../integration/lib/chat.mjs';
import { startConfabd } from '../integration/lib/confabd.mjs';
import { fetchFrom } from '../integration/lib/http.mjs';
import { makeDir, sleep, waitFor } from '../integration/lib/process.mjs';
import { ModelServer } from './lib/model-server.mjs';
import { long } from './lib/storm.mjs';

const STREAMS = long ? 500 : 60;
const CLIENTS = 8;
/* more than the burst that a client may have */
const CALLS = 2000;
const PATIENCE = { timeout: 60000, interval: 20 };
const CLOCK = process.env.CONFAB_CLOCK;
const HOUR_MS = 3600000;

const settings = (server) => `[confab]\nprovider=mock\n[providers/mock]\ntype=openai\nmodel=storm
retries=0\nstall-timeout=60\nbase-url=${server.baseUrl}\n`;

const call = (chat, event, payload) => chat.socket.timeout(60000).emitWithAck(event, payload);

const tell = (t, counts) => t.diagnostic(`${t.name}: ${Object.entries(counts)
  .map(([what, n]) => `${n} ${what}`).join(', ')}`);

const endsOf = (chat, { generationId }) => chat.log.filter(({ event, payload }) =>
  ['complete', 'error'].includes(event) && payload.generationId === generationId);

/* Asks, and asks again what there was no room for. */
async function insist(chat, payload) {
  for (;;) {
    const ack = await call(chat, 'ai:chat:generate', payload);
    if (ack.code !== 'rate-limited')
      return ack;
    await sleep(ack.retryAfterMs);
  }
}

async function askAll(chats, round, more = () => ({})) {
  return Promise.all(Array.from({ length: STREAMS }, async (_, i) => {
    const chat = chats[i % chats.length];
    const moduleId = `m${i}`;
    const ack = await insist(chat, { moduleId, message: `Question ${round}`, ...more(i) });
    assert.equal(ack.ok, true, JSON.stringify(ack));
    return { chat, moduleId, ack };
  }));
}

/** Waits for the one end of each, holds what is kept to it, and counts. */
async function account(asked, reader) {
  const counts = {};
  await Promise.all(asked.map(({ chat, ack }) => waitFor(() => endsOf(chat, ack).length > 0,
    { ...PATIENCE, what: `the end of ${ack.generationId}` })));
  for (const { chat, moduleId, ack } of asked) {
    const ends = endsOf(chat, ack);
    assert.equal(ends.length, 1, `${ends.length} ends of ${ack.generationId}`);
    const [{ event, payload }] = ends;
    assert.equal(chat.all('chunk', ack.generationId).map(({ chunk }) => chunk).join(''),
      payload.message ?? '');
    const { messages } = await call(reader, 'ai:chat:history', { moduleId, limit: 200 });
    const answer = messages.find(({ generationId }) => generationId === ack.generationId);
    assert.equal(answer.content, payload.message ?? '');
    const key = event === 'complete' ? 'completed' : payload.code;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const connectMany = (t, confabd, options) =>
  Promise.all(Array.from({ length: CLIENTS }, () => connect(t, confabd, options)));

/** Refusals tell a time after which the limit lets through, however late it seems to be. */
async function beRefused(chat) {
  const acks = await Promise.all(Array.from({ length: CALLS },
    () => call(chat, 'server:info', {})));
  const refusals = acks.filter(({ ok }) => !ok);
  assert.ok(refusals.length > 0 && refusals.length < CALLS, `${refusals.length} refusals`);
  for (const { code, retryAfterMs } of refusals) {
    assert.equal(code, 'rate-limited');
    assert.ok(retryAfterMs > 0 && retryAfterMs < 60000, `again after ${retryAfterMs} ms`);
  }
  await sleep(Math.max(...refusals.map(({ retryAfterMs }) => retryAfterMs)));
  assert.equal((await call(chat, 'server:info', {})).ok, true);
  return refusals.length;
}

test('the time of day jumps by hours all the time', {
  skip: CLOCK === undefined && 'a sanitizer has to be the first in a program',
}, async (t) => {
  const server = await ModelServer.start(t);
  const dir = await makeDir(t);
  const args = ['--dev', '--data-dir', dir];
  const options = { config: settings(server), env: { LD_PRELOAD: CLOCK } };
  server.words = 60;
  server.pause = long ? 200 : 50;
  const confabd = await startConfabd(null, args, options);
  t.after(() => confabd.hasExited || confabd.end('SIGKILL'));
  const chats = await connectMany(t, confabd, { transports: ['websocket'], reconnection: true,
    reconnectionDelay: 20, reconnectionDelayMax: 100 });
  const asked = await askAll(chats, 1);

  // amid the answers half of the clients lose their connections, and get what they missed
  const counts = { recovered: 0, sessions: 0 };
  for (const { socket } of chats.slice(0, CLIENTS / 2)) {
    const back = new Promise((resolve) => { socket.once('connect', resolve); });
    socket.io.engine.close();
    await back;
    counts.recovered += Number(socket.recovered);
  }
  assert.equal(counts.recovered, CLIENTS / 2);
  counts.refused = await beRefused(await connect(t, confabd));

  const reader = await connect(t, confabd);
  for (let i = 0; i < 20; i += 1) {
    const made = await call(reader, 'session:create', { title: `Session ${i}` });
    assert.equal(made.ok, true, JSON.stringify(made));
    counts.sessions += 1;
  }
  Object.assign(counts, await account(asked, chats.at(-1)));
  assert.equal(counts.completed, STREAMS, JSON.stringify(counts));
  const { sessions } = await call(reader, 'session:list', { limit: 200 });
  const times = sessions.map(({ createdAt }) => createdAt);
  counts['hours apart'] = Math.floor((Math.max(...times) - Math.min(...times)) / HOUR_MS);
  assert.ok(counts['hours apart'] >= 1, 'the clock did jump');
  await confabd.stop();

  // nothing of it is lost by a restart, and what was asked first is first
  const again = await startConfabd(t, args, { config: settings(server) });
  const late = await connect(t, again);
  for (const { chat, moduleId, ack } of asked) {
    const { messages } = await call(late, 'ai:chat:history', { moduleId, limit: 200 });
    assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant']);
    assert.equal(messages[1].content, endsOf(chat, ack)[0].payload.message);
  }
  counts.kept = asked.length;
  tell(t, counts);
});

/* Each looks for its key until it has found one. */
const PROVIDERS = Array.from({ length: 20 }, (_, i) => `p${i}`);

test('the keyring goes, comes back, and goes with its bus, amid answers', async (t) => {
  const bus = await startBus(t);
  const keyring = await startKeyring(t, bus);
  await Promise.all(PROVIDERS.map((name) => storeKey(bus, name, 'sk-of-the-keyring')));
  const server = await ModelServer.start(t);
  server.words = 20;
  server.pause = long ? 200 : 30;
  const confabd = await startConfabd(t, ['--dev'], {
    config: `[confab]\nprovider=p0\n${PROVIDERS.map((name) => `[providers/${name}]\ntype=openai
model=storm\nretries=0\nstall-timeout=60\nbase-url=${server.baseUrl}\n`).join('')}`,
    env: { DBUS_SESSION_BUS_ADDRESS: bus.env.DBUS_SESSION_BUS_ADDRESS },
    allow: [/keyring does not answer/,
      /GLib-GIO-CRITICAL.*Error while sending (AddMatch|GetNameOwner)/] });
  const chats = await connectMany(t, confabd);
  const counts = { accepted: 0, 'with its key': 0, completed: 0, 'upstream-auth': 0 };
  const round = async (trouble) => {
    const before = server.countKey('sk-of-the-keyring');
    const asking = askAll(chats, counts.accepted,
      (i) => ({ provider: PROVIDERS[i % PROVIDERS.length] }));
    await trouble();
    const asked = await asking;
    const ends = await account(asked, chats[0]);
    for (const [what, n] of Object.entries(ends))
      counts[what] += n;
    counts.accepted += asked.length;
    const used = server.countKey('sk-of-the-keyring') - before;
    counts['with its key'] += used;
    return { ...ends, used };
  };

  // it dies while all of them wait for its answers
  keyring.process.kill('SIGSTOP');
  const first = await round(async () => {
    await sleep(300);
    keyring.process.kill('SIGKILL');
  });
  assert.equal(first.used, 0);
  await startKeyring(t, bus);
  await waitFor(async () => (await round(() => {})).used === STREAMS,
    { timeout: 120000, interval: 500, what: 'each key to be found again' });
  assert.equal((await round(() => bus.end())).completed, STREAMS);
  assert.equal((await round(() => {})).completed, STREAMS, 'who has his key needs no keyring');

  assert.equal((await fetchFrom(confabd, { path: '/readyz' })).status, 200);
  assert.ok(!confabd.stderr.includes('sk-of'), confabd.stderr);
  assert.equal(counts.completed + counts['upstream-auth'], counts.accepted);
  tell(t, counts);
});
