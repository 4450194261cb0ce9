// SPDX-License-Identifier: GPL-3.0-or-later
// What outlives a client, a connection and confabd itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { checkEvents, connect, connectOverUnix, startDurable, statsOf } from './lib/chat.mjs';
import { spawnConfabd, startConfabd } from './lib/confabd.mjs';
import { fetchFrom } from './lib/http.mjs';
import { sleep } from './lib/process.mjs';

const PLAIN = 'The quick brown fox jumps over the lazy dog.';

const joined = (deltas) => deltas.map(({ chunk }) => chunk).join('');

test('an answer goes on without the one who asked, and is told when they are back', async (t) => {
  const { confabd } = await startDurable(t, 'slow');
  const first = await connect(t, confabd);
  const ack = await first.generate({ moduleId: 'm', message: 'Hello' });
  await first.waitFor(() => first.all('chunk').length >= 3);
  const had = first.all('chunk');
  first.socket.disconnect();
  await sleep(100);

  const second = await connect(t, confabd);
  const cut = await second.call('ai:chat:resume', { moduleId: 'm', seq: had.at(-1).seq });
  assert.equal(cut.generationId, ack.generationId);
  assert.equal(cut.state, 'streaming');
  assert.equal(cut.chunks[0].fromSeq ?? cut.chunks[0].seq, had.at(-1).seq + 1);
  assert.equal(cut.chunks.at(-1).seq, cut.seq);
  const { event, payload } = await second.end(ack.generationId);
  assert.equal(event, 'complete');
  assert.equal(second.all('chunk')[0].seq, cut.seq + 1);
  assert.equal(joined(had) + joined(cut.chunks) + joined(second.all('chunk')), payload.message);
});

test('resume without seq, or with one that is not known, gives the text', async (t) => {
  const { confabd } = await startDurable(t, 'slow');
  const first = await connect(t, confabd);
  const ack = await first.generate({ moduleId: 'm', message: 'Hello' });
  await first.waitFor(() => first.all('chunk').length >= 3);
  const second = await connect(t, confabd);
  for (const payload of [{ moduleId: 'm' }, { moduleId: 'm', seq: 100000 }]) {
    const cut = await second.call('ai:chat:resume', payload);
    assert.equal(cut.chunks, undefined);
    assert.equal(cut.reasoning, '');
    assert.ok(cut.text.length > 0);
    /* what one client is told of may reach the other a little later */
    await first.waitFor(() => first.all('chunk').some(({ seq }) => seq >= cut.seq));
    assert.equal(cut.text, joined(first.all('chunk').filter(({ seq }) => seq <= cut.seq)));
  }
  await second.end(ack.generationId);
});

test('every character below space comes back whole over each face, after kill -9', async (t) => {
  const controls = String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1));
  const text = `a${controls}\u007f\u0085\u2028\u2029\u{1f600}z`;
  const { confabd, again } = await startDurable(t, 'echo', { mortal: true });
  const chat = await connect(t, confabd);
  await chat.call('session:create', { sessionId: 'default', title: text });
  const made = await chat.call('module:create', { moduleId: 'm', sessionId: 'default',
    parameters: { stop: [text] } });
  assert.equal(made.ok, true, JSON.stringify(made));
  const { event, end } = await chat.ask({ moduleId: 'm', message: text });
  assert.equal(event, 'complete', JSON.stringify(end));
  assert.ok(end.message.includes(text), JSON.stringify(end.message));
  const posted = await fetchFrom(confabd, { path: '/api/call/ai:chat:generate', method: 'POST',
    headers: { Authorization: `Bearer ${confabd.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ moduleId: 'h', message: text }) });
  assert.equal(posted.json.ok, true, posted.text);
  const state = await chat.call('ai:chat:resume', { moduleId: 'h' });
  if (state.message === undefined)
    await chat.end(state.generationId);
  await confabd.end('SIGKILL');
  await confabd.removeHome();

  const next = await again();
  const back = await connect(t, next);
  for (const moduleId of ['m', 'h']) {
    const { messages } = await back.call('ai:chat:history', { moduleId });
    const http = await fetchFrom(next, { path: '/api/call/ai:chat:history', method: 'POST',
      headers: { Authorization: `Bearer ${next.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ moduleId }) });
    assert.deepEqual(http.json.messages, messages);
    assert.equal(messages.length, 2);
    assert.equal(messages[0].content, text);
    assert.deepEqual(messages[0].parts, [{ type: 'text', text }]);
    assert.equal(messages[1].state, 'completed');
    assert.ok(messages[1].content.includes(text));
    assert.deepEqual(messages[1].parts, [{ type: 'text', text: messages[1].content }]);
  }
  const { modules } = await back.call('module:list', { sessionId: 'default' });
  assert.deepEqual(modules.find(({ moduleId }) => moduleId === 'm').parameters, { stop: [text] });
});

