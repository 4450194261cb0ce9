// SPDX-License-Identifier: GPL-3.0-or-later
// The chat over plain HTTP: what goes over the wire, who owns the answer, and what is refused.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';

import { connect, startWithRaw, statsOf } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { waitFor } from './lib/process.mjs';
import {
  ask, BUILTIN, call, post, readAnswer, readEvents, readUntil, userMessage,
} from './lib/ui-stream.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const run = promisify(execFile);
const RAW_TEXT = 'The quick brown fox jumps over the lazy dog.';

const submit = (id, messageId, text, more = {}) =>
  ({ id, messages: [userMessage(messageId, text)], trigger: 'submit-message', ...more });

async function historyOf(confabd, moduleId) {
  return (await call(confabd, 'ai:chat:history', { moduleId })).messages;
}

/** A stream of the raw upstream that goes on until it is stopped. */
const startEndless = (t) => startWithRaw(t, 'paced:100000:20', { args: ['--dev'] });

test('an answer streams as parts of one message', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain', { args: ['--dev'] });
  const answer = await ask(confabd, submit('m', 'q1', 'Hello'));

  assert.equal(answer.text, RAW_TEXT);
  assert.deepEqual(answer.blocks, ['text:1']);
  assert.equal(answer.end, 'finish');
  assert.equal(answer.finishReason, 'stop');
  assert.equal(answer.metadata.moduleId, 'm');
  assert.equal(answer.metadata.userMessageId, 'q1');
  assert.equal(answer.metadata.finishReason, 'stop');
  assert.equal(answer.metadata.usage.outputTokens, 10);

  const [question, kept] = await historyOf(confabd, 'm');
  assert.equal(question.messageId, 'q1');
  assert.equal(question.content, 'Hello');
  assert.equal(kept.messageId, answer.id);
  assert.equal(kept.generationId, answer.metadata.generationId);
  assert.equal(kept.content, RAW_TEXT);
});

test('curl -N shows it as it comes', async (t) => {
  const { confabd } = await startWithRaw(t, 'slow:5', { args: ['--dev'] });
  const { stdout } = await run('curl', ['-sN', '--fail', '--max-time', '30', '-d',
    JSON.stringify(submit('m', 'q1', 'Hello')), `${confabd.origin}/api/chat`]);
  assert.match(stdout, /^data: \{"type":"start",/);
  assert.equal(stdout.match(/"type":"text-delta"/g).length, 5);
  assert.match(stdout, /\n\ndata: \[DONE\]\n\n$/);
});

test('HTTP/1.0 gets it without chunks', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain', { args: ['--dev'] });
  const { stdout } = await run('curl', ['-sNi', '--http1.0', '--max-time', '30', '-d',
    JSON.stringify(submit('m', 'q1', 'Hello')), `${confabd.origin}/api/chat`]);
  assert.doesNotMatch(stdout, /transfer-encoding/i);
  assert.match(stdout, /\n\ndata: \[DONE\]\n\n$/);
});

test('thinking is a block of its own', async (t) => {
  const { confabd } = await startWithRaw(t, 'reasoning', { args: ['--dev'] });
  const answer = await ask(confabd, submit('m', 'q1', 'Hello'));
  assert.equal(answer.reasoning, 'Let me think');
  assert.equal(answer.text, RAW_TEXT);
  assert.deepEqual(answer.blocks, ['reasoning:1', 'text:2']);
});

test('an id is used as the address says it', async (t) => {
  const { confabd } = await startEndless(t);
  const response = await post(confabd, '/api/chat', submit('a@b:c~1', 'q1', 'Hello'));
  await readUntil(response, ({ type }) => type === 'text-delta');
  const again = await fetch(`${confabd.origin}/api/chat/${encodeURIComponent('a@b:c~1')}/stream`);
  assert.equal(again.status, 200);
  await again.body.cancel();
});

