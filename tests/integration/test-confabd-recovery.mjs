// SPDX-License-Identifier: GPL-3.0-or-later
// Connection state recovery: a stock client that knows nothing of ai:chat:resume loses nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';

import { connect, connectOverUnix, startDurable, startWithRaw } from './lib/chat.mjs';
import { sleep } from './lib/process.mjs';

const RECONNECTING = { transports: ['websocket'], reconnection: true, reconnectionDelay: 20,
  randomizationFactor: 0 };

const joined = (deltas) => deltas.map(({ chunk }) => chunk).join('');

/** Checks that a plain client heard each event of its one answer once, in order and whole. */
function checkWhole(chat) {
  const events = chat.log.map(({ event }) => event);
  const chunks = chat.all('chunk');
  assert.equal(events[0], 'started');
  assert.equal(events.filter((event) => event === 'started').length, 1);
  assert.equal(events.at(-1), 'complete');
  assert.equal(events.filter((event) => event === 'complete').length, 1);
  chunks.forEach(({ seq, fromSeq }, i) =>
    assert.equal(fromSeq ?? seq, i === 0 ? 1 : chunks[i - 1].seq + 1, 'no gap, nothing twice'));
  assert.equal(joined(chunks), chat.all('complete')[0].message);
}

/** Cuts the wire, with all that the client has not read yet, and waits until it is back. */
async function cut(chat) {
  const back = once(chat.socket, 'connect');
  chat.socket.io.engine.transport.ws._socket.destroy();
  await back;
}

test('a plain client whose wire breaks again and again hears all of its answer', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:60:50');
  const chat = await connect(t, confabd, RECONNECTING);
  chat.socket.emit('ai:chat:generate', { moduleId: 'm', message: 'Hello' });
  for (let i = 0; i < 4; i += 1) {
    const before = chat.all('chunk').length;
    await chat.waitFor(() => chat.all('chunk').length > before + 3, 'some more text');
    await cut(chat);
    assert.equal(chat.socket.recovered, true);
  }
  await chat.waitFor(() => chat.all('complete').length > 0, 'the end');
  checkWhole(chat);
});

test('what was on its way when the wire broke is sent again', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:40:50');
  const { chat, pause } = await connectOverUnix(t, confabd, RECONNECTING);
  chat.socket.emit('ai:chat:generate', { moduleId: 'm', message: 'Hello' });
  await chat.waitFor(() => chat.all('chunk').length > 2, 'some text');
  pause();
  await sleep(500);
  await cut(chat);
  assert.equal(chat.socket.recovered, true);
  await chat.waitFor(() => chat.all('complete').length > 0, 'the end');
  checkWhole(chat);
});

test('an answer that starts and ends on a broken wire is told to who is back', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:10:20');
  const { chat, pause } = await connectOverUnix(t, confabd, RECONNECTING);
  const other = await connect(t, confabd);
  /* whoever got no event yet has nothing to come back with */
  const told = once(chat.socket, 'session:changed');
  await other.call('session:create', { sessionId: 's' });
  await told;
  pause();
  chat.socket.emit('ai:chat:generate', { moduleId: 'm', message: 'Hello' });
  await other.waitFor(() => chat.socket.sendBuffer.length === 0, 'the question is sent');
  for (let state = ''; state !== 'idle'; await sleep(20)) {
    const { modules } = await other.call('module:list', { sessionId: 'default' });
    state = modules?.[0]?.state;
  }
  assert.deepEqual(chat.log, []);
  await cut(chat);
  assert.equal(chat.socket.recovered, true);
  await chat.waitFor(() => chat.all('complete').length > 0, 'the end');
  checkWhole(chat);
});

test('an answer that ends while its client is away is told when it is back', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:20:50');
  const chat = await connect(t, confabd, { ...RECONNECTING, reconnectionDelay: 2500,
    reconnectionDelayMax: 2500 });
  chat.socket.emit('ai:chat:generate', { moduleId: 'm', message: 'Hello' });
  await chat.waitFor(() => chat.all('chunk').length > 3, 'some text');
  await cut(chat);
  assert.equal(chat.socket.recovered, true);
  await chat.waitFor(() => chat.all('complete').length > 0, 'the end');
  checkWhole(chat);
});

test('changes of sessions and modules are told to who was away', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const [chat, other] = await Promise.all([connect(t, confabd, { ...RECONNECTING,
    reconnectionDelay: 1500, reconnectionDelayMax: 1500 }), connect(t, confabd)]);
  const titles = [];
  chat.socket.on('session:changed', ({ title }) => titles.push(title));
  await other.call('session:create', { sessionId: 's1', title: 'One' });
  await chat.waitFor(() => titles.length > 0, 'the first change');
  const back = cut(chat);
  await sleep(300);
  await other.call('session:create', { sessionId: 's2', title: 'Two' });
  await back;
  await chat.waitFor(() => titles.length > 1, 'the second change');
  assert.deepEqual(titles, ['One', 'Two']);
});

test('who resumes after it was recovered is told nothing twice by that', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:60:50');
  const chat = await connect(t, confabd, RECONNECTING);
  await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.waitFor(() => chat.all('chunk').length > 3, 'some text');
  await cut(chat);
  const resumed = await chat.call('ai:chat:resume',
    { moduleId: 'm', seq: chat.all('chunk').at(-1).seq });
  await chat.waitFor(() => chat.all('complete').length > 0, 'the end');
  const later = chat.all('chunk').filter(({ seq }) => seq > resumed.seq);
  assert.equal(later[0].fromSeq ?? later[0].seq, resumed.seq + 1);
  assert.equal(chat.all('complete').length, 1);
});

test('clients that do not know of recovery get one argument with each event', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  for (const headers of [{ 'User-Agent': 'python-requests/2.28' }, { Origin: confabd.origin }]) {
    const chat = await connect(t, confabd, { transports: ['websocket'], extraHeaders: headers });
    const counts = new Set();
    chat.socket.onAny((event, ...args) => counts.add(args.length));
    await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.deepEqual([...counts], [1], JSON.stringify(headers));
  }
});

test('after a restart nobody is recovered, and is told so', async (t) => {
  const { confabd, again } = await startDurable(t, 'plain', { args: ['--port', '0'] });
  const chat = await connect(t, confabd, RECONNECTING);
  await chat.ask({ moduleId: 'm', message: 'Hello' });
  const pid = chat.socket._pid;
  assert.ok(pid, 'the client was given something to come back with');
  await confabd.stop();
  const later = await again();
  const next = await connect(t, later, { ...RECONNECTING,
    auth: { token: later.token, pid, offset: '1' } });
  assert.equal(next.socket.recovered, false);
});

test('what a client had of an earlier server is not taken for what it has of this', async (t) => {
  const offsets = [];
  const hearSessions = async (confabd, n) => {
    const chat = await connect(t, confabd, RECONNECTING);
    const heard = [];
    chat.socket.on('session:changed', (session, offset) => heard.push(offset));
    for (let i = 0; i < n; i += 1) {
      await chat.call('session:create', { sessionId: `s${offsets.length}-${i}` });
      await chat.waitFor(() => heard.length > i, 'a change');
    }
    offsets.push(heard.at(-1));
    return chat;
  };
  const { confabd, again } = await startDurable(t, 'plain', { args: ['--port', '0'] });
  await hearSessions(confabd, 2);
  await confabd.stop();
  const chat = await hearSessions(await again(), 4);
  /* so it is where nothing came since the restart: the client keeps the older one */
  [chat.socket._lastOffset] = offsets;
  await cut(chat);
  assert.equal(chat.socket.recovered, false);
});
