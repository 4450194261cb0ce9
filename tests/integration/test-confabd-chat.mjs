// SPDX-License-Identifier: GPL-3.0-or-later
// The chat over Socket.IO, with the stock client and a real upstream.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import test from 'node:test';

import { checkEvents, connect, startWithRaw, statsOf } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { freePort, sleep, waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PLAIN = 'The quick brown fox jumps over the lazy dog.';

test('ack, started, chunks and complete come in order and with every field', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const order = [];
  chat.socket.onAny((event) => order.push(event));
  const ack = await chat.socket.timeout(5000).emitWithAck('ai:chat:generate',
    { moduleId: 'm', message: 'Hello' }).then((value) => { order.push('ack'); return value; });
  const { payload } = await chat.end(ack.generationId);
  checkEvents(chat, ack);

  for (const id of [ack.generationId, ack.messageId, ack.userMessageId])
    assert.match(id, UUID);
  assert.deepEqual(ack, { ok: true, generationId: ack.generationId, messageId: ack.messageId,
    userMessageId: ack.userMessageId, state: 'queued' });
  assert.deepEqual(chat.all('started')[0], { moduleId: 'm', generationId: ack.generationId,
    messageId: ack.messageId, userMessageId: ack.userMessageId, parentId: null,
    message: 'Hello' });
  for (const chunk of chat.all('chunk'))
    assert.deepEqual(Object.keys(chunk).sort(), ['chunk', 'generationId', 'moduleId', 'seq']);
  assert.deepEqual(payload, { message: PLAIN, moduleId: 'm', generationId: ack.generationId,
    messageId: ack.messageId, finishReason: 'stop', model: payload.model,
    usage: { inputTokens: 5, outputTokens: 10, reasoningTokens: null, cachedInputTokens: null } });
  assert.match(payload.model, /^raw/);
});

test('the ack is on the wire before started', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const packets = [];
  chat.socket.io.on('packet', ({ type, data }) => {
    if (!data?.[0]?.endsWith?.(':changed'))
      packets.push(type === 3 ? 'ack' : data?.[0]);
  });
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.end(ack.generationId);
  assert.deepEqual(packets.slice(0, 2), ['ack', 'ai:chat:started']);
  assert.ok(packets.slice(2, -1).every((name) => name === 'ai:chat:chunk'));
  assert.equal(packets.at(-1), 'ai:chat:complete');
});

test('a plain client needs neither ack nor ids of its own', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const { socket } = await connect(t, confabd);
  let text = '';
  socket.on('ai:chat:chunk', ({ chunk }) => { text += chunk; });
  const completed = once(socket, 'ai:chat:complete');
  socket.emit('ai:chat:generate', { moduleId: 'm', message: 'Hello' });
  const [{ message, moduleId }] = await completed;
  assert.equal(message, PLAIN);
  assert.equal(text, PLAIN);
  assert.equal(moduleId, 'm');
});

test('reasoning and text share one count of seq', async (t) => {
  const { confabd } = await startWithRaw(t, 'reasoning');
  const chat = await connect(t, confabd);
  const { ack, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  checkEvents(chat, ack);
  assert.equal(chat.all('reasoning').map(({ chunk }) => chunk).join(''), 'Let me think');
  assert.equal(end.message, PLAIN);
});

test('a module remembers its turns, another does not', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo');
  const chat = await connect(t, confabd);
  const first = await chat.ask({ moduleId: 'm', message: 'One' });
  assert.equal(first.end.message, 'user: One\n');
  const second = await chat.ask({ moduleId: 'm', message: 'Two' });
  assert.equal(second.end.message, 'user: One\nassistant: user: One\n\nuser: Two\n');
  assert.equal(chat.all('started', second.ack.generationId)[0].parentId, first.ack.messageId);
  const other = await chat.ask({ moduleId: 'n', message: 'Three', sessionId: 's' });
  assert.equal(other.end.message, 'user: Three\n');
});

test('ids that the client chooses are kept', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const moduleId = 'A.z_0~:@-';
  const { ack } = await chat.ask({ moduleId, message: 'Hello', userMessageId: 'mine' });
  assert.equal(ack.userMessageId, 'mine');
  assert.equal(chat.all('complete')[0].moduleId, moduleId);
  const again = await chat.call('ai:chat:generate',
    { moduleId, message: 'Hello', userMessageId: 'mine' });
  assert.equal(again.code, 'invalid-request');
});

