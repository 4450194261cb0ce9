// SPDX-License-Identifier: GPL-3.0-or-later
// Going back to what was answered or asked before, as stock clients do it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';

import { connect, connectOverUnix, startDurable, startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { makeDir, sleep } from './lib/process.mjs';
import { BUILTIN, call, post } from './lib/ui-stream.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const ROUNDS = process.env.CONFAB_TEST_LONG ? 200 : 12;

const RECONNECTING = { transports: ['websocket'], reconnection: true, reconnectionDelay: 20,
  randomizationFactor: 0 };

/** One question, answered twice: `[first, second]`, the ids of the answers; and the question's. */
async function answerTwice(chat, moduleId = 'm') {
  const { ack: first } = await chat.ask({ moduleId, message: 'One' });
  const second = await chat.call('ai:chat:regenerate', { moduleId });
  await chat.end(second.generationId);
  return { question: first.userMessageId, first: first.messageId, second: second.messageId };
}

const idsOf = async (chat) => (await chat.call('ai:chat:history', { moduleId: 'm' })).messages
  .map(({ messageId }) => messageId);

const switchTo = (chat, messageId) => chat.call('ai:chat:branch', { moduleId: 'm', messageId });

/** Keeps what a client is told of branches. */
function listen(chat) {
  const told = [];
  chat.socket.on('ai:chat:branch', (payload) => told.push(payload));
  return told;
}

test('a client goes back to another answer, and all who follow are told', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const [chat, follower, stranger] =
    await Promise.all([connect(t, confabd), connect(t, confabd), connect(t, confabd)]);
  const { question, first, second } = await answerTwice(chat);
  await chat.ask({ moduleId: 'm', message: 'Two', userMessageId: 'two' });
  for (const one of [chat, follower])
    assert.equal((await one.call('ai:chat:resume', { moduleId: 'm' })).ok, true);
  const [mine, theirs, strangers] = [chat, follower, stranger].map(listen);

  assert.deepEqual(await switchTo(chat, first), { ok: true, headId: first, messageCount: 2 });
  assert.deepEqual(await idsOf(chat), [question, first]);
  const expected = { moduleId: 'm', messageId: first, headId: first, parentId: question,
    messageCount: 2 };
  await follower.waitFor(() => theirs.length > 0, 'the other branch');
  assert.deepEqual([mine, theirs], [[expected], [expected]]);
  const { headId } = await follower.call('ai:chat:resume', { moduleId: 'm' });
  assert.equal(headId, first);

  /* by any message of it, to the end of the branch */
  const back = await switchTo(follower, second);
  assert.equal(back.messageCount, 4);
  assert.equal((await idsOf(chat))[2], 'two');
  await chat.waitFor(() => mine.length > 1, 'the branch that was left');
  assert.equal(mine[1].headId, back.headId);

  /* what is visible already is told to nobody */
  assert.deepEqual(await switchTo(chat, question), back);
  assert.deepEqual(await switchTo(chat, second), back);
  await chat.call('ai:chat:leave', { moduleId: 'm' });
  await switchTo(follower, first);
  await follower.waitFor(() => theirs.length > 2, 'the last one');
  assert.deepEqual([mine.length, theirs.length, strangers.length], [2, 3, 0]);
});

test('the ack comes before what it causes', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { first } = await answerTwice(chat);
  await chat.call('ai:chat:resume', { moduleId: 'm' });
  const heard = [];
  chat.socket.on('ai:chat:branch', () => heard.push('branch'));
  chat.socket.on('module:changed', ({ headId }) => heard.push(headId));
  await new Promise((resolve) => {
    chat.socket.emit('ai:chat:branch', { moduleId: 'm', messageId: first }, ({ ok }) => {
      heard.push(ok);
      resolve();
    });
  });
  await chat.waitFor(() => heard.includes(first), 'the change of the module');
  assert.deepEqual(heard.filter((what) => [true, 'branch', first].includes(what)),
    [true, 'branch', first]);
});