test('who goes stops nothing, and finds the answer again from its start', async (t) => {
  const { upstream, confabd } = await startWithRaw(t, 'paced:60:20', { args: ['--dev'] });
  const first = await post(confabd, '/api/chat', submit('m', 'q1', 'Hello'));
  await readUntil(first, ({ delta }) => delta?.includes('t5 '));

  const again = await readAnswer(await fetch(`${confabd.origin}/api/chat/m/stream`));
  const whole = Array.from({ length: 60 }, (_, i) => `t${i} `).join('');
  assert.equal(again.text, whole);
  const [, kept] = await historyOf(confabd, 'm');
  assert.equal(kept.messageId, again.id);
  assert.equal(kept.content, whole);
  assert.equal(kept.state, 'completed');
  assert.equal((await statsOf(upstream)).requests.filter(({ method }) => method === 'POST').length,
    1);
});

test('several read one answer, over HTTP and Socket.IO', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:40:20', { args: ['--dev'] });
  const chat = await connect(t, confabd);
  await chat.call('ai:chat:resume', { moduleId: 'm' });
  const first = await post(confabd, '/api/chat', submit('m', 'q1', 'Hello'));
  const second = await fetch(`${confabd.origin}/api/chat/m/stream`);
  const answers = await Promise.all([readAnswer(first), readAnswer(second)]);
  const { payload } = await chat.end(answers[0].metadata.generationId);
  assert.equal(answers[0].text, payload.message);
  assert.equal(answers[1].text, payload.message);
  assert.equal(answers[0].id, answers[1].id);
});

test('where nothing runs there is nothing to resume', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['/api/chat/unknown/stream', '/api/chat/m/stream']) {
    const response = await fetch(confabd.origin + path);
    assert.equal(response.status, 204, path);
    assert.equal(await response.text(), '');
    if (path.includes('unknown'))
      await ask(confabd, submit('m', 'q1', 'Hello'));
  }
});

test('asking the same again asks once', async (t) => {
  const { upstream, confabd } = await startWithRaw(t, 'plain', { args: ['--dev'] });
  const first = await ask(confabd, submit('m', 'q1', 'Hello'));
  const second = await ask(confabd, submit('m', 'q1', 'Hello'));
  assert.equal(second.id, first.id);
  assert.equal(second.text, first.text);
  assert.equal(second.end, 'finish');
  assert.equal((await statsOf(upstream)).requests.filter(({ method }) => method === 'POST').length,
    1);

  const other = await post(confabd, '/api/chat', submit('m', 'q1', 'Something else'));
  assert.equal(other.status, 400);
  assert.equal((await other.json()).code, 'invalid-request');
});

test('of what the client sends along only its last message is read', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo', { args: ['--dev'] });
  const answer = await ask(confabd, {
    id: 'm',
    messages: [
      userMessage('x1', 'never said here'),
      { id: 'x2', role: 'assistant', parts: [{ type: 'text', text: 'nor this' }] },
      { id: 'q1', role: 'user', parts: [{ type: 'step-start' }, { type: 'text', text: 'One, ' },
        { type: 'file', mediaType: 'image/png', url: 'data:,' }, { type: 'text', text: 'two' }] },
      { id: 'x3', role: 'assistant', parts: [] },
    ],
  });
  assert.equal(answer.text, 'user: One, two\n');

  /* as clients do that send no more than is needed */
  const single = await ask(confabd, { id: 'n', message: userMessage('q1', 'Three') });
  assert.equal(single.text, 'user: Three\n');
});

test('an answer is made anew', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo', { args: ['--dev'] });
  const first = await ask(confabd, submit('m', 'q1', 'One'));
  const second = await ask(confabd, submit('m', 'q2', 'Two'));

  const last = await ask(confabd, { id: 'm', messages: [], trigger: 'regenerate-message' });
  assert.notEqual(last.id, second.id);
  assert.equal(last.text, second.text);
  assert.equal(last.metadata.userMessageId, 'q2');

  const earlier = await ask(confabd,
    { id: 'm', messages: [], trigger: 'regenerate-message', messageId: first.id });
  assert.equal(earlier.text, 'user: One\n');
  assert.deepEqual((await historyOf(confabd, 'm')).map(({ messageId }) => messageId),
    ['q1', earlier.id]);
});

