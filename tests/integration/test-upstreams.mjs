// SPDX-License-Identifier: GPL-3.0-or-later
// Upstreams by others: llama.cpp with weights counted from our own corpus, and aimock's OpenAI.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { checkEvents, connect } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { startAimock, startLlama } from './lib/upstreams.mjs';

const llamaDir = join(dirname(dirname(fileURLToPath(import.meta.url))), 'upstream/llama');
const N_CLIENTS = 20;
const dir = mkdtempSync(join(tmpdir(), 'confab-upstreams-'));
const weights = join(dir, 'corpus.gguf');
const fixtures = join(dir, 'fixtures');

before(() => {
  execFileSync(process.execPath, [join(llamaDir, 'mkgguf.mjs'), join(llamaDir, 'corpus.txt'),
    weights, '1024']);
  mkdirSync(fixtures);
  writeFileSync(join(fixtures, 'chat.json'), JSON.stringify({
    fixtures: [
      { match: { userMessage: 'plain' }, response: { content: 'An answer – in several pieces.' } },
      { match: { userMessage: 'think' },
        response: { content: 'Forty-two.', reasoning: 'Let me count, and count again.' } },
      // paced, so that what came before the cut is read before the reset drops it
      { match: { userMessage: 'cut' }, truncateAfterChunks: 3, latency: 40,
        response: { content: 'This answer is cut before it comes to its proper end.' } },
      { match: { userMessage: 'limit' },
        response: { error: { message: 'Too many requests', type: 'rate_limit_error' },
          status: 429 } },
      { match: { userMessage: 'broken' },
        response: { error: { message: 'Out of order', type: 'server_error' }, status: 500 } },
      { match: { userMessage: 'key' },
        response: { error: { message: 'Bad key', type: 'authentication_error' }, status: 401 } },
    ],
  }));
});

after(() => rmSync(dir, { recursive: true, force: true }));

function startWith(t, upstream, model, options) {
  return startConfabd(t, ['--provider', 'openai', '--base-url', upstream.baseUrl,
    ...(model ? ['--model', model] : [])], options);
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`llama.cpp: ${N_CLIENTS} clients at once over ${transports.join(' and ')}`, async (t) => {
    const llama = await startLlama(t, weights);
    const confabd = await startWith(t, llama);
    const chats = await Promise.all(Array.from({ length: N_CLIENTS }, () =>
      connect(t, confabd, { transports })));
    const ends = await Promise.all(chats.map(async (chat, i) => {
      const { ack } = await chat.ask({ moduleId: `module-${i}`, message: 'Tell me of the sea.' });
      return checkEvents(chat, ack);
    }));
    for (const { event, payload } of ends) {
      assert.equal(event, 'complete', JSON.stringify(payload));
      assert.equal(payload.finishReason, 'length');
      assert.ok(payload.message.length > 0);
      assert.ok(payload.usage.outputTokens > 0);
    }
  });
}

test('llama.cpp: stop ends the upstream run, and the next question is answered', async (t) => {
  const llama = await startLlama(t, weights);
  const confabd = await startWith(t, llama);
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'Go on for long.' });
  await chat.waitFor(() => chat.all('chunk').length > 0, 'a first chunk');
  await chat.call('ai:chat:stop', { moduleId: 'm' });
  const { payload } = await chat.end(ack.generationId);
  assert.ok(['stopped', 'length'].includes(payload.finishReason));
  const { event } = await chat.ask({ moduleId: 'm', message: 'And now?' });
  assert.equal(event, 'complete');
});

test('aimock: text, reasoning and usage', async (t) => {
  const aimock = await startAimock(t, fixtures);
  const confabd = await startWith(t, aimock, 'gpt-4o-mini');
  const chat = await connect(t, confabd);
  const plain = await chat.ask({ moduleId: 'm', message: 'plain' });
  assert.equal(plain.event, 'complete', JSON.stringify(plain.end));
  assert.equal(checkEvents(chat, plain.ack).payload.message, 'An answer – in several pieces.');
  assert.equal(plain.end.finishReason, 'stop');
  const thought = await chat.ask({ moduleId: 'n', message: 'think' });
  assert.equal(checkEvents(chat, thought.ack).payload.message, 'Forty-two.');
  assert.equal(chat.all('reasoning', thought.ack.generationId).map(({ chunk }) => chunk).join(''),
    'Let me count, and count again.');
});

for (const [message, code] of [['cut', 'upstream-truncated'], ['limit', 'upstream-rate-limit'],
  ['broken', 'upstream-error'], ['key', 'upstream-auth']]) {
  test(`aimock: ${message} is ${code}`, async (t) => {
    const aimock = await startAimock(t, fixtures);
    const confabd = await startWith(t, aimock, 'gpt-4o-mini',
      { config: '[providers/openai]\nretries=0\n' });
    const chat = await connect(t, confabd);
    const { ack } = await chat.ask({ moduleId: 'm', message });
    const { event, payload } = checkEvents(chat, ack);
    assert.equal(event, 'error');
    assert.equal(payload.code, code);
    assert.ok(payload.error.length > 0);
  });
}
