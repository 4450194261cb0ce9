// SPDX-License-Identifier: GPL-3.0-or-later
// What open sockets hear of sessions and modules that others change.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';

import { connect, connectOverUnix, startDurable, startWithRaw } from './lib/chat.mjs';

/** Every state that a client is told of a module, in order. */
function statesOf(chat, moduleId) {
  const states = [];
  chat.socket.on('module:changed', (module) => {
    if (module.moduleId === moduleId)
      states.push(module.deleted ? 'deleted' : module.state);
  });
  return states;
}

test('open sockets of one user see each other’s sessions and modules', async (t) => {
  const { confabd, again } = await startDurable(t, 'plain');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const changes = [];
  for (const event of ['session:changed', 'module:changed'])
    other.socket.on(event, (payload) => changes.push([event, payload]));
  const { session } = await chat.call('session:create', { title: 'Work', sessionId: 's' });
  assert.equal(session.title, 'Work');
  const { module } = await chat.call('module:create', { sessionId: 's', moduleId: 'm',
    title: 'Plans', instructions: 'Be brief.', parameters: { temperature: 0.5 } });
  assert.deepEqual([module.title, module.instructions, module.parameters],
    ['Plans', 'Be brief.', { temperature: 0.5 }]);
  await chat.call('module:update', { moduleId: 'm', title: 'Better plans' });
  await chat.call('session:update', { sessionId: 's', title: 'Play' });
  const { sessions } = await other.call('session:list', {});
  assert.deepEqual(sessions.map(({ title, moduleCount }) => [title, moduleCount]), [['Play', 1]]);
  assert.equal((await other.call('module:list', { sessionId: 's' })).modules[0].title,
    'Better plans');
  await confabd.stop();

  const later = await connect(t, await again());
  const { modules } = await later.call('module:list', { sessionId: 's' });
  assert.deepEqual([modules[0].title, modules[0].instructions, modules[0].parameters],
    ['Better plans', 'Be brief.', { temperature: 0.5 }]);
  assert.equal((await later.call('session:delete', { sessionId: 's' })).ok, true);
  assert.equal((await later.call('module:list', { sessionId: 's' })).code, 'unknown-session');
  assert.equal((await later.call('ai:chat:history', { moduleId: 'm' })).code, 'unknown-module');
  /* changes of one thing may be told as one, the last always is */
  const last = (event) => changes.findLast(([name]) => name === event)[1].title;
  assert.deepEqual([last('session:changed'), last('module:changed')], ['Play', 'Better plans']);
  assert.equal(changes[0][0], 'session:changed', 'a session comes before what is in it');
});

test('how many modules a session has is told when that changes', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const counts = new Map();
  other.socket.on('session:changed', (session) =>
    counts.set(session.sessionId, session.moduleCount));
  await chat.call('session:create', { sessionId: 's' });
  await chat.call('module:create', { sessionId: 's', moduleId: 'a' });
  await other.waitFor(() => counts.get('s') === 1, 'one that was made');
  await chat.ask({ sessionId: 's', moduleId: 'b', message: 'Hello' });
  await other.waitFor(() => counts.get('s') === 2, 'one that a question made');
  await chat.call('module:delete', { moduleId: 'a' });
  await other.waitFor(() => counts.get('s') === 1, 'one that was deleted');
});

test('where a module stands is told at the start and at the end of an answer', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:20:50');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const states = statesOf(other, 'm');
  const { end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.ok(end.message);
  await other.waitFor(() => states.at(-1) === 'idle', 'the end in the state of the module');
  assert.ok(['queued', 'connecting', 'streaming'].includes(states[0]), states.join());
  assert.equal((await other.call('module:list', { sessionId: 'default' })).modules[0].state,
    'idle');
});

test('an answer that fails or is stopped leaves its module idle for everybody', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:10000:20');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const states = statesOf(other, 'm');
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
  await other.waitFor(() => states.length > 0, 'the start');
  await chat.call('ai:chat:stop', { moduleId: 'm', generationId: ack.generationId });
  await other.waitFor(() => states.at(-1) === 'idle', 'the end in the state of the module');
});

test('between two answers of a queue no module is told idle', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:40:50', { config: '[confab]\nqueue=true\n' });
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const states = statesOf(other, 'm');
  const acks = [await chat.generate({ moduleId: 'm', message: 'One' }),
    await chat.generate({ moduleId: 'm', message: 'Two' })];
  await chat.end(acks[1].generationId);
  await other.waitFor(() => states.at(-1) === 'idle', 'the end in the state of the module');
  assert.equal(states.filter((state) => state === 'idle').length, 1, states.join());
});

test('of a module deleted while it is answered nothing is told after that', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:10000:20');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const states = statesOf(other, 'm');
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length > 1);
  await chat.call('module:delete', { moduleId: 'm' });
  await chat.end(ack.generationId);
  await other.waitFor(() => states.at(-1) === 'deleted', 'the deletion');
  const later = once(other.socket, 'session:changed');
  await chat.call('session:create', { sessionId: 'later' });
  await later;
  assert.equal(states.at(-1), 'deleted');
});

test('what changes again and again is told as it is in the end', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const [chat, other] = await Promise.all([connect(t, confabd), connect(t, confabd)]);
  const titles = [];
  other.socket.on('module:changed', ({ title }) => titles.push(title));
  await chat.call('session:create', { sessionId: 's' });
  await chat.call('module:create', { sessionId: 's', moduleId: 'm' });
  await Promise.all(Array.from({ length: 200 }, (_, i) =>
    chat.call('module:update', { moduleId: 'm', title: `Title ${i}` })));
  await other.waitFor(() => titles.at(-1) === 'Title 199', 'the last title');
  assert.ok(titles.length < 100, `${titles.length} frames for 200 changes`);
});

test('a slow reader is told when it has caught up, and stays connected', async (t) => {
  const { confabd } = await startWithRaw(t, 'flood:20:30000');
  const quick = await connect(t, confabd, { transports: ['websocket'] });
  const { chat: slow, pause, resume } = await connectOverUnix(t, confabd);
  const changes = new Map();
  slow.socket.on('module:changed', (module) => changes.set(module.moduleId, module));
  await slow.call('ai:chat:resume', { moduleId: 'm' });
  pause();
  const ack = await quick.generate({ moduleId: 'm', message: 'One' });
  await quick.end(ack.generationId);
  /* more than would close its connection if it were queued for it */
  const instructions = 'x'.repeat(30000);
  for (let i = 0; i < 50; i += 1)
    await quick.call('module:create', { sessionId: 'default', moduleId: `n${i}`, instructions });
  await quick.call('module:delete', { moduleId: 'n7' });
  await quick.call('module:update', { moduleId: 'n3', title: 'Last' });
  resume();
  await slow.end(ack.generationId);
  await slow.waitFor(() => changes.get('n3')?.title === 'Last' && changes.get('n7')?.deleted
    && changes.get('m')?.state === 'idle' && changes.size === 51, 'the last change of each');
  assert.equal(slow.socket.connected, true);
  assert.deepEqual(changes.get('n7'), { moduleId: 'n7', deleted: true });
  const { sessions } = await slow.call('session:list', {});
  assert.equal(sessions[0].moduleCount, 50);
});