test('the model and the settings that a module was given hold after kill -9', async (t) => {
  const { confabd, again } = await startDurable(t, 'plain', { mortal: true });
  const chat = await connect(t, confabd);
  await chat.call('session:create', { sessionId: 'default' });
  await chat.call('module:create', { moduleId: 'm', sessionId: 'default' });
  const chosen = { model: 'raw:echo', instructions: 'Say it again.',
    parameters: { temperature: 0.25 } };
  const changed = await chat.call('module:update', { moduleId: 'm', ...chosen });
  assert.equal(changed.ok, true, JSON.stringify(changed));
  await confabd.end('SIGKILL');
  await confabd.removeHome();

  const back = await connect(t, await again());
  const { modules } = await back.call('module:list', { sessionId: 'default' });
  const found = modules.find(({ moduleId }) => moduleId === 'm');
  assert.deepEqual(Object.fromEntries(Object.keys(chosen).map((name) => [name, found[name]])),
    chosen);
  const { event, end } = await back.ask({ moduleId: 'm', message: 'Twice' });
  assert.equal(event, 'complete', JSON.stringify(end));
  for (const text of ['Say it again.', 'Twice'])
    assert.ok(end.message.includes(text), `${text} in ${end.message}`);
});

test('of an unknown module resume says idle, and follows it from its birth', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const watcher = await connect(t, confabd);
  assert.deepEqual(await watcher.call('ai:chat:resume', { moduleId: 'm' }),
    { ok: true, state: 'idle' });
  const { sessions } = await watcher.call('session:list', {});
  assert.deepEqual(sessions, [], 'nothing was made');

  const asker = await connect(t, confabd);
  const { ack } = await asker.ask({ moduleId: 'm', message: 'Hello' });
  await watcher.end(ack.generationId);
  checkEvents(watcher, ack);
  assert.equal(watcher.all('started')[0].message, 'Hello');
});

test('only those who resumed hear of another tab, until they leave', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const [asker, follower, stranger] = await Promise.all([1, 2, 3].map(() => connect(t, confabd)));
  await follower.call('ai:chat:resume', { moduleId: 'm' });
  const first = await asker.ask({ moduleId: 'm', message: 'One' });
  await follower.end(first.ack.generationId);
  checkEvents(follower, first.ack);

  assert.deepEqual(await follower.call('ai:chat:leave', { moduleId: 'm' }), { ok: true });
  const told = follower.log.length;
  await asker.ask({ moduleId: 'm', message: 'Two' });
  await follower.call('server:info', {});
  assert.equal(follower.log.length, told);
  assert.equal(stranger.log.length, 0);
});

test('resuming an old answer tells what runs by now', async (t) => {
  const { confabd } = await startDurable(t, 'slow');
  const chat = await connect(t, confabd);
  const old = await chat.ask({ moduleId: 'm', message: 'One' });
  const ack = await chat.generate({ moduleId: 'm', message: 'Two' });
  await chat.waitFor(() => chat.all('chunk', ack.generationId).length >= 2);
  const other = await connect(t, confabd);
  const cut = await other.call('ai:chat:resume',
    { moduleId: 'm', generationId: old.ack.generationId });
  assert.equal(cut.generationId, old.ack.generationId);
  assert.equal(cut.state, 'completed');
  assert.equal(cut.message, old.end.message);
  assert.equal(cut.finishReason, 'stop');
  assert.equal(cut.active.generationId, ack.generationId);
  const { payload } = await other.end(ack.generationId);
  assert.equal(other.all('chunk')[0].seq, cut.active.seq + 1);
  assert.equal(cut.active.text + joined(other.all('chunk')), payload.message);
});