test('a message is edited under its id, and is new if it has none here', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo', { args: ['--dev'] });
  const first = await ask(confabd, submit('m', 'q1', 'One', { messageId: 'q1' }));
  assert.equal(first.metadata.userMessageId, 'q1');
  assert.equal(first.text, 'user: One\n');

  const edited = await ask(confabd, submit('m', 'q1', 'Two', { messageId: 'q1' }));
  assert.equal(edited.text, 'user: Two\n');
  assert.deepEqual((await historyOf(confabd, 'm')).map(({ content }) => content),
    ['Two', 'user: Two\n']);
});

test('what is not fit is refused, with a code', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  await ask(confabd, submit('m', 'q0', 'Hello'));
  const cases = [
    ['nothing', '', 400, 'invalid-request'],
    ['no JSON', '{"id":', 400, 'invalid-request'],
    ['no object', '[]', 400, 'invalid-request'],
    ['nesting', '['.repeat(100000), 400, 'invalid-request'],
    ['no id', { messages: [userMessage('q', 'x')] }, 400, 'invalid-request'],
    ['a bad id', submit('a b', 'q', 'x'), 400, 'invalid-request'],
    ['a bad id of the message', submit('m', 'a b', 'x'), 400, 'invalid-request'],
    ['no messages', { id: 'm' }, 400, 'invalid-request'],
    ['messages of others', { id: 'm', messages: [{ id: 'q', role: 'assistant', parts: [] }, 7] },
      400, 'invalid-request'],
    ['a blank message', submit('m', 'q', ' \n'), 400, 'invalid-request'],
    ['no text', { id: 'm', messages: [{ id: 'q', role: 'user' }] }, 400, 'invalid-request'],
    ['a trigger', submit('m', 'q', 'x', { trigger: 'resume' }), 400, 'invalid-request'],
    ['a long message', submit('m', 'q', 'x'.repeat(256 * 1024 + 1)), 413, 'too-large'],
    ['a long body', submit('m', 'q', 'x'.repeat(4 * 1024 * 1024)), 413, 'too-large'],
    ['anew, unknown', { id: 'm', trigger: 'regenerate-message', messageId: 'none' }, 404,
      'unknown-message'],
    ['anew, no module', { id: 'none', trigger: 'regenerate-message' }, 404, 'unknown-module'],
  ];
  for (const [what, body, status, code] of cases) {
    const response = await post(confabd, '/api/chat', body);
    const refusal = await response.json();
    assert.equal(response.status, status, `${what}: ${JSON.stringify(refusal)}`);
    assert.equal(refusal.code, code, what);
    assert.ok(refusal.error.length > 10, what);
  }
  assert.equal((await historyOf(confabd, 'm')).length, 2, 'nothing came of it');
});

test('a whole conversation may come along, of more than a megabyte', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const messages = Array.from({ length: 20 }, (_, i) => userMessage(`o${i}`, 'x'.repeat(150000)));
  messages.push(userMessage('q', 'Hello'));
  const answer = await ask(confabd, { id: 'm', messages });
  assert.equal(answer.end, 'finish');
});

test('methods that mean nothing here are refused', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const get = await fetch(`${confabd.origin}/api/chat`);
  assert.equal(get.status, 405);
  assert.equal(get.headers.get('allow'), 'POST');
  const put = await post(confabd, '/api/chat/m/stream', {});
  assert.equal(put.status, 405);
  assert.equal(put.headers.get('allow'), 'GET');
  for (const path of ['/api/chat/', '/api/chat/m', '/api/chat/m/other', '/api/chat/a%20b/stream',
    '/api/chat/m/stream/', '/api/chatter'])
    assert.equal((await fetch(confabd.origin + path)).status, 404, path);
});

test('a second question meanwhile is refused as busy', async (t) => {
  const { confabd } = await startEndless(t);
  const first = await post(confabd, '/api/chat', submit('m', 'q1', 'Hello'));
  const second = await post(confabd, '/api/chat', submit('m', 'q2', 'And?'));
  assert.equal(second.status, 409);
  assert.equal((await second.json()).code, 'busy');
  await first.body.cancel();
});