test('text of every kind survives', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo');
  const chat = await connect(t, confabd);
  const message = 'Grüße \u2028 "quoted" \\ back\tslash\r\n👋🏽 \u0001 </script>';
  const { end } = await chat.ask({ moduleId: 'm', message });
  assert.equal(end.message, `user: ${message}\n`);
  assert.equal(chat.all('started')[0].message, message);
});

test('a second question while one is answered is refused as busy', async (t) => {
  const { confabd } = await startWithRaw(t, 'slow:150');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  const refusal = await chat.call('ai:chat:generate', { moduleId: 'm', message: 'Two' });
  assert.deepEqual({ ok: refusal.ok, code: refusal.code }, { ok: false, code: 'busy' });
  assert.match(refusal.error, /\w+ \w+/);
  /* another module is free, and the refusal ended nothing */
  await chat.generate({ moduleId: 'n', message: 'Two' });
  assert.equal((await chat.end(ack.generationId)).event, 'complete');
  assert.equal(chat.all('error').length, 0);
  await chat.generate({ moduleId: 'm', message: 'Two' });
});

test('what cannot be understood is refused in the ack, and changes nothing', async (t) => {
  const { confabd } = await startWithRaw(t, 'echo');
  const chat = await connect(t, confabd);
  const good = { moduleId: 'm', message: 'x' };
  const bad = [
    [], 'Hello', 7, null, {}, { moduleId: 'm' }, { message: 'x' },
    { ...good, moduleId: '' }, { ...good, moduleId: 'a b' }, { ...good, moduleId: 5 },
    { ...good, moduleId: 'x'.repeat(129) }, { ...good, moduleId: null },
    { ...good, message: '' }, { ...good, message: ' \n' }, { ...good, message: 5 },
    { ...good, message: { text: 'x' } }, { ...good, message: Buffer.from('x') },
    { ...good, sessionId: 'a/b' }, { ...good, sessionId: 5 }, { ...good, requestId: '' },
    { ...good, requestId: [] }, { ...good, userMessageId: 'ä' },
  ];
  for (const payload of bad) {
    const ack = await chat.call('ai:chat:generate', payload);
    assert.equal(ack.ok, false, JSON.stringify(payload));
    assert.equal(ack.code, 'invalid-request', JSON.stringify(payload));
    assert.equal(typeof ack.error, 'string');
  }
  assert.equal((await chat.socket.timeout(5000).emitWithAck('ai:chat:generate')).code,
    'invalid-request');
  assert.deepEqual(chat.log, []);
  assert.equal((await chat.ask(good)).end.message, 'user: x\n');
});

test('null and unknown fields are as good as none', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'x', sessionId: null, requestId: null,
    userMessageId: null, colour: 'red' });
  assert.equal(end.message, PLAIN);
});

test('a refusal without ack is an error without generationId, to the sender alone', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const other = await connect(t, confabd);
  chat.socket.emit('ai:chat:generate', { moduleId: 'm', message: '', requestId: 'r' });
  await chat.waitFor(() => chat.all('error').length === 1);
  const [error] = chat.all('error');
  assert.deepEqual(error, { error: error.error, code: 'invalid-request', retryable: false,
    moduleId: 'm', requestId: 'r' });
  chat.socket.emit('ai:chat:stop', 'm');
  await chat.waitFor(() => chat.all('error').length === 2);
  assert.equal(chat.all('error')[1].code, 'invalid-request');
  await other.call('server:info', {});
  assert.deepEqual(other.log, []);
});

test('a message may have 256 KiB and not a byte more', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const ack = await chat.call('ai:chat:generate',
    { moduleId: 'm', message: 'ä'.repeat(128 * 1024) + 'x' });
  assert.equal(ack.code, 'too-large');
  await chat.ask({ moduleId: 'm', message: 'ä'.repeat(128 * 1024) });
});

test('unknown events are ignored, with and without ack', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  let answered = false;
  chat.socket.emit('ai:chat:levitate', { moduleId: 'm' }, () => { answered = true; });
  chat.socket.emit('module:levitate', {});
  await chat.ask({ moduleId: 'm', message: 'x' });
  assert.equal(answered, false);
  assert.equal(chat.all('error').length, 0);
});