test('messages tell of their siblings, and so does the start of an answer', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { question, first, second } = await answerTwice(chat);
  const [plain, anew] = chat.all('started');
  assert.ok(!('branches' in plain) && !('userBranches' in plain), JSON.stringify(plain));
  assert.deepEqual(anew.branches, { index: 2, count: 2, previousId: first, nextId: null });
  assert.ok(!('userBranches' in anew));

  const edited = await chat.call('ai:chat:regenerate', { moduleId: 'm', messageId: question,
    message: 'Uno' });
  await chat.end(edited.generationId);
  const [, , third] = chat.all('started');
  assert.ok(!('branches' in third));
  assert.deepEqual(third.userBranches,
    { index: 2, count: 2, previousId: question, nextId: null });
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ branches }) => branches), [third.userBranches, undefined]);

  await switchTo(chat, question);
  const before = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(before.messages.map(({ messageId, branches }) => [messageId, branches]), [
    [question, { index: 1, count: 2, previousId: null, nextId: edited.userMessageId }],
    [second, { index: 2, count: 2, previousId: first, nextId: null }],
  ]);
});

test('modules and the ack of resume name the head', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  assert.ok(!('headId' in await chat.call('ai:chat:resume', { moduleId: 'm' })), 'not known');
  await chat.call('session:create', { sessionId: 's' });
  const { module } = await chat.call('module:create', { sessionId: 's', moduleId: 'm' });
  assert.equal(module.headId, null);
  assert.equal((await chat.call('ai:chat:resume', { moduleId: 'm' })).headId, null);
  const { ack } = await chat.ask({ moduleId: 'm', message: 'One' });
  const { modules } = await chat.call('module:list', { sessionId: 's' });
  assert.equal(modules[0].headId, ack.messageId);
});

test('what cannot be chosen is refused', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:200:20');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  const codes = [];
  for (const payload of [{}, { moduleId: 'm' }, { moduleId: 'm', messageId: 7 },
    { moduleId: 'x', messageId: 'a' }, { moduleId: 'm', messageId: ack.userMessageId }])
    codes.push((await chat.call('ai:chat:branch', payload)).code);
  assert.deepEqual(codes,
    ['invalid-request', 'invalid-request', 'invalid-request', 'unknown-module', 'busy']);
  await chat.call('ai:chat:stop', { moduleId: 'm' });
  await chat.end(ack.generationId);
  assert.equal((await switchTo(chat, 'nobody')).code, 'unknown-message');
  assert.equal((await switchTo(chat, ack.userMessageId)).ok, true);

  /* without an ack it is told to the sender alone */
  const error = once(chat.socket, 'ai:chat:error');
  chat.socket.emit('ai:chat:branch', { moduleId: 'm', messageId: 'nobody' });
  const [{ code, moduleId }] = await error;
  assert.deepEqual([code, moduleId], ['unknown-message', 'm']);
  assert.ok((await chat.call('server:info', {})).features.includes('branches'));
});

test('a question right behind it follows the other branch', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { first } = await answerTwice(chat);
  const [{ headId }, { generationId }] = await Promise.all([switchTo(chat, first),
    chat.call('ai:chat:generate', { moduleId: 'm', message: 'Two' })]);
  assert.equal(headId, first);
  await chat.end(generationId);
  assert.equal(chat.all('started', generationId)[0].parentId, first);
  assert.equal((await idsOf(chat)).length, 4);
});

test('one whose wire was broken meanwhile hears of it when it is back', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const { chat, pause } = await connectOverUnix(t, confabd, RECONNECTING);
  const other = await connect(t, confabd);
  const told = listen(chat);
  const { first } = await answerTwice(chat);
  await chat.call('ai:chat:resume', { moduleId: 'm' });
  pause();
  await switchTo(other, first);
  const back = once(chat.socket, 'connect');
  chat.socket.io.engine.transport.ws._socket.destroy();
  await back;
  assert.equal(chat.socket.recovered, true);
  await chat.waitFor(() => told.length > 0, 'the branch');
  assert.equal(told[0].headId, first);
  assert.equal((await chat.call('ai:chat:resume', { moduleId: 'm' })).headId, first);
});

