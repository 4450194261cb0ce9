// SPDX-License-Identifier: GPL-3.0-or-later
// Every fault of an upstream ends in exactly one error with its code, or in a correct complete.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';

import { checkEvents, connect, startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { sleep } from './lib/process.mjs';

const PLAIN = 'The quick brown fox jumps over the lazy dog.';
const UTF8 = 'Grüße – здравствуйте 你好 👋🏽 é̂!';

const completes = {
  'cut-every-byte': UTF8,
  'utf8-split': UTF8,
  crlf: PLAIN,
  cr: PLAIN,
  comments: PLAIN,
  'no-done': PLAIN,
  'no-finish-reason': PLAIN,
  'close-delimited': PLAIN,
  'no-usage': PLAIN,
  'whole-json': PLAIN,
};

const errors = {
  'truncated-no-finish': { code: 'upstream-truncated', message: PLAIN },
  'error-in-data': { code: 'upstream-error', message: 'The', says: /engine fell over/ },
  'not-json': { code: 'upstream-error', message: 'The' },
  'http-401': { code: 'upstream-auth', says: /Incorrect API key/ },
  'http-429': { code: 'upstream-rate-limit', retryAfterMs: 7000, says: /Slow down/ },
  'http-500': { code: 'upstream-error', says: /engine fell over/ },
  'http-503': { code: 'upstream-unavailable', says: /Loading model/ },
  'http-400-context': { code: 'context-length', says: /Too many tokens/ },
  disconnect: { code: 'upstream-truncated', message: 'The quick' },
  reset: { code: 'upstream-truncated', message: 'The' },
};

/* Each fault once: that such a server is asked again has a test of its own. */
const ONCE = { config: '[providers/openai]\nretries=0\n' };

const RETRYABLE = new Set(['upstream-rate-limit', 'upstream-unavailable', 'upstream-timeout',
  'upstream-truncated']);

/* Nothing may follow the end, and the module must be free again. */
async function checkAfter(chat, ack) {
  await sleep(30);
  const end = checkEvents(chat, ack);
  const next = await chat.generate({ moduleId: 'm', message: 'Again' });
  await chat.end(next.generationId);
  return end;
}

for (const [fault, text] of Object.entries(completes)) {
  test(`${fault} completes`, async (t) => {
    const { confabd } = await startWithRaw(t, fault);
    const chat = await connect(t, confabd);
    const { ack, event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.equal(event, 'complete', JSON.stringify(end));
    assert.equal(end.message, text);
    if (fault === 'no-usage')
      assert.equal(end.usage, null);
    await checkAfter(chat, ack);
  });
}

for (const [fault, expected] of Object.entries(errors)) {
  test(`${fault} is ${expected.code}`, async (t) => {
    const { confabd } = await startWithRaw(t, fault, ONCE);
    const chat = await connect(t, confabd);
    const { ack, event, end } = await chat.ask({ moduleId: 'm', message: 'Hello', requestId: 'r' });
    assert.equal(event, 'error', JSON.stringify(end));
    assert.equal(end.code, expected.code, end.error);
    assert.equal(end.message, expected.message);
    assert.equal(end.retryAfterMs, expected.retryAfterMs);
    assert.equal(typeof end.retryable, 'boolean');
    if (RETRYABLE.has(end.code))
      assert.equal(end.retryable, true);
    assert.equal(end.moduleId, 'm');
    assert.equal(end.requestId, 'r');
    assert.equal(end.generationId, ack.generationId);
    assert.match(end.error, expected.says ?? /\w+ \w+/);
    await checkAfter(chat, ack);
  });
}

test('nobody at the address is upstream-unavailable', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'plain');
  await upstream.stop();
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(end.code, 'upstream-unavailable');
  assert.equal(end.retryable, true);
});

test('an upstream that hangs up before it answers', async (t) => {
  const server = createServer((socket) => { socket.on('error', () => {}).destroy(); });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const confabd = await startConfabd(t, ['--base-url',
    `http://127.0.0.1:${server.address().port}/v1`, '--model', 'x']);
  const chat = await connect(t, confabd);
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(event, 'error');
  assert.match(end.code, /^upstream-/);
});

for (const [silence, message] of [['silent', undefined], ['stall', 'The']])
  test(`${silence} is upstream-timeout, after as long as stall-timeout says`, async (t) => {
    const { confabd } = await startWithRaw(t, silence,
      { config: '[providers/openai]\nretries=0\nstall-timeout=2\n' });
    const chat = await connect(t, confabd);
    const before = performance.now();
    const { ack, event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    const took = performance.now() - before;
    assert.deepEqual([event, end.code, end.message, end.retryable],
      ['error', 'upstream-timeout', message, true]);
    assert.match(end.error, /nothing for 2 seconds/);
    assert.ok(took >= 1900, `${took} ms`);
    assert.equal(checkEvents(chat, ack).event, 'error');
  });

test('a stalled upstream can be stopped, and the partial text stays', async (t) => {
  const { confabd } = await startWithRaw(t, 'stall');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.waitFor(() => chat.all('chunk').length === 1);
  await chat.call('ai:chat:stop', { moduleId: 'm' });
  const { event, payload } = await chat.end(ack.generationId);
  assert.deepEqual([event, payload.message, payload.finishReason], ['complete', 'The', 'stopped']);
});

test('keys never come out', async (t) => {
  const { confabd } = await startWithRaw(t, 'http-401',
    { env: { OPENAI_API_KEY: 'sk-very-secret-1234' }, args: ['--verbose'] });
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  await chat.call('provider:list', {});
  assert.ok(!JSON.stringify(end).includes('sk-very-secret'));
  assert.ok(!confabd.stderr.includes('sk-very-secret'));
  assert.ok(!confabd.stderr.includes(confabd.token));
});
