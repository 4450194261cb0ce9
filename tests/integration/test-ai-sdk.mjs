// SPDX-License-Identifier: GPL-3.0-or-later
// The AI SDK's own useChat against confabd, with nothing in between: the versions that apps use.
import assert from 'node:assert/strict';
import test from 'node:test';

import { startWithRaw, statsOf } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { mountChat, reasoningOf, SDKS, textOf } from './lib/react-chat.mjs';
import { call } from './lib/ui-stream.mjs';
import { waitFor } from './lib/process.mjs';

const RAW_TEXT = 'The quick brown fox jumps over the lazy dog.';
const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `).join('');

const historyOf = async (confabd, moduleId) =>
  (await call(confabd, 'ai:chat:history', { moduleId })).messages;

const countQuestions = async (upstream) =>
  (await statsOf(upstream)).requests.filter(({ method }) => method === 'POST').length;

for (const [name, sdk] of Object.entries(SDKS)) {
  test(`${name}: a message is answered, streamed and known to both`, async (t) => {
    const { confabd } = await startWithRaw(t, 'paced:30:10');
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    await chat.hook.sendMessage({ text: 'Hello' });
    await chat.settled();

    assert.deepEqual(chat.errors, []);
    assert.equal(chat.hook.status, 'ready');
    assert.equal(textOf(chat.last), numbered(30));
    assert.ok(chat.steps > 3, `streamed in ${chat.steps} steps`);
    assert.equal(chat.last.metadata.finishReason, 'stop');
    const kept = await historyOf(confabd, 'm');
    assert.deepEqual(kept.map(({ messageId }) => messageId),
      chat.hook.messages.map(({ id }) => id));
    assert.equal(kept[1].content, textOf(chat.last));
  });

  test(`${name}: a conversation goes on, its ids by useChat itself`, async (t) => {
    const { confabd } = await startWithRaw(t, 'echo');
    const chat = await mountChat(t, sdk, confabd);
    await chat.hook.sendMessage({ text: 'One' });
    await chat.hook.sendMessage({ text: 'Two' });
    await chat.settled();
    assert.deepEqual(chat.errors, []);
    assert.equal(textOf(chat.last), 'user: One\nassistant: user: One\n\nuser: Two\n');
    assert.equal((await historyOf(confabd, chat.hook.id)).length, 4);
  });

  test(`${name}: thinking arrives as reasoning`, async (t) => {
    const { confabd } = await startWithRaw(t, 'reasoning');
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    await chat.hook.sendMessage({ text: 'Hello' });
    await chat.settled();
    assert.equal(reasoningOf(chat.last), 'Let me think');
    assert.equal(textOf(chat.last), RAW_TEXT);
  });

  test(`${name}: a reload finds the answer again, without a gap`, async (t) => {
    const { upstream, confabd } = await startWithRaw(t, 'paced:80:20');
    const first = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    void first.hook.sendMessage({ text: 'Hello' });
    await first.until(({ last }) => last?.role === 'assistant' && textOf(last).includes('t10 '));
    const [question] = first.hook.messages;
    const answerId = first.last.id;
    /* as a page does that is left: its request is broken off */
    await first.hook.stop();
    first.unmount();

    const second = await mountChat(t, sdk, confabd, {
      chat: { id: 'm', messages: [question], resume: true },
    });
    await second.until(({ hook }) => hook.messages.length === 2, 'the answer');
    await second.settled();
    assert.deepEqual(second.errors, []);
    assert.equal(second.last.id, answerId);
    assert.equal(textOf(second.last), numbered(80));
    assert.equal(await countQuestions(upstream), 1);
  });

  test(`${name}: with nothing to resume it is just ready`, async (t) => {
    const confabd = await startConfabd(t, ['--provider', 'builtin']);
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm', resume: true } });
    await chat.settled();
    await chat.hook.sendMessage({ text: 'Hello' });
    assert.deepEqual(chat.errors, []);
    assert.ok(textOf(chat.last).length > 0);
  });

  test(`${name}: an answer is made anew, and a question edited`, async (t) => {
    const { confabd } = await startWithRaw(t, 'echo');
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    await chat.hook.sendMessage({ text: 'One' });
    const [question, answer] = chat.hook.messages;

    await chat.hook.regenerate();
    await chat.settled();
    assert.equal(chat.hook.messages.length, 2);
    assert.notEqual(chat.last.id, answer.id);
    assert.equal(textOf(chat.last), 'user: One\n');

    await chat.hook.regenerate({ messageId: chat.last.id });
    await chat.settled();
    assert.equal(textOf(chat.last), 'user: One\n');

    await chat.hook.sendMessage({ text: 'Two', messageId: question.id });
    await chat.settled();
    assert.deepEqual(chat.errors, []);
    assert.equal(textOf(chat.last), 'user: Two\n');
    assert.deepEqual((await historyOf(confabd, 'm')).map(({ content }) => content),
      ['Two', 'user: Two\n']);
  });

  test(`${name}: a stop by the user ends it for all`, async (t) => {
    const { confabd } = await startWithRaw(t, 'paced:100000:20');
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    void chat.hook.sendMessage({ text: 'Hello' });
    await chat.until(({ last }) => last?.role === 'assistant' && textOf(last).length > 0);
    await call(confabd, 'ai:chat:stop', { moduleId: 'm' });
    await chat.settled();
    assert.deepEqual(chat.errors, []);
    assert.equal(chat.last.metadata.finishReason, 'stopped');
    await waitFor(async () => (await historyOf(confabd, 'm'))[1].content === textOf(chat.last),
      { what: 'the same text on both sides' });
  });

  test(`${name}: a failure is an error in words, and text so far stays`, async (t) => {
    const { confabd } = await startWithRaw(t, 'error-in-data');
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'm' } });
    await chat.hook.sendMessage({ text: 'Hello' });
    await chat.until(({ hook }) => hook.status === 'error');
    assert.match(chat.hook.error.message, /The engine fell over/);
    assert.equal(textOf(chat.last), 'The');
    assert.equal(chat.last.metadata.code, 'upstream-error');
  });

  test(`${name}: a refusal is an error with its code`, async (t) => {
    const confabd = await startConfabd(t, ['--provider', 'builtin']);
    const chat = await mountChat(t, sdk, confabd, { chat: { id: 'not an id' } });
    await chat.hook.sendMessage({ text: 'Hello' });
    await chat.until(({ hook }) => hook.status === 'error');
    assert.equal(JSON.parse(chat.hook.error.message).code, 'invalid-request');
  });

  test(`${name}: an app may send the last message alone`, async (t) => {
    const { confabd } = await startWithRaw(t, 'echo');
    const chat = await mountChat(t, sdk, confabd, {
      chat: { id: 'm' },
      transport: {
        prepareSendMessagesRequest: ({ id, messages, trigger, messageId }) =>
          ({ body: { id, message: messages.at(-1), trigger, messageId } }),
      },
    });
    await chat.hook.sendMessage({ text: 'One' });
    await chat.hook.sendMessage({ text: 'Two' });
    await chat.settled();
    assert.deepEqual(chat.errors, []);
    assert.match(textOf(chat.last), /user: Two\n$/);
  });
}
