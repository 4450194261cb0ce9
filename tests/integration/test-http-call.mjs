// SPDX-License-Identifier: GPL-3.0-or-later
// Calls over plain HTTP: every client event but those that follow something.
import assert from 'node:assert/strict';
import test from 'node:test';

import { connect, startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { waitFor } from './lib/process.mjs';
import { BUILTIN, call, post } from './lib/ui-stream.mjs';

async function refusal(confabd, event, body, options) {
  const response = await post(confabd, `/api/call/${event}`, body, options);
  const ack = await response.json();
  assert.equal(ack.ok, false, 'a refusal is an ack, whoever refuses');
  return { status: response.status, headers: response.headers, ...ack };
}

async function waitForEnd(confabd, moduleId) {
  return waitFor(async () => {
    const { messages } = await call(confabd, 'ai:chat:history', { moduleId });
    return ['completed', 'stopped', 'failed'].includes(messages.at(-1).state) && messages;
  }, { timeout: 15000, what: 'the end of the answer' });
}

test('sessions and modules are made, changed, listed and deleted', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--no-realtime']);
  const { session } = await call(confabd, 'session:create', { title: 'Work', sessionId: 's' });
  assert.equal(session.title, 'Work');
  const { module } = await call(confabd, 'module:create', { sessionId: 's', title: 'Plans' });
  assert.equal(module.sessionId, 's');
  const { moduleId } = module;

  await call(confabd, 'session:update', { sessionId: 's', title: 'Leisure' });
  await call(confabd, 'module:update', { moduleId, instructions: 'Be brief.' });
  const { sessions } = await call(confabd, 'session:list', {});
  assert.deepEqual(sessions.map(({ title }) => title), ['Leisure']);
  const { modules } = await call(confabd, 'module:list', { sessionId: 's' });
  assert.deepEqual(modules.map(({ instructions }) => instructions), ['Be brief.']);

  await call(confabd, 'module:delete', { moduleId });
  await call(confabd, 'session:delete', { sessionId: 's' });
  assert.deepEqual((await call(confabd, 'session:list', {})).sessions, []);
});

test('generate answers when it is accepted, as its ack does', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:20:20', { args: ['--dev'] });
  const payload = { moduleId: 'm', message: 'Hello', requestId: 'r', userMessageId: 'q' };
  const ack = await call(confabd, 'ai:chat:generate', payload);
  assert.equal(ack.userMessageId, 'q');
  assert.match(ack.generationId, /./);
  assert.ok(['queued', 'connecting', 'streaming'].includes(ack.state), ack.state);

  const messages = await waitForEnd(confabd, 'm');
  assert.equal(messages[1].messageId, ack.messageId);

  const again = await call(confabd, 'ai:chat:generate', payload);
  assert.equal(again.generationId, ack.generationId);
  assert.equal(again.state, 'completed');
  assert.equal(again.message, messages[1].content);

  const anew = await call(confabd, 'ai:chat:regenerate', { moduleId: 'm' });
  assert.notEqual(anew.generationId, ack.generationId);
  assert.equal((await waitForEnd(confabd, 'm'))[1].messageId, anew.messageId);
});

test('what is asked here is heard by those who follow', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const chat = await connect(t, confabd);
  await chat.call('ai:chat:resume', { moduleId: 'm' });
  const { generationId } = await call(confabd, 'ai:chat:generate',
    { moduleId: 'm', message: 'Hello' });
  assert.equal((await chat.end(generationId)).event, 'complete');
});

test('search and providers answer here too', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  await call(confabd, 'ai:chat:generate', { moduleId: 'm', message: 'A zebra, please' });
  await waitForEnd(confabd, 'm');
  const { results } = await call(confabd, 'ai:chat:search', { query: 'zebra' });
  assert.ok(results.some(({ moduleId }) => moduleId === 'm'));
  const { providers } = await call(confabd, 'provider:list', {});
  assert.equal(providers[0].name, 'builtin');
  const info = await call(confabd, 'server:info', {});
  assert.equal(info.limits.messageBytes, 256 * 1024);
});

test('a refusal is an ack, and its status says what it does', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const cases = [
    ['ai:chat:history', { moduleId: 'none' }, 404, 'unknown-module'],
    ['module:list', { sessionId: 'none' }, 404, 'unknown-session'],
    ['ai:chat:generate', { moduleId: 'm' }, 400, 'invalid-request'],
    ['ai:chat:generate', { moduleId: 'm', message: 'x'.repeat(256 * 1024 + 1) }, 413, 'too-large'],
    ['session:update', { sessionId: 's', title: 7 }, 400, 'invalid-request'],
    ['server:info', '', 400, 'invalid-request'],
    ['server:info', '{"a":', 400, 'invalid-request'],
    ['server:info', '[]', 400, 'invalid-request'],
    ['server:info', '"text"', 400, 'invalid-request'],
    ['server:info', Buffer.from([0x22, 0xff, 0x22]).toString('latin1'), 400, 'invalid-request'],
  ];
  for (const [event, body, status, code] of cases) {
    const what = `${event} ${JSON.stringify(body).slice(0, 40)}`;
    const answer = await refusal(confabd, event, body);
    assert.equal(answer.status, status, what);
    assert.equal(answer.ok, false, what);
    assert.equal(answer.code, code, what);
    assert.ok(answer.error.length > 10, what);
  }
});

test('what is no call is not found', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const event of ['', 'nothing', 'ai:chat:resume', 'ai:chat:leave', 'server:info/',
    'server:info/more', 'SERVER:INFO', 'server%253Ainfo']) {
    const answer = await refusal(confabd, event, {});
    assert.ok([400, 404].includes(answer.status), `${event}: ${answer.status}`);
    assert.equal(answer.code, 'invalid-request', event);
  }
  assert.equal((await post(confabd, '/api/call/server%3Ainfo', {})).status, 200);
});

test('a call is posted', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    const response = await fetch(`${confabd.origin}/api/call/server:info`, { method });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'POST', method);
  }
});

test('a body beyond the limit is refused before it is kept', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const long = 'x'.repeat(1024 * 1024);
  const told = await refusal(confabd, 'server:info', { long });
  assert.equal(told.status, 413);
  assert.equal(told.code, 'too-large');

  /* in chunks, which do not tell their sum beforehand */
  const stream = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 12; i += 1)
        controller.enqueue(new TextEncoder().encode('x'.repeat(100 * 1024)));
      controller.close();
    },
  });
  const untold = await fetch(`${confabd.origin}/api/call/server:info`,
    { method: 'POST', body: stream, duplex: 'half' });
  assert.equal(untold.status, 413);
  assert.equal((await untold.json()).code, 'too-large');
});