test('nobody talks without the token', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const stranger = { origin: confabd.origin, token: null };
  for (const path of ['/api/chat', '/api/call/server:info']) {
    const response = await post(stranger, path, submit('m', 'q1', 'Hello'));
    assert.equal(response.status, 401, path);
    assert.equal((await response.json()).code, 'unauthorized');
  }
  assert.equal((await fetch(`${confabd.origin}/api/chat/m/stream`)).status, 401);
  assert.equal((await ask(confabd, submit('m', 'q1', 'Hello'))).end, 'finish');
});

test('a page of an allowed origin may ask, others may not', async (t) => {
  const confabd = await startConfabd(t,
    [...BUILTIN, '--allow-origin', 'https://app.example']);
  const from = (Origin) => post(confabd, '/api/chat', submit('m', 'q1', 'Hello'),
    { headers: { Origin, 'Content-Type': 'text/plain' } });
  const friend = await from('https://app.example');
  assert.equal(friend.headers.get('access-control-allow-origin'), 'https://app.example');
  assert.equal((await readAnswer(friend)).end, 'finish');
  assert.equal((await from('https://evil.example')).status, 403);
});

test('stop ends the stream with what came so far', async (t) => {
  const { confabd } = await startEndless(t);
  const response = await post(confabd, '/api/chat', submit('m', 'q1', 'Hello'));
  const reading = readAnswer(response);
  await waitFor(async () => (await historyOf(confabd, 'm'))[1].content.length > 0,
    { what: 'text' });
  const { stopped } = await call(confabd, 'ai:chat:stop', { moduleId: 'm' });
  assert.equal(stopped, 1);

  const answer = await reading;
  assert.equal(answer.end, 'abort');
  assert.equal(answer.metadata.finishReason, 'stopped');
  const [, kept] = await historyOf(confabd, 'm');
  assert.equal(kept.state, 'stopped');
  assert.equal(answer.text, kept.content);
});

test('a failure is told in words, and by its code', async (t) => {
  const { confabd } = await startWithRaw(t, 'error-in-data', { args: ['--dev'] });
  const answer = await ask(confabd, submit('m', 'q1', 'Hello'));
  assert.equal(answer.end, 'error');
  assert.equal(answer.text, 'The');
  assert.match(answer.error, /The engine fell over/);
  assert.equal(answer.metadata.code, 'upstream-error');
  assert.equal(typeof answer.metadata.retryable, 'boolean');
});

test('when to come back is told', async (t) => {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, ['--dev'], {
    config: `[confab]\nprovider=raw\n[providers/raw]\ntype=openai\nretries=0\n`
      + `base-url=${upstream.baseUrl}\nmodel=raw:http-429\n`,
  });
  const answer = await ask(confabd, submit('m', 'q1', 'Hello'));
  assert.equal(answer.end, 'error');
  assert.equal(answer.metadata.code, 'upstream-rate-limit');
  assert.equal(answer.metadata.retryAfterMs, 7000);
});

test('a stream ends in an orderly way when Confab does', async (t) => {
  const { confabd } = await startEndless(t);
  const response = await post(confabd, '/api/chat', submit('m', 'q1', 'Hello'));
  const events = readEvents(response);
  const parts = [];
  let stopping = null;
  let done = false;
  for await (const event of events) {
    if (event.part)
      parts.push(event.part);
    done ||= event.done === true;
    if (event.part?.type === 'text-delta')
      stopping ??= confabd.stop();
  }
  await stopping;
  assert.ok(done, '[DONE]');
  assert.equal(parts.at(-1).type, 'error');
  assert.equal(parts.at(-2).messageMetadata.code, 'shutting-down');
});

test('without Socket.IO there is the chat all the same', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--no-realtime']);
  assert.equal((await fetch(`${confabd.origin}/api/socket/?EIO=4&transport=polling`)).status, 404);
  const answer = await ask(confabd, submit('m', 'q1', 'Hello'));
  assert.equal(answer.end, 'finish');
  assert.equal((await call(confabd, 'server:info', {})).protocol, 1);
  assert.equal((await fetch(`${confabd.origin}/`)).status, 200);
});