test('stop mid-stream keeps the text, and lets the upstream go', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'slow:500');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length >= 3);
  const heard = [];
  chat.socket.onAny((event) => event.startsWith('ai:chat:') && heard.push(event));
  const stopped = await chat.call('ai:chat:stop', { moduleId: 'm' });
  heard.push('ack');
  assert.deepEqual(stopped, { ok: true, stopped: 1 });

  const { requests } = await waitFor(async () => {
    const stats = await statsOf(upstream);
    return stats.requests[0].closedAfterMs !== null && stats;
  }, { what: 'the upstream connection closes' });
  /* the upstream may have noticed by now, and given up by itself */
  assert.ok(requests[0].endedAfterMs === null
    || requests[0].endedAfterMs >= requests[0].closedAfterMs, 'cut off before its end');

  await sleep(100);
  assert.equal(heard.at(-1), 'ack', 'nothing comes after the ack of stop');
  const { event, payload } = checkEvents(chat, ack);
  assert.equal(event, 'complete');
  assert.equal(payload.finishReason, 'stopped');
  assert.equal(payload.usage, null);
  assert.ok(payload.message.startsWith('t0 t1 '));

  assert.deepEqual(await chat.call('ai:chat:stop', { moduleId: 'm' }), { ok: true, stopped: 0 });
  assert.deepEqual(await chat.call('ai:chat:stop',
    { moduleId: 'm', generationId: ack.generationId }), { ok: true, stopped: 0 });
});

test('stop before the first byte lets the upstream go', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'silent');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'One' });
  await waitFor(async () => (await statsOf(upstream)).requests.length === 1);
  assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm' })).stopped, 1);
  await waitFor(async () => (await statsOf(upstream)).requests[0].closedAfterMs !== null);
  const { event, payload } = checkEvents(chat, ack);
  assert.deepEqual([event, payload.finishReason, payload.message], ['complete', 'stopped', '']);
});

for (const [when, behaviour] of [['before the first byte', 'silent'], ['mid-stream', 'slow:500']])
  test(`stop ${when} closes the upstream within 200 ms`, async (t) => {
    const { confabd, upstream } = await startWithRaw(t, behaviour);
    const chat = await connect(t, confabd);
    const newest = async () => (await statsOf(upstream)).requests.at(-1);
    let best = Infinity;
    /* a machine that does other things as well may be late, but not each time */
    for (let n = 1; n <= 5 && best >= 200; n += 1) {
      const { length } = chat.all('chunk');
      await chat.generate({ moduleId: 'm', message: 'One' });
      await waitFor(async () => (await statsOf(upstream)).requests.length === n);
      if (behaviour !== 'silent')
        await chat.waitFor(() => chat.all('chunk').length > length);
      const before = Date.now();
      await chat.call('ai:chat:stop', { moduleId: 'm' });
      await waitFor(async () => (await newest()).closedAfterMs !== null, { interval: 5 });
      best = Math.min(best, Date.now() - before);
    }
    assert.ok(best < 200, `closed after ${best} ms`);
  });

test('stop in the same breath as generate', async (t) => {
  const { confabd } = await startWithRaw(t, 'silent');
  const chat = await connect(t, confabd);
  const [ack, stopped] = await Promise.all([
    chat.generate({ moduleId: 'm', message: 'One' }),
    chat.call('ai:chat:stop', { moduleId: 'm' }),
  ]);
  assert.equal(stopped.stopped, 1);
  assert.equal((await chat.end(ack.generationId)).payload.finishReason, 'stopped');
});

test('what was stopped stays in the context', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'slow:500');
  const chat = await connect(t, confabd);
  await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length >= 2);
  await chat.call('ai:chat:stop', { moduleId: 'm' });
  await chat.waitFor(() => chat.all('complete').length === 1);
  await chat.generate({ moduleId: 'm', message: 'Two' });
  await chat.waitFor(() => chat.all('chunk').length >= 4);
  const { requests } = await statsOf(upstream);
  assert.deepEqual(requests[1].body.messages, [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: chat.all('complete')[0].message },
    { role: 'user', content: 'Two' },
  ]);
});

test('stop of what is not there', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm' })).code, 'unknown-module');
  assert.equal((await chat.call('ai:chat:stop', {})).code, 'invalid-request');
  await chat.ask({ moduleId: 'm', message: 'One' });
  assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm', generationId: 'x' })).code,
    'unknown-generation');
  assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm', generationId: 5 })).code,
    'invalid-request');
});

