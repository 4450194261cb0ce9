// SPDX-License-Identifier: GPL-3.0-or-later
// A disk that takes no more, a clock that goes back, and many modules at once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { checkEvents, connect, startWithRaw, statsOf } from './lib/chat.mjs';
import { makeDir, waitFor } from './lib/process.mjs';

const N_CLIENTS = 50;
const N_MODULES = 200;
const DAY = 24 * 60 * 60 * 1000;

/* Files of confabd cannot grow beyond that any more; 'unlimited' lifts it. */
function limitFiles(confabd, bytes) {
  execFileSync('prlimit', ['--pid', String(confabd.pid), `--fsize=${bytes}:unlimited`]);
}

/** What SQLite makes of a statement on a database that nobody has open. */
function runSql(path, sql) {
  execFileSync('/usr/bin/python3', ['-c',
    'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()',
    path, sql]);
}

test('a full disk refuses questions, loses no answer, and recovers', async (t) => {
  const dir = await makeDir(t);
  const { confabd, upstream } = await startWithRaw(t, 'paced:30:20',
    { args: ['--data-dir', dir], allow: [/The store refused|is not kept yet/] });
  const chat = await connect(t, confabd);
  const early = await chat.generate({ moduleId: 'early', message: 'Hello', requestId: 'r' });
  await chat.waitFor(() => chat.all('chunk', early.generationId).length > 2);
  limitFiles(confabd, (await stat(join(dir, 'confab.db-wal'))).size);

  const { payload } = await chat.end(early.generationId);
  assert.equal(checkEvents(chat, early).event, 'complete', 'the answer reaches the client');
  const refusal = await chat.call('ai:chat:generate',
    { moduleId: 'late', message: 'Hello', requestId: 'r' });
  assert.equal(refusal.ok, false);
  assert.equal(refusal.code, 'storage');
  assert.ok(refusal.error.length > 0);
  assert.equal((await chat.call('session:create', { sessionId: 's' })).code, 'storage');
  assert.equal((await chat.call('session:update', { sessionId: 'default', title: 'T' })).code,
    'storage');
  const { sessions } = await chat.call('session:list', {});
  assert.deepEqual(sessions.map(({ sessionId, title }) => [sessionId, title]), [['default', '']]);
  assert.equal((await chat.call('ai:chat:history', { moduleId: 'late' })).code, 'unknown-module');
  const cut = await chat.call('ai:chat:resume', { moduleId: 'early' });
  assert.equal(cut.state, 'completed', 'an end that is not kept yet can be asked for');
  assert.equal(cut.message, payload.message);
  assert.equal((await statsOf(upstream)).requests.length, 1);

  limitFiles(confabd, 'unlimited');
  const late = await chat.generate({ moduleId: 'late', message: 'Hello', requestId: 'r' });
  await chat.end(late.generationId);
  await waitFor(() => /is kept now/.test(confabd.stderr), { timeout: 10000, what: 'kept' });
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'early' });
  assert.equal(messages[1].state, 'completed');
  assert.equal(messages[1].content, payload.message);
});

test('a clock that goes back changes no order', async (t) => {
  const dir = await makeDir(t);
  const first = await startWithRaw(t, 'plain', { args: ['--data-dir', dir] });
  const before = await connect(t, first.confabd);
  await before.ask({ moduleId: 'm', message: 'One', userMessageId: 'q1' });
  await first.confabd.stop();
  for (const table of ['messages', 'generations', 'modules', 'sessions'])
    runSql(join(dir, 'confab.db'), `UPDATE ${table} SET created_at = created_at + ${DAY}`);

  const second = await startWithRaw(t, 'plain', { args: ['--data-dir', dir] });
  const chat = await connect(t, second.confabd);
  const { ack } = await chat.ask({ moduleId: 'm', message: 'Two', userMessageId: 'q2' });
  await chat.call('session:create', { sessionId: 'newer' });
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ role, messageId }) => (role === 'user' ? messageId : role)),
    ['q1', 'assistant', 'q2', 'assistant']);
  assert.ok(messages[2].createdAt < messages[0].createdAt, 'the clock did go back');
  assert.equal((await chat.call('ai:chat:resume', { moduleId: 'm' })).generationId,
    ack.generationId, 'the last is the last');
  const { sessions } = await chat.call('session:list', {});
  assert.deepEqual(sessions.map(({ sessionId }) => sessionId), ['newer', 'default']);
});

/** Rows as confabd would have written them, without asking it ten thousand times. */
const countTo = (n) => `WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c
  WHERE i < ${n})`;