test('an unknown generation is refused', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });
  for (const event of ['ai:chat:resume', 'ai:chat:stop']) {
    const refusal = await chat.call(event, { moduleId: 'm', generationId: 'nowhere' });
    assert.equal(refusal.ok, false);
    assert.equal(refusal.code, 'unknown-generation');
  }
});

test('everything is there after a restart, and a request is known for good', async (t) => {
  const { confabd, upstream, again } = await startDurable(t, 'reasoning');
  const chat = await connect(t, confabd);
  const request = { moduleId: 'm', message: 'Hello', requestId: 'r', userMessageId: 'u' };
  const { ack, end } = await chat.ask(request);
  const before = await chat.call('ai:chat:history', { moduleId: 'm' });
  await confabd.stop();

  const later = await connect(t, await again());
  assert.deepEqual(await later.call('ai:chat:history', { moduleId: 'm' }), before);
  const [question, answer] = before.messages;
  assert.equal(question.messageId, 'u');
  assert.equal(question.content, 'Hello');
  assert.equal(answer.content, end.message);
  assert.equal(answer.parentId, 'u');
  assert.equal(answer.state, 'completed');
  assert.deepEqual(answer.parts, [{ type: 'reasoning', text: 'Let me think' },
    { type: 'text', text: end.message }]);

  const repeat = await later.call('ai:chat:generate', request);
  assert.equal(repeat.generationId, ack.generationId);
  assert.equal(repeat.state, 'completed');
  assert.equal(repeat.message, end.message);
  assert.equal(repeat.reasoning, 'Let me think');
  const other = await later.call('ai:chat:generate', { ...request, message: 'Other' });
  assert.equal(other.code, 'invalid-request');
  const taken = await later.call('ai:chat:generate', { ...request, requestId: 's' });
  assert.equal(taken.code, 'invalid-request');
  assert.equal((await statsOf(upstream)).requests.length, 1);
});

test('killed, it comes back with the text of the last second at the latest', async (t) => {
  const { confabd, again } = await startDurable(t, 'paced:10000:20', { mortal: true });
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello', requestId: 'r' });
  await chat.waitFor(() => chat.all('chunk').length > 5);
  const early = joined(chat.all('chunk'));
  await sleep(1500);
  await confabd.end('SIGKILL');
  await confabd.removeHome();
  const heard = joined(chat.all('chunk'));

  const later = await connect(t, await again());
  const cut = await later.call('ai:chat:resume', { moduleId: 'm', seq: 3 });
  assert.equal(cut.generationId, ack.generationId);
  assert.equal(cut.state, 'interrupted');
  assert.equal(cut.code, 'interrupted');
  assert.ok(cut.text.startsWith(early), 'what came a second ago is kept');
  assert.ok(heard.startsWith(cut.text) || cut.text.startsWith(heard));
  const repeat = await later.call('ai:chat:generate',
    { moduleId: 'm', message: 'Hello', requestId: 'r' });
  assert.equal(repeat.state, 'interrupted');
  assert.equal(repeat.text, cut.text);
});

test('SIGTERM keeps and tells all that came', async (t) => {
  const { confabd, again } = await startDurable(t, 'slow');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.waitFor(() => chat.all('chunk').length >= 4);
  const end = chat.end(ack.generationId);
  await confabd.stop();
  const { event, payload } = await end;
  assert.equal(event, 'error');
  assert.equal(payload.code, 'shutting-down');
  assert.equal(payload.message, joined(chat.all('chunk')));

  const later = await connect(t, await again());
  const cut = await later.call('ai:chat:resume', { moduleId: 'm' });
  assert.equal(cut.state, 'interrupted');
  assert.equal(cut.code, 'shutting-down');
  assert.equal(cut.message, payload.message);
});

