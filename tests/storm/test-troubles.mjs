// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that confabd leans on goes bad at once: model servers, disk, bus, memory. Of every
// question that was accepted there must be one end, told and kept.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { checkEvents, connect, open } from '../integration/lib/chat.mjs';
import { startBus } from '../integration/lib/bus.mjs';
import { spawnConfabd, startConfabd } from '../integration/lib/confabd.mjs';
import { fetchFrom } from '../integration/lib/http.mjs';
import { makeDir, sleep, waitFor } from '../integration/lib/process.mjs';
import { ModelServer } from './lib/model-server.mjs';
import { MIB, isInstrumented, long } from './lib/storm.mjs';

const STREAMS = long ? 500 : 80;
const CLIENTS = 8;
const PAUSE_MS = long ? 400 : 20;
const PATIENCE = { timeout: 60000, interval: 20 };

/* Seconds. Where nobody is to stall, nobody must seem to: a busy machine may be slow to answer. */
const STALL = { awaited: long ? 20 : 8, never: 60 };

const settings = (server, stall = STALL.never) => `[confab]\nprovider=mock\nclient-rate=0
[providers/mock]\ntype=openai\nmodel=storm\nretries=0\nstall-timeout=${stall}
base-url=${server.baseUrl}\n`;

const count = (list, value) => list.filter((each) => each === value).length;

