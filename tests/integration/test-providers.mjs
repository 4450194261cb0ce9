// SPDX-License-Identifier: GPL-3.0-or-later
// The providers other than OpenAI's Chat Completions, against aimock, through confabd: Anthropic's
// Messages, Ollama's own API, OpenAI's Responses.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, test } from 'node:test';

import { checkEvents, connect } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { startAimock } from './lib/upstreams.mjs';

const KEY = 'sk-very-secret-5678';
const dir = mkdtempSync(join(tmpdir(), 'confab-providers-'));
const fixtures = join(dir, 'fixtures');

const CUT = 'This answer is cut long before it comes to its proper end, and what was read of it by '
  + 'then must be kept as it was, without a word that is not in here.';

const ERRORS = {
  limit: { status: 429, type: 'rate_limit_error', words: 'Too many requests',
    code: 'upstream-rate-limit', retryable: true },
  broken: { status: 500, type: 'api_error', words: 'Out of order', code: 'upstream-error',
    retryable: true },
  full: { status: 529, type: 'overloaded_error', words: 'Overloaded',
    code: 'upstream-unavailable', retryable: true },
  key: { status: 401, type: 'authentication_error', words: `Bad key ${KEY}`,
    code: 'upstream-auth', retryable: false },
  missing: { status: 404, type: 'not_found_error', words: 'model "m" not found',
    code: 'upstream-error', retryable: false },
  long: { status: 400, type: 'invalid_request_error', words: 'prompt is too long: 9 > 8',
    code: 'context-length', retryable: false },
};

before(() => {
  mkdirSync(fixtures);
  writeFileSync(join(fixtures, 'chat.json'), JSON.stringify({
    fixtures: [
      { match: { userMessage: 'plain' }, response: { content: 'An answer – in several pieces.',
        usage: { input_tokens: 11, output_tokens: 7 } } },
      { match: { userMessage: 'think' },
        response: { content: 'Forty-two.', reasoning: 'Let me count, and count again.' } },
      // paced, so that what came before the cut is read before the reset drops it
      { match: { userMessage: 'cut' }, truncateAfterChunks: 7, latency: 40,
        response: { content: CUT } },
      { match: { userMessage: 'slow' }, latency: 200,
        response: { content: 'This answer takes its time, piece after piece after piece.' } },
      ...Object.entries(ERRORS).map(([userMessage, { status, type, words }]) => ({
        match: { userMessage }, response: { status, error: { message: words, type } },
      })),
    ],
  }));
});

after(() => rmSync(dir, { recursive: true, force: true }));

/* How each is told where its server is: by the option, and by its own variable. */
const PROVIDERS = [
  { name: 'anthropic', path: '', requestPath: '/v1/messages', model: 'claude-sonnet-4-5',
    variable: 'ANTHROPIC_BASE_URL', keyVariable: 'ANTHROPIC_API_KEY',
    usage: { inputTokens: 11, outputTokens: 7 } },
  // aimock's Ollama counts nothing
  { name: 'ollama', path: '', requestPath: '/api/chat', model: 'llama3.2',
    variable: 'OLLAMA_HOST', usage: { inputTokens: 0, outputTokens: 0 } },
  { name: 'openai-responses', path: '/v1', requestPath: '/v1/responses', model: 'o4-mini',
    variable: 'OPENAI_BASE_URL', keyVariable: 'OPENAI_API_KEY',
    usage: { inputTokens: 11, outputTokens: 7 } },
];

async function startWith(t, provider,
  { byVariable = false, model = provider.model, config } = {}) {
  const aimock = await startAimock(t, fixtures);
  const url = `http://127.0.0.1:${aimock.port}${provider.path}`;
  const confabd = await startConfabd(t, ['--provider', provider.name,
    ...(byVariable ? [] : ['--base-url', url]), ...(model ? ['--model', model] : [])], {
    config,
    env: { ...(byVariable ? { [provider.variable]: url } : {}),
      ...(provider.keyVariable ? { [provider.keyVariable]: KEY } : {}) },
  });
  return { aimock, confabd };
}

/** What aimock was asked, by its own journal. */
async function journalOf(aimock) {
  const response = await fetch(`http://127.0.0.1:${aimock.port}/__aimock/journal`);
  const journal = await response.json();
  return Array.isArray(journal) ? journal : journal.entries;
}