test('a repeated request starts nothing, follows, and is told everything', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'slow:150');
  const first = await connect(t, confabd);
  const second = await connect(t, confabd, { transports: ['websocket'] });
  const request = { moduleId: 'm', message: 'One', requestId: 'r' };
  const ack = await first.generate(request);
  await first.waitFor(() => first.all('chunk').length >= 3);

  const repeat = await second.generate(request);
  assert.equal(repeat.generationId, ack.generationId);
  assert.equal(repeat.messageId, ack.messageId);
  assert.equal(repeat.state, 'streaming');
  assert.ok(repeat.seq >= 3);
  assert.deepEqual(repeat.chunks.map(({ kind, fromSeq, seq }) => [kind, fromSeq, seq]),
    [['text', 1, repeat.seq]]);
  /* the starter asks again on the same socket: it must not hear everything twice */
  await first.generate(request);

  const { payload } = await second.end(ack.generationId);
  assert.equal(second.all('started').length, 0);
  assert.equal(second.all('chunk')[0].seq, repeat.seq + 1);
  assert.equal(repeat.chunks[0].chunk + second.all('chunk').map(({ chunk }) => chunk).join(''),
    payload.message);
  await first.end(ack.generationId);
  checkEvents(first, ack);
  assert.equal((await statsOf(upstream)).requests.length, 1);

  const late = await second.generate(request);
  assert.equal(late.state, 'completed');
  assert.equal(late.message, payload.message);
  assert.equal(late.finishReason, 'stop');
  assert.equal(late.chunks, undefined, 'its deltas are not kept');
  assert.equal(late.text, payload.message);
  await sleep(50);
  assert.equal(second.all('complete').length, 1, 'the ack told the end');
});

test('a repeat without ack is told an end that stands', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const first = await connect(t, confabd);
  const request = { moduleId: 'm', message: 'One', requestId: 'r' };
  await first.ask(request);
  const second = await connect(t, confabd);
  second.socket.emit('ai:chat:generate', request);
  await second.waitFor(() => second.all('complete').length === 1);
  assert.equal(first.all('complete').length, 1);
});

test('a requestId with other content is refused', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One', requestId: 'r' });
  const ack = await chat.call('ai:chat:generate',
    { moduleId: 'm', message: 'Two', requestId: 'r' });
  assert.equal(ack.code, 'invalid-request');
});

test('only those who asked hear the answer', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const other = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });
  await other.ask({ moduleId: 'm', message: 'Two' });
  assert.equal(chat.all('started').length, 1);
  assert.equal(chat.all('complete').length, 1);
  assert.equal(other.all('complete').length, 1);
});

test('an answer goes on when its client leaves', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'paced:20:20');
  const leaver = await connect(t, confabd);
  await leaver.generate({ moduleId: 'm', message: 'One' });
  await leaver.waitFor(() => leaver.all('chunk').length >= 2);
  leaver.socket.close();

  await waitFor(async () => (await statsOf(upstream)).requests[0].endedAfterMs !== null);
  const chat = await connect(t, confabd);
  await waitFor(async () =>
    (await chat.call('ai:chat:generate', { moduleId: 'm', message: 'Two' })).ok);
  await chat.waitFor(() => chat.all('complete').length === 1);
  const { requests } = await statsOf(upstream);
  assert.equal(requests[1].body.messages[1].content,
    Array.from({ length: 20 }, (_, i) => `t${i} `).join(''));
});

for (const transports of [['websocket'], ['polling']]) {
  test(`20 clients at once over ${transports[0]}`, async (t) => {
    const { confabd } = await startWithRaw(t, 'burst:200');
    const chats = await Promise.all(Array.from({ length: 20 }, () =>
      connect(t, confabd, { transports })));
    await Promise.all(chats.map(async (chat, i) => {
      const { ack, end } = await chat.ask({ moduleId: `m${i}`, message: 'Go' });
      checkEvents(chat, ack);
      assert.equal(end.message, Array.from({ length: 200 }, (_, j) => `t${j} `).join(''));
    }));
  });
}