const tally = (ends) => {
  const counts = {};
  for (const { event, payload } of ends) {
    const key = event === 'complete' ? 'completed' : payload.code;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

const tell = (t, counts) => t.diagnostic(`${t.name}: ${Object.entries(counts)
  .map(([what, n]) => `${n} ${what}`).join(', ')}`);

/** Clients, and on them so many questions, each in a module of its own; their acks. */
async function askAll(chats, n, round) {
  const acks = await Promise.all(Array.from({ length: n }, async (_, i) => {
    const chat = chats[i % chats.length];
    return { chat, moduleId: `m${i}`, ack: await chat.socket.timeout(60000).emitWithAck(
      'ai:chat:generate', { moduleId: `m${i}`, message: `Question ${round}` }) };
  }));
  return acks;
}

const endOf = ({ chat, ack }) => waitFor(() => chat.log.find(({ event, payload }) =>
  ['complete', 'error'].includes(event) && payload.generationId === ack.generationId),
{ ...PATIENCE, what: `the end of ${ack.generationId}` });

/** Holds what is kept to what was told. */
async function checkKept(chat, asked, ends) {
  await Promise.all(asked.map(async ({ moduleId, ack }, i) => {
    const { messages } = await chat.socket.timeout(60000)
      .emitWithAck('ai:chat:history', { moduleId, limit: 200 });
    const answer = messages.find(({ generationId }) => generationId === ack.generationId);
    assert.equal(answer.content, ends[i].payload.message ?? '');
    assert.equal(answer.state, ends[i].event === 'complete' ? 'completed' : 'failed');
  }));
}

for (const [mode, code] of [['stall', 'upstream-timeout'], ['reset', 'upstream-truncated'],
  ['refuse', 'upstream-rate-limit']])
  test(`all streams ${mode} at once`, async (t) => {
    const server = await ModelServer.start(t);
    server.pause = PAUSE_MS;
    const confabd = await startConfabd(t, ['--dev'], { config: settings(server,
      mode === 'stall' ? STALL.awaited : STALL.never) });
    const chats = await Promise.all(Array.from({ length: CLIENTS }, () => connect(t, confabd)));
    server.words = mode === 'refuse' ? 5 : 100000;
    const asked = await askAll(chats, STREAMS, 1);
    assert.equal(count(asked.map(({ ack }) => ack.ok), true), STREAMS);
    if (mode !== 'refuse')
      // one look for each: to go through all that was said again and again starves this program
      await Promise.all(asked.map(({ chat, ack }) => waitFor(() => chat.log.some(
        ({ event, payload }) => event === 'chunk' && payload.generationId === ack.generationId),
      { ...PATIENCE, interval: 500, what: 'the first word of each' })));
    else
      await Promise.all(asked.map(endOf));
    server.turn(mode);

    const troubled = mode === 'refuse' ? await askAll(chats, STREAMS, 2) : asked;
    const ends = await Promise.all(troubled.map(endOf));
    const counts = tally(ends);
    assert.equal(counts[code], STREAMS, JSON.stringify(counts));
    troubled.forEach(({ chat, ack }) => checkEvents(chat, ack));
    await checkKept(chats[0], troubled, ends);

    // and when it is well again, so is everything
    server.words = 5;
    server.turn('well');
    const after = await askAll(chats, STREAMS, 3);
    const wellEnds = await Promise.all(after.map(endOf));
    assert.equal(tally(wellEnds).completed, STREAMS);
    await waitFor(() => server.open === 0, { ...PATIENCE, what: 'no request is left' });
    tell(t, { ...counts, 'completed afterwards': STREAMS });
  });

test('the disk is full again and again', async (t) => {
  const server = await ModelServer.start(t);
  const dir = await makeDir(t);
  const confabd = await startConfabd(t, ['--dev', '--data-dir', dir],
    { config: settings(server), allow: [/The store refused|is not kept yet/] });
  const limit = (bytes) => execFileSync('prlimit',
    ['--pid', String(confabd.pid), `--fsize=${bytes}:unlimited`]);
  const chats = await Promise.all(Array.from({ length: CLIENTS }, () => connect(t, confabd)));
  const accepted = [];
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < (long ? 40 : 6); round += 1) {
    const asked = askAll(chats, 24, round);
    await sleep(Math.random() * 50);
    limit(round % 2 === 0 ? 4096 : 'unlimited');
    for (const one of await asked) {
      if (one.ack.ok)
        accepted.push(one);
      else if (one.ack.code !== 'busy')
        assert.equal(one.ack.code, 'storage', JSON.stringify(one.ack));
      counts[one.ack.ok ? 'accepted' : 'refused'] += 1;
    }
    await Promise.all(accepted.slice(-24).map(endOf));
  }
  limit('unlimited');
  const ends = await Promise.all(accepted.map(endOf));
  await waitFor(async () => (await fetchFrom(confabd, { path: '/readyz' })).status === 200,
    { ...PATIENCE, what: 'ready again' });
  await (await connect(t, confabd)).ask({ moduleId: 'fresh', message: 'Hello' });
  await waitFor(async () => {
    try {
      await checkKept(chats[0], accepted, ends);
      return true;
    } catch {
      return false;
    }
  }, { ...PATIENCE, interval: 500, what: 'every end to be kept' });
  // all of it is on the disk, too
  await confabd.stop();
  const again = await startConfabd(t, ['--dev', '--data-dir', dir], { config: settings(server) });
  await checkKept(await connect(t, again), accepted, ends);
  assert.ok(counts.accepted > 0 && counts.refused > 0, JSON.stringify(counts));
  tell(t, { ...counts, ends: ends.length, ...tally(ends) });
});

test('the bus goes while answers are on their way', async (t) => {
  const bus = await startBus(t);
  const server = await ModelServer.start(t);
  server.words = 60;
  server.pause = PAUSE_MS;
  const confabd = await startConfabd(t, ['--dev', '--session'],
    { config: settings(server), env: bus.env,
      // where it goes while libsecret looks for a key on it, GLib says so
      allow: [/GLib-GIO-CRITICAL.*Error while sending (AddMatch|GetNameOwner)/] });
  const chats = await Promise.all(Array.from({ length: CLIENTS }, () => connect(t, confabd)));
  const asked = await askAll(chats, STREAMS, 1);
  await bus.end();
  const ends = await Promise.all(asked.map(endOf));
  assert.equal(tally(ends).completed, STREAMS, JSON.stringify(tally(ends)));
  asked.forEach(({ chat, ack }) => checkEvents(chat, ack));
  await checkKept(chats[0], asked, ends);
  assert.equal((await fetchFrom(confabd, { path: '/readyz' })).status, 200);
  tell(t, { 'streams without their bus': STREAMS });
});

/** The address space of a process, in bytes. */
async function addressSpace(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmSize:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

test('there is no more memory', async (t) => {
  if (await isInstrumented()) {
    t.skip('a sanitizer needs all of the address space');
    return;
  }
  const server = await ModelServer.start(t);
  const dir = await makeDir(t);
  const args = ['--dev', '--data-dir', dir, '--port', '0'];
  const counts = { rounds: 0, deaths: 0, accepted: 0, kept: 0 };
  for (let round = 0; round < (long ? 20 : 3); round += 1) {
    const confabd = await spawnConfabd(args, { config: settings(server) });
    t.after(() => confabd.end('SIGKILL').then(() => confabd.removeHome()));
    await confabd.waitUntilListening();
    server.words = 5;
    const early = await connect(t, confabd);
    const accepted = [];
    for (let i = 0; i < 10; i += 1)
      accepted.push({ moduleId: `early-${round}-${i}`, ...await early.ask(
        { moduleId: `early-${round}-${i}`, message: 'x'.repeat(20000) }) });

    const room = await addressSpace(confabd.pid) + (4 + round) * MIB;
    execFileSync('prlimit', ['--pid', String(confabd.pid), `--as=${room}`]);
    // until it dies or refuses, more and larger questions of more clients
    for (let i = 0; i < (long ? 400 : 150) && !confabd.hasExited; i += 1) {
      const socket = open(t, confabd, { transports: ['websocket'] });
      socket.on('connect', () => {
        for (let k = 0; k < 4; k += 1) {
          const moduleId = `late-${round}-${i}-${k}`;
          socket.emit('ai:chat:generate', { moduleId, message: 'y'.repeat(200000) }, (ack) => {
            if (ack.ok)
              accepted.push({ moduleId, ack });
          });
        }
      });
      await sleep(10);
    }
    await sleep(500);
    counts.rounds += 1;
    counts.accepted += accepted.length;
    if (confabd.hasExited) {
      const { code, signal } = await confabd.exited;
      counts.deaths += 1;
      // GLib gives up with a sentence; nothing runs on with a null pointer
      assert.ok(['SIGTRAP', 'SIGABRT', null].includes(signal), `${code} ${signal}`);
      assert.match(confabd.stderr, /failed to allocate|memory|Resource temporarily unavailable/i);
    } else
      await confabd.end('SIGTERM');

    const again = await startConfabd(null, ['--dev', '--data-dir', dir],
      { config: settings(server) });
    const reader = await connect(t, again);
    for (const { moduleId, ack: { generationId } } of accepted) {
      const known = await reader.socket.timeout(60000).emitWithAck('ai:chat:resume',
        { moduleId, generationId });
      assert.equal(known.ok, true, JSON.stringify(known));
      assert.ok(['completed', 'interrupted', 'failed', 'stopped'].includes(known.state),
        known.state);
      counts.kept += 1;
    }
    reader.socket.disconnect();
    await again.stop();
  }
  assert.equal(counts.kept, counts.accepted);
  tell(t, counts);
});