test('answered anew, the old answer leaves the branch and is kept', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  const watcher = await connect(t, confabd);
  await watcher.call('ai:chat:resume', { moduleId: 'm' });
  const first = await chat.ask({ moduleId: 'm', message: 'One', userMessageId: 'q1' });
  await chat.ask({ moduleId: 'm', message: 'Two', userMessageId: 'q2' });

  const again = await chat.call('ai:chat:regenerate', { moduleId: 'm', requestId: 'r' });
  assert.equal(again.userMessageId, 'q2');
  await chat.end(again.generationId);
  await watcher.end(again.generationId);
  assert.equal(watcher.all('started', again.generationId)[0].parentId, first.ack.messageId);

  const edited = await chat.call('ai:chat:regenerate',
    { moduleId: 'm', messageId: first.ack.messageId, message: 'One, but better' });
  assert.notEqual(edited.userMessageId, 'q1');
  await chat.end(edited.generationId);
  assert.equal(chat.all('started', edited.generationId)[0].parentId, null);
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ messageId }) => messageId),
    [edited.userMessageId, edited.messageId]);

  const kept = await chat.call('ai:chat:resume',
    { moduleId: 'm', generationId: first.ack.generationId });
  assert.equal(kept.message, PLAIN);
  const repeat = await chat.call('ai:chat:regenerate', { moduleId: 'm', requestId: 'r' });
  assert.equal(repeat.generationId, again.generationId);
  const unknown = await chat.call('ai:chat:regenerate', { moduleId: 'm', messageId: 'nowhere' });
  assert.equal(unknown.code, 'unknown-message');
});

test('a request answered anew is known by what it asks', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  const first = await chat.ask({ moduleId: 'm', message: 'One', userMessageId: 'q1' });
  await chat.ask({ moduleId: 'm', message: 'Two', userMessageId: 'q2' });
  const request = { moduleId: 'm', messageId: first.ack.messageId, requestId: 'r' };
  const edit = { moduleId: 'm', messageId: 'q2', message: 'Two!', requestId: 'e' };
  const again = await chat.call('ai:chat:regenerate', request);
  await chat.end(again.generationId);
  const edited = await chat.call('ai:chat:regenerate', edit);
  await chat.end(edited.generationId);

  for (const same of [request, { ...request, messageId: 'q1' },
    { ...request, messageId: again.messageId }, { moduleId: 'm', requestId: 'r' }])
    assert.equal((await chat.call('ai:chat:regenerate', same)).generationId, again.generationId);
  assert.equal((await chat.call('ai:chat:regenerate', edit)).generationId, edited.generationId);
  for (const other of [{ ...request, messageId: 'q2' }, { ...request, message: 'Three' },
    { ...edit, messageId: 'q1' }, { ...edit, messageId: edited.userMessageId },
    { ...edit, message: undefined }])
    assert.equal((await chat.call('ai:chat:regenerate', other)).code, 'invalid-request',
      JSON.stringify(other));
});

test('history comes in pages, the newest first asked', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  for (let i = 0; i < 4; i += 1)
    await chat.ask({ moduleId: 'm', message: `Question ${i}`, userMessageId: `q${i}` });
  const all = (await chat.call('ai:chat:history', { moduleId: 'm' })).messages;
  assert.equal(all.length, 8);
  const page = await chat.call('ai:chat:history', { moduleId: 'm', limit: 3 });
  assert.deepEqual(page.messages, all.slice(5));
  assert.equal(page.more, true);
  const older = await chat.call('ai:chat:history',
    { moduleId: 'm', limit: 5, before: page.messages[0].messageId });
  assert.deepEqual(older.messages, all.slice(0, 5));
  assert.equal(older.more, false);
  for (const [payload, code] of [[{ moduleId: 'm', limit: 0 }, 'invalid-request'],
    [{ moduleId: 'm', limit: 201 }, 'invalid-request'],
    [{ moduleId: 'm', before: 'nowhere' }, 'unknown-message'],
    [{ moduleId: 'nowhere' }, 'unknown-module']])
    assert.equal((await chat.call('ai:chat:history', payload)).code, code);
});

test('with queue=true a second question waits its turn', async (t) => {
  const { confabd } = await startDurable(t, 'slow', { config: '[confab]\nqueue=true\n' });
  const chat = await connect(t, confabd);
  const first = await chat.generate({ moduleId: 'm', message: 'One' });
  const second = await chat.generate({ moduleId: 'm', message: 'Two' });
  assert.equal(second.state, 'queued');
  await chat.end(second.generationId);
  for (const ack of [first, second])
    assert.equal(checkEvents(chat, ack).event, 'complete');
  const ids = chat.log.map(({ payload }) => payload.generationId);
  assert.ok(ids.lastIndexOf(first.generationId) < ids.indexOf(second.generationId));
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ messageId }) => messageId),
    [first.userMessageId, first.messageId, second.userMessageId, second.messageId]);
});