test('it is the same over HTTP alone', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const chat = await connect(t, confabd);
  const { first } = await answerTwice(chat);
  await chat.call('ai:chat:resume', { moduleId: 'm' });
  const told = listen(chat);
  assert.deepEqual(await call(confabd, 'ai:chat:branch', { moduleId: 'm', messageId: first }),
    { ok: true, headId: first, messageCount: 2 });
  await chat.waitFor(() => told.length > 0, 'the branch');
  const { messages } = await call(confabd, 'ai:chat:history', { moduleId: 'm' });
  assert.equal(messages[1].branches.index, 1);
  const response = await post(confabd, '/api/call/ai:chat:branch',
    { moduleId: 'm', messageId: 'nobody' });
  assert.equal((await response.json()).code, 'unknown-message');
});

test('what a search finds on a hidden branch can be gone to', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { ack } = await chat.ask({ moduleId: 'm', message: 'A zebra, please' });
  const anew = await chat.call('ai:chat:regenerate', { moduleId: 'm',
    messageId: ack.userMessageId, message: 'A lion, please' });
  await chat.end(anew.generationId);
  const { results } = await chat.call('ai:chat:search', { query: 'zebra' });
  const hit = results.find(({ messageId }) => messageId === ack.userMessageId);
  assert.equal((await idsOf(chat)).includes(hit.messageId), false);
  assert.equal((await switchTo(chat, hit.messageId)).headId, ack.messageId);
  assert.deepEqual(await idsOf(chat), [hit.messageId, ack.messageId]);
});

test('the branch that was chosen is there after a restart', async (t) => {
  const { confabd, again } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  const { question, first } = await answerTwice(chat);
  await switchTo(chat, first);
  await confabd.stop();
  const later = await connect(t, await again());
  assert.deepEqual(await idsOf(later), [question, first]);
  assert.equal((await later.call('ai:chat:resume', { moduleId: 'm' })).headId, first);
});

test('a crash in its midst leaves the one branch or the other, and what was told holds',
  async (t) => {
    const upstream = await startRawUpstream(t);
    const dir = join(await makeDir(t), 'data');
    const args = ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model', 'raw:plain',
      '--data-dir', dir];
    let ids = null;
    let head = null;
    const heads = new Set();
    for (let round = 0; round < ROUNDS; round += 1) {
      const confabd = await startConfabd(null, args);
      const chat = await connect(t, confabd);
      ids ??= await answerTwice(chat);
      const answers = [ids.first, ids.second];
      head ??= ids.second;
      assert.deepEqual(await idsOf(chat), [ids.question, head], `round ${round}`);

      /* from before it is read up to after it is on disk */
      const other = answers.find((id) => id !== head);
      let acked = false;
      chat.socket.emit('ai:chat:branch', { moduleId: 'm', messageId: other }, (ack) => {
        assert.equal(ack.headId, other);
        acked = true;
      });
      await sleep(round % 12);
      await confabd.end('SIGKILL');
      await confabd.removeHome();

      const later = await startConfabd(null, args);
      const back = await connect(t, later);
      const { headId } = await back.call('ai:chat:resume', { moduleId: 'm' });
      assert.ok(acked ? headId === other : answers.includes(headId), `round ${round}: ${headId}`);
      assert.deepEqual(await idsOf(back), [ids.question, headId]);
      heads.add(headId === other ? 'new' : 'old');
      head = headId;
      await later.stop();
    }
    t.diagnostic(`after ${ROUNDS} crashes: ${[...heads].join(', ')}`);
  });