for (const provider of PROVIDERS) {
  const { name } = provider;

  test(`${name}: text and usage`, async (t) => {
    const { aimock, confabd } = await startWith(t, provider);
    const chat = await connect(t, confabd);
    const { ack, end } = await chat.ask({ moduleId: 'm', message: 'plain' });
    assert.equal(checkEvents(chat, ack).event, 'complete');
    assert.equal(end.message, 'An answer – in several pieces.');
    assert.equal(end.finishReason, 'stop');
    assert.equal(end.usage.inputTokens, provider.usage.inputTokens);
    assert.equal(end.usage.outputTokens, provider.usage.outputTokens);
    const [asked] = (await journalOf(aimock)).filter(({ method }) => method === 'POST');
    assert.equal(asked.path, provider.requestPath);
  });

  test(`${name}: reasoning comes apart from the text`, async (t) => {
    const { confabd } = await startWith(t, provider);
    const chat = await connect(t, confabd);
    const { ack, end } = await chat.ask({ moduleId: 'm', message: 'think' });
    assert.equal(checkEvents(chat, ack).event, 'complete');
    assert.equal(end.message, 'Forty-two.');
    assert.equal(chat.all('reasoning', ack.generationId).map(({ chunk }) => chunk).join(''),
      'Let me count, and count again.');
  });

  test(`${name}: the server is found by ${provider.variable}`, async (t) => {
    const { confabd } = await startWith(t, provider, { byVariable: true });
    const chat = await connect(t, confabd);
    const { end } = await chat.ask({ moduleId: 'm', message: 'plain' });
    assert.equal(end.message, 'An answer – in several pieces.');
  });

  test(`${name}: a conversation is sent as a whole`, async (t) => {
    const { aimock, confabd } = await startWith(t, provider);
    const chat = await connect(t, confabd);
    await chat.ask({ moduleId: 'm', message: 'plain' });
    await chat.ask({ moduleId: 'm', message: 'think' });
    const asked = (await journalOf(aimock)).filter(({ method }) => method === 'POST');
    assert.equal(asked.length, 2);
    assert.deepEqual(asked[1].body.messages.map(({ role }) => role),
      ['user', 'assistant', 'user']);
    assert.deepEqual(asked[1].body.messages.map(({ content }) =>
      (typeof content === 'string' ? content : content.map(({ text }) => text).join(''))),
    ['plain', 'An answer – in several pieces.', 'think']);
  });

  test(`${name}: an answer that is cut is upstream-truncated`, async (t) => {
    const { confabd } = await startWith(t, provider);
    const chat = await connect(t, confabd);
    const { ack } = await chat.ask({ moduleId: 'm', message: 'cut' });
    const { event, payload } = checkEvents(chat, ack);
    assert.equal(event, 'error');
    assert.equal(payload.code, 'upstream-truncated');
    assert.equal(payload.retryable, true);
    assert.ok(payload.message.length > 0);
    assert.ok(CUT.startsWith(payload.message), payload.message);
  });

  test(`${name}: stop ends a running answer`, async (t) => {
    const { confabd } = await startWith(t, provider);
    const chat = await connect(t, confabd);
    const ack = await chat.generate({ moduleId: 'm', message: 'slow' });
    await chat.waitFor(() => chat.all('chunk').length > 0, 'a first chunk');
    const stop = await chat.call('ai:chat:stop', { moduleId: 'm' });
    assert.equal(stop.stopped, 1);
    const { event, payload } = await chat.end(ack.generationId);
    assert.equal(event, 'complete');
    assert.equal(payload.finishReason, 'stopped');
    assert.equal(checkEvents(chat, ack).payload.message, payload.message);
  });

  test(`${name}: refusals`, async (t) => {
    const { confabd } = await startWith(t, provider,
      { config: `[providers/${name}]\nretries=0\n` });
    const chat = await connect(t, confabd);
    for (const [message, expected] of Object.entries(ERRORS)) {
      const { ack } = await chat.ask({ moduleId: message, message });
      const { event, payload } = checkEvents(chat, ack);
      assert.equal(event, 'error', message);
      assert.equal(payload.code, expected.code, message);
      assert.equal(payload.retryable, expected.retryable, message);
      assert.ok(payload.error.includes(expected.words.replace(KEY, '').trim()), payload.error);
      if (provider.keyVariable)
        assert.ok(!payload.error.includes(KEY), message);
    }
  });
}

test('ollama: without --model the first that it lists is asked', async (t) => {
  const { aimock, confabd } = await startWith(t, PROVIDERS[1], { model: null });
  const chat = await connect(t, confabd);
  const response = await fetch(`http://127.0.0.1:${aimock.port}/api/tags`);
  const { models: [first] } = await response.json();
  const { end } = await chat.ask({ moduleId: 'm', message: 'plain' });
  assert.equal(end.message, 'An answer – in several pieces.');
  const [asked] = (await journalOf(aimock)).filter(({ method }) => method === 'POST');
  assert.equal(asked.body.model, first.name);
});