test('one who resumed an answer that waits for its turn hears of its end', async (t) => {
  const { confabd } = await startDurable(t, 'slow', { config: '[confab]\nqueue=true\n' });
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  await chat.generate({ moduleId: 'm', message: 'One' });
  const { generationId } = await chat.generate({ moduleId: 'm', message: 'Two' });
  const cut = await other.call('ai:chat:resume', { moduleId: 'm', generationId });
  assert.equal(cut.state, 'queued');
  assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm', generationId })).stopped, 1);
  const { event, payload } = await other.end(generationId);
  assert.equal(event, 'complete');
  assert.equal(payload.finishReason, 'stopped');
  await chat.call('ai:chat:stop', { moduleId: 'm' });
});

test('no chunk follows the ack of a stop that came too late', async (t) => {
  const { confabd } = await startDurable(t, 'plain',
    { config: '[confab]\nchunk-interval=1000\n' });
  const chat = await connect(t, confabd, { transports: ['websocket'] });
  const told = [];
  for (let i = 0; i < 10; i += 1) {
    const { generationId } = await chat.generate({ moduleId: 'm', message: `${i}` });
    await chat.waitFor(() => chat.all('chunk', generationId).length > 0);
    /* while the end is on its way to the disk */
    await Promise.all([1, 2, 3].map(async () => {
      await chat.call('ai:chat:stop', { moduleId: 'm', generationId });
      told.push([generationId, chat.all('chunk', generationId).length]);
    }));
    await chat.end(generationId);
  }
  told.forEach(([generationId, n]) => assert.equal(chat.all('chunk', generationId).length, n));
});

test('with chunk-interval text is gathered, and the first leaves at once', async (t) => {
  const { confabd } = await startDurable(t, 'slow',
    { config: '[confab]\nchunk-interval=200\n' });
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  const { payload } = await chat.end(ack.generationId);
  const chunks = chat.all('chunk');
  assert.equal(chunks[0].seq, 1);
  assert.equal(chunks[0].fromSeq, undefined);
  assert.equal(joined(chunks), payload.message);
  assert.ok(chunks.some(({ fromSeq, seq }) => fromSeq < seq), 'some were gathered');
  chunks.forEach(({ fromSeq, seq }, i) =>
    assert.equal(fromSeq ?? seq, i === 0 ? 1 : chunks[i - 1].seq + 1));
});

test('with chunk-interval the ack of resume is a cut for one who follows already', async (t) => {
  const { confabd } = await startDurable(t, 'paced:60:5',
    { config: '[confab]\nchunk-interval=150\n' });
  const chat = await connect(t, confabd);
  const question = { moduleId: 'm', message: 'One', requestId: 'r' };
  const ack = await chat.generate(question);
  await chat.waitFor(() => chat.all('chunk').length > 1);
  for (const again of [['ai:chat:resume', { moduleId: 'm' }], ['ai:chat:generate', question]]) {
    const cut = await chat.call(...again);
    assert.equal(chat.all('chunk').at(-1).seq, cut.seq, 'all of it was told before');
    await sleep(20);
  }
  const { payload } = await chat.end(ack.generationId);
  const chunks = chat.all('chunk');
  assert.equal(joined(chunks), payload.message);
  chunks.forEach(({ fromSeq, seq }, i) =>
    assert.equal(fromSeq ?? seq, i === 0 ? 1 : chunks[i - 1].seq + 1));
});

test('one paced answer writes at most one row a second', async (t) => {
  const { confabd, dir } = await startDurable(t, 'paced:10000:20');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length > 2);
  const size = async () => (await stat(join(dir, 'confab.db-wal'))).size;
  let writes = 0;
  let last = await size();
  const until = Date.now() + 3500;
  while (Date.now() < until) {
    await sleep(20);
    const now = await size();
    writes += now === last ? 0 : 1;
    last = now;
  }
  assert.ok(writes >= 2 && writes <= 4, `${writes} writes in 3.5 s`);
  await chat.call('ai:chat:stop', { moduleId: 'm', generationId: ack.generationId });
});