test('there is room for so many sessions and conversations, and not for one more', async (t) => {
  const dir = await makeDir(t);
  const first = await startWithRaw(t, 'plain', { args: ['--data-dir', dir] });
  const { limits } = await (await connect(t, first.confabd)).call('server:info', {});
  await first.confabd.stop();
  const path = join(dir, 'confab.db');
  runSql(path, `INSERT INTO sessions (id, title, created_at, updated_at)
    ${countTo(limits.sessions)} SELECT 's' || i, '', 1, 1 FROM c`);
  runSql(path, `INSERT INTO modules (session, id, title, title_is_auto, created_at, updated_at)
    ${countTo(limits.modules - 1)} SELECT 1, 'm' || i, '', 1, 1, 1 FROM c`);

  const { confabd, upstream } = await startWithRaw(t, 'plain', { args: ['--data-dir', dir] });
  const chat = await connect(t, confabd);
  const isFull = async (event, payload, what) => {
    const ack = await chat.call(event, payload);
    assert.equal(ack.code, 'invalid-request', JSON.stringify(ack));
    assert.match(ack.error, what);
  };
  await isFull('session:create', { sessionId: 'one-more' }, /too many sessions/);
  await isFull('ai:chat:generate', { moduleId: 'new', message: 'Hello', sessionId: 'one-more' },
    /too many sessions/);
  await chat.ask({ moduleId: 'new', message: 'Hello', sessionId: 's2' });
  await isFull('module:create', { sessionId: 's2' }, /too many conversations/);
  await isFull('ai:chat:generate', { moduleId: 'newer', message: 'Hello', sessionId: 's2' },
    /too many conversations/);
  assert.equal((await statsOf(upstream)).requests.length, 1);

  assert.equal((await chat.call('module:delete', { moduleId: 'm1' })).ok, true);
  assert.equal((await chat.call('session:delete', { sessionId: 's3' })).ok, true);
  await chat.ask({ moduleId: 'newer', message: 'Hello', sessionId: 'one-more' });
});

test(`${N_MODULES} modules at once from ${N_CLIENTS} clients`, async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'paced:20:10');
  const chats = await Promise.all(Array.from({ length: N_CLIENTS }, (_, i) =>
    connect(t, confabd, i % 5 === 4 ? {} : { transports: ['websocket'] })));
  const acks = await Promise.all(Array.from({ length: N_MODULES }, async (_, i) => {
    const chat = chats[i % N_CLIENTS];
    const ack = await chat.generate({ moduleId: `m${i}`, message: `Question ${i}`,
      sessionId: `s${i % 7}`, requestId: 'r', userMessageId: `q${i}` });
    return { chat, ack, i };
  }));
  await Promise.all(acks.map(async ({ chat, ack, i }) => {
    const { payload } = await chat.end(ack.generationId);
    assert.equal(checkEvents(chat, ack).event, 'complete');
    assert.equal(payload.moduleId, `m${i}`);
    const { messages } = await chat.call('ai:chat:history', { moduleId: `m${i}` });
    assert.deepEqual(messages.map(({ content }) => content), [`Question ${i}`, payload.message]);
  }));
  assert.equal((await statsOf(upstream)).requests.length, N_MODULES);
  const { sessions } = await chats[0].call('session:list', {});
  assert.equal(sessions.reduce((sum, { moduleCount }) => sum + moduleCount, 0), N_MODULES);
});

/** How many of the requests were being answered at once, at most. */
function countAtOnce(requests) {
  const changes = requests.flatMap(({ startedAt, endedAfterMs }) =>
    [[startedAt, 1], [startedAt + endedAfterMs, -1]]);
  let now = 0;
  return Math.max(...changes.sort(([a, x], [b, y]) => a - b || x - y).map(([, change]) => {
    now += change;
    return now;
  }));
}

test('with max-running the others wait for their turn, and each is answered', async (t) => {
  const limit = 20;
  const { confabd, upstream } = await startWithRaw(t, 'paced:5:10',
    { config: `[confab]\nmax-running=${limit}\nqueue=true\n` });
  const chats = await Promise.all(Array.from({ length: N_CLIENTS }, () =>
    connect(t, confabd, { transports: ['websocket'] })));
  /* two for each of 100 modules, from clients that share them */
  const asked = await Promise.all(Array.from({ length: N_MODULES }, async (_, i) => {
    const chat = chats[i % N_CLIENTS];
    const ack = await chat.generate({ moduleId: `m${i % (N_MODULES / 2)}`,
      message: `Question ${i}` });
    return { chat, ack };
  }));
  for (const { chat, ack } of asked) {
    await chat.end(ack.generationId);
    assert.equal(checkEvents(chat, ack).event, 'complete');
  }
  const { requests } = await statsOf(upstream);
  const questions = requests.filter(({ method }) => method === 'POST');
  assert.equal(questions.length, N_MODULES);
  assert.equal(countAtOnce(questions), limit);
  for (let i = 0; i < N_MODULES / 2; i += 1) {
    const { messages } = await chats[0].call('ai:chat:history', { moduleId: `m${i}` });
    assert.deepEqual(messages.map(({ state }) => state), Array(4).fill('completed'));
  }
});