/* A way to confabd on which WebSockets open only after `awaited`. */
async function startSlowWay(t, from, port, awaited) {
  const server = createServer((client) => {
    client.on('error', () => {}).once('data', async (head) => {
      client.pause();
      if (head.includes('transport=websocket'))
        await awaited;
      const onward = connectTcp(port, '127.0.0.1');
      onward.on('error', () => client.destroy());
      client.on('close', () => onward.destroy());
      onward.write(head);
      client.pipe(onward).pipe(client);
    });
  });
  server.listen(from, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
}

test('a client that upgrades midway misses nothing', async (t) => {
  const port = await freePort();
  const { confabd } = await startWithRaw(t, 'paced:300:5',
    { args: ['--allow-host', `127.0.0.1:${port}`] });
  let tellOfChunk;
  const chunkHeard = new Promise((resolve) => { tellOfChunk = resolve; });
  await startSlowWay(t, port, confabd.port, chunkHeard);
  const chat = await connect(t, { origin: `http://127.0.0.1:${port}`, token: confabd.token },
    { transports: ['polling', 'websocket'] });
  const { engine } = chat.socket.io;
  assert.equal(engine.transport.name, 'polling');
  chat.socket.once('ai:chat:chunk', tellOfChunk);
  let heardBefore;
  engine.once('upgrade', () => { heardBefore = chat.all('chunk').length; });
  const { ack } = await chat.ask({ moduleId: 'm', message: 'Go' });
  checkEvents(chat, ack);
  assert.equal(engine.transport.name, 'websocket');
  assert.ok(heardBefore > 0 && heardBefore < 300, `upgraded after ${heardBefore} chunks`);
});

test('the next question may come from the handler of complete', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const acks = [];
  chat.socket.on('ai:chat:complete', async () => {
    if (acks.length < 5)
      acks.push(await chat.call('ai:chat:generate', { moduleId: 'm', message: 'More' }));
  });
  await chat.generate({ moduleId: 'm', message: 'First' });
  await chat.waitFor(() => chat.all('complete').length === 6);
  assert.deepEqual(acks.map(({ ok }) => ok), [true, true, true, true, true]);
});

test('server:info and provider:list', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const info = await chat.call('server:info', {});
  assert.equal(info.ok, true);
  assert.match(info.version, /^\d+\.\d+\.\d+$/);
  assert.equal(info.protocol, 1);
  assert.ok(info.features.includes('stop'));
  assert.equal(info.limits.messageBytes, 256 * 1024);
  assert.equal(info.limits.maxPayload, 1000000);
  const { ok, providers } = await chat.call('provider:list', {});
  assert.equal(ok, true);
  assert.equal(providers[0].name, 'openai');
  assert.equal(providers[0].model, 'raw:plain');
  assert.ok(providers[0].models.includes('raw:plain'));
});

test('provider:list tells which model answers where none is configured', async (t) => {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, ['--provider', 'openai', '--base-url', upstream.baseUrl]);
  const chat = await connect(t, confabd);
  const { providers: [provider] } = await chat.call('provider:list', {});
  assert.ok(provider.model);
  assert.equal(provider.model, provider.models[0]);
});

test('provider:list of an upstream that is away', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'plain');
  await upstream.stop();
  const chat = await connect(t, confabd);
  const { ok, providers } = await chat.call('provider:list', {});
  assert.equal(ok, true);
  assert.deepEqual(providers[0].models, []);
  assert.equal(typeof providers[0].error, 'string');
});

test('provider:list does not wait for an upstream that is silent', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const confabd = await startConfabd(t, [], { config: `[confab]
provider=builtin
[providers/silent]
type=openai
base-url=http://127.0.0.1:${silent.address().port}/v1
` });
  t.after(() => silent.close());
  const chat = await connect(t, confabd);
  /* a list that is asked for on its own may take 30 s */
  const { ok, providers } = await chat.socket.timeout(20000).emitWithAck('provider:list', {});
  assert.equal(ok, true);
  assert.deepEqual(providers.map(({ name, models }) => [name, models]),
    [['builtin', ['builtin']], ['silent', []]]);
  assert.equal(providers[1].error, 'The model server did not answer in time.');
});

test('the builtin provider answers without a network', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const chat = await connect(t, confabd);
  const { ack, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  checkEvents(chat, ack);
  assert.ok(chat.all('chunk').length > 3, 'word by word');
  assert.equal(end.finishReason, 'stop');
});