test('a database that cannot be used is left as it is', async (t) => {
  const { confabd, dir } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });

  const rival = await spawnConfabd(['--provider', 'builtin', '--data-dir', dir, '--port', '0']);
  assert.equal((await rival.waitForExit()).code, 2);
  assert.match(rival.stderr, /^confabd: [^\n]+\n$/);
  await confabd.stop();

  const path = join(dir, 'confab.db');
  await truncate(path, 5000);
  const damaged = await spawnConfabd(['--provider', 'builtin', '--data-dir', dir, '--port', '0']);
  assert.equal((await damaged.waitForExit()).code, 2);
  assert.match(damaged.stderr, /^confabd: [^\n]+\n$/);
  assert.equal((await stat(path)).size, 5000);
});

test('in memory nothing is written, and what the folder holds stays as it is', async (t) => {
  const { upstream, dir, again, confabd } = await startDurable(t, 'echo');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'kept', message: 'On disk' });
  await confabd.stop();
  const files = (await readdir(dir)).sort();
  const database = await readFile(join(dir, 'confab.db'));

  const passing = await startConfabd(t, ['--provider', 'openai', '--base-url', upstream.baseUrl,
    '--model', 'raw:echo', '--data-dir', dir, '--in-memory']);
  const other = await connect(t, passing);
  assert.deepEqual((await other.call('module:list', { sessionId: 'default' })).code,
    'unknown-session');
  await other.ask({ moduleId: 'm', message: 'Between us' });
  const { messages } = await other.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ content }) => content), ['Between us',
    'user: Between us\n']);
  const { results } = await other.call('ai:chat:search', { query: 'between' });
  assert.ok(results.length > 0);
  await passing.stop();
  assert.deepEqual((await readdir(dir)).sort(), files);
  assert.deepEqual(await readFile(join(dir, 'confab.db')), database);

  const back = await connect(t, await again());
  const { modules } = await back.call('module:list', { sessionId: 'default' });
  assert.deepEqual(modules.map(({ moduleId }) => moduleId), ['kept']);
});

test('a slow reader is sent what it missed in one piece, and slows nobody', async (t) => {
  const { confabd } = await startDurable(t, 'flood:40:30000');
  const quick = await connect(t, confabd, { transports: ['websocket'] });
  const { chat: slow, pause, resume } = await connectOverUnix(t, confabd);
  await slow.call('ai:chat:resume', { moduleId: 'm' });
  pause();
  const ack = await quick.generate({ moduleId: 'm', message: 'One' });
  const { payload } = await quick.end(ack.generationId);
  resume();
  const { payload: end } = await slow.end(ack.generationId);
  const chunks = slow.all('chunk');
  assert.equal(joined(chunks), payload.message);
  assert.equal(end.message, payload.message);
  assert.ok(chunks.some(({ fromSeq, seq }) => fromSeq < seq), 'some came in one piece');
  chunks.forEach(({ fromSeq, seq }, i) =>
    assert.equal(fromSeq ?? seq, i === 0 ? 1 : chunks[i - 1].seq + 1));
});

test('one that misses too much is told to resume, and of the end', async (t) => {
  const { confabd } = await startDurable(t, 'flood:90:30000');
  const quick = await connect(t, confabd, { transports: ['websocket'] });
  const { chat: slow, pause, resume } = await connectOverUnix(t, confabd);
  const resyncs = [];
  slow.socket.on('ai:chat:resync', (payload) => resyncs.push(payload));
  await slow.call('ai:chat:resume', { moduleId: 'm' });
  pause();
  const ack = await quick.generate({ moduleId: 'm', message: 'One' });
  const { payload } = await quick.end(ack.generationId);
  resume();
  const { payload: end } = await slow.end(ack.generationId);
  assert.equal(end.message, payload.message);
  assert.ok(payload.message.startsWith(joined(slow.all('chunk'))));
  assert.deepEqual(resyncs, [{ moduleId: 'm', generationId: ack.generationId,
    seq: slow.all('chunk').at(-1).seq }]);
});

test('a client that resumes after resync has all of it', async (t) => {
  const { confabd } = await startDurable(t, 'flood:90:30000:1500');
  const quick = await connect(t, confabd, { transports: ['websocket'] });
  const { chat: slow, pause, resume } = await connectOverUnix(t, confabd);
  const resynced = once(slow.socket, 'ai:chat:resync');
  await slow.call('ai:chat:resume', { moduleId: 'm' });
  pause();
  const ack = await quick.generate({ moduleId: 'm', message: 'One' });
  await quick.waitFor(() => joined(quick.all('chunk')).length >= 2500000);
  resume();
  const [resync] = await resynced;
  const cut = await slow.call('ai:chat:resume', { moduleId: 'm', seq: resync.seq });
  const before = joined(slow.all('chunk').filter(({ seq }) => seq <= resync.seq));
  const { payload } = await slow.end(ack.generationId);
  const after = joined(slow.all('chunk').filter(({ seq }) => seq > cut.seq));
  assert.equal(before + joined(cut.chunks) + after, payload.message);
  await quick.end(ack.generationId);
});

test('lists come in pages whose cursor survives a delete', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  for (let i = 0; i < 5; i += 1)
    await chat.call('session:create', { sessionId: `s${i}` });
  const first = await chat.call('session:list', { limit: 2 });
  assert.deepEqual(first.sessions.map(({ sessionId }) => sessionId), ['s4', 's3']);
  await chat.call('session:delete', { sessionId: 's3' });
  const rest = await chat.call('session:list', { limit: 5, cursor: first.cursor });
  assert.deepEqual(rest.sessions.map(({ sessionId }) => sessionId), ['s2', 's1', 's0']);
  assert.equal(rest.cursor, undefined);
});

test('a module names its provider, and one that is not there is refused', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.call('session:create', { sessionId: 's' });
  assert.equal((await chat.call('module:create',
    { sessionId: 's', moduleId: 'm', provider: 'nowhere' })).code, 'no-provider');
  await chat.call('module:create', { sessionId: 's', moduleId: 'm', provider: 'builtin' });
  const { end } = await chat.ask({ moduleId: 'm', message: 'I am glad' });
  assert.notEqual(end.message, PLAIN);
  const { providers } = await chat.call('provider:list', {});
  assert.ok(providers.some(({ name }) => name === 'builtin'));
  assert.equal(providers.filter((provider) => provider.default).length, 1);
});

test('a deleted module ends what runs in it', async (t) => {
  const { confabd } = await startDurable(t, 'paced:10000:20');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length > 1);
  const gone = once(chat.socket, 'module:changed');
  assert.equal((await chat.call('module:delete', { moduleId: 'm' })).ok, true);
  assert.deepEqual((await gone)[0], { moduleId: 'm', deleted: true });
  const { event, payload } = await chat.end(ack.generationId);
  assert.equal(event, 'complete');
  assert.equal(payload.finishReason, 'stopped');
  await chat.generate({ moduleId: 'm', message: 'Anew' });
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
  assert.deepEqual(messages.map(({ content, role }) => [role, role === 'user' ? content : '']),
    [['user', 'Anew'], ['assistant', '']]);
});

test('words are found in titles and messages', async (t) => {
  const { confabd } = await startDurable(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'Where does the Müller family live?' });
  const { results } = await chat.call('ai:chat:search', { query: 'muller' });
  assert.ok(results.some(({ moduleId, messageId }) => moduleId === 'm' && messageId));
  assert.equal((await chat.call('ai:chat:search', { query: '  ' })).code, 'invalid-request');
});

test('one that asks for much at once and reads slowly is sent all of it', async (t) => {
  const { confabd } = await startDurable(t, 'flood:90:30000');
  const quick = await connect(t, confabd, { transports: ['websocket'] });
  const { payload } = await quick.end((await quick.generate({ moduleId: 'm', message: 'One' }))
    .generationId);
  const { chat: slow, pause, resume } = await connectOverUnix(t, confabd);
  pause();
  const calls = ['ai:chat:resume', 'ai:chat:history', 'module:list', 'ai:chat:history'].map(
    (event) => slow.call(event, { moduleId: 'm', sessionId: 'default' }));
  await sleep(500);
  resume();
  const [cut, history, list, again] = await Promise.all(calls);
  assert.equal(cut.text, payload.message);
  assert.equal(history.messages[1].content, payload.message);
  assert.equal(list.modules.length, 1);
  assert.deepEqual(again, history);
});
