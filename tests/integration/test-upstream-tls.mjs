// SPDX-License-Identifier: GPL-3.0-or-later
// Model servers over TLS, as all the big providers have them.
import assert from 'node:assert/strict';
import test from 'node:test';

import { connect } from './lib/chat.mjs';
import { sleep, waitFor } from './lib/process.mjs';
import { startMuteUpstream, startSecureUpstream, startTrusting } from './lib/secure-upstream.mjs';

async function start(t, answer, options) {
  const upstream = await startSecureUpstream(t, answer);
  const confabd = await startTrusting(t, upstream, options);
  return { upstream, confabd, chat: await connect(t, confabd) };
}

async function answerShortly(exchange) {
  await exchange.send(`You said ${exchange.asked}`);
  await exchange.finish();
}

/** An answer that goes on until its client has left. */
async function goOn(exchange) {
  for (let i = 0; !exchange.closed; i += 1) {
    await exchange.send(`t${i} `);
    await sleep(10);
  }
}

/** That the answer of module `other` goes on still; then it is stopped. */
async function checkGoesOn(chat, { generationId }) {
  const { length } = chat.all('chunk', generationId);
  await chat.waitFor(() => chat.all('chunk', generationId).length > length + 5);
  await chat.call('ai:chat:stop', { moduleId: 'other' });
  assert.equal((await chat.end(generationId)).payload.finishReason, 'stopped');
}

test('each token is told before the next one is sent', async (t) => {
  const { upstream, chat } = await start(t, async (exchange) => {
    for (let i = 1; i <= 5; i += 1) {
      await exchange.send(`t${i} `);
      await waitFor(() => chat.all('chunk').at(-1)?.chunk === `t${i} `, { what: `token ${i}` });
    }
    await exchange.finish();
  });
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.deepEqual([event, end.message], ['complete', 't1 t2 t3 t4 t5 ']);
  const [{ request }] = upstream.exchanges;
  assert.equal(request.headers.authorization, 'Bearer key-of-the-test');
  /* HTTP/2 would be taken if it were offered */
  assert.equal(request.httpVersion, '1.1');
});

test('a hundred answers at once, twice: none gets the text of another', async (t) => {
  const { upstream, chat } = await start(t, answerShortly);
  const names = Array.from({ length: 100 }, (_, i) => `m${i}`);
  for (let round = 0; round < 2; round += 1) {
    const ends = await Promise.all(names.map((name) =>
      chat.ask({ moduleId: name, message: `${name} ${round}` })));
    assert.deepEqual(ends.map(({ end }) => end.message),
      names.map((name) => `You said ${name} ${round}`));
  }
  assert.ok(upstream.connections < 200, `${upstream.connections} connections for 200 questions`);
});

test('an answer of 4 MB comes whole', async (t) => {
  const piece = 'x'.repeat(40000);
  const { chat } = await start(t, async (exchange) => {
    for (let i = 0; i < 100; i += 1)
      await exchange.send(piece);
    await exchange.finish();
  });
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Much' });
  assert.equal(event, 'complete');
  assert.ok(end.message === piece.repeat(100), `${end.message.length} bytes`);
});

for (const [when, answer] of [['before the head', async () => {}], ['mid-stream', goOn]])
  test(`a stop ${when} lets the server go, and no other answer`, async (t) => {
    const { upstream, chat } = await start(t, (exchange) =>
      (exchange.asked === 'other' ? goOn : answer)(exchange));
    const other = await chat.generate({ moduleId: 'other', message: 'other' });
    await chat.generate({ moduleId: 'm', message: 'Hello' });
    const asked = await waitFor(() => upstream.exchanges.find((one) => one.asked === 'Hello'));
    if (answer === goOn)
      await chat.waitFor(() => chat.all('chunk').some(({ moduleId }) => moduleId === 'm'));

    assert.equal((await chat.call('ai:chat:stop', { moduleId: 'm' })).stopped, 1);
    await waitFor(() => asked.closed, { what: 'it is let go' });
    await checkGoesOn(chat, other);
  });

for (const [how, leave] of [['with a word', (socket) => socket.end()],
  ['without', (socket) => socket.destroy()]]) {
  test(`a server that leaves ${how} breaks off its answer, and no other`, async (t) => {
    const { chat } = await start(t, async (exchange) => {
      if (exchange.asked === 'other')
        return goOn(exchange);
      await exchange.send('Half ');
      await chat.waitFor(() => chat.all('chunk').some(({ chunk }) => chunk === 'Half '));
      return leave(exchange.socket);
    });
    const other = await chat.generate({ moduleId: 'other', message: 'other' });
    const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.deepEqual([event, end.code], ['error', 'upstream-truncated']);
    const { messages } = await chat.call('ai:chat:history', { moduleId: 'm' });
    assert.equal(messages.at(-1).content, 'Half ');
    await checkGoesOn(chat, other);
  });

  test(`an idle connection that the server leaves ${how} costs no question`, async (t) => {
    const { upstream, chat } = await start(t, answerShortly);
    for (const name of ['one', 'two', 'three']) {
      const { event, end } = await chat.ask({ moduleId: 'm', message: name });
      assert.deepEqual([event, end.message ?? end.code], ['complete', `You said ${name}`]);
      upstream.sockets.forEach(leave);
    }
    assert.equal(upstream.exchanges.length, 3);
  });
}

for (const [when, answer] of [
  ['before its head', async () => {}],
  ['within its body', (exchange) => exchange.send('Hm')],
])
  test(`a server that is silent ${when} is given up`, async (t) => {
    const { upstream, chat } = await start(t, answer, { provider: 'stall-timeout=1\nretries=0\n' });
    const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.deepEqual([event, end.code], ['error', 'upstream-timeout']);
    await waitFor(() => upstream.exchanges[0].closed, { what: 'the connection is closed' });
  });

test('a server that never shakes hands is given up', async (t) => {
  const upstream = await startMuteUpstream(t);
  const confabd = await startTrusting(t, upstream, { provider: 'stall-timeout=1\nretries=0\n' });
  const chat = await connect(t, confabd);
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.deepEqual([event, end.code], ['error', 'upstream-timeout']);
  await waitFor(() => upstream.sockets.size === 0, { what: 'the connection is closed' });
});

test('forty that wait for a handshake are stopped at once, and others are served', async (t) => {
  const upstream = await startMuteUpstream(t);
  const confabd = await startTrusting(t, upstream);
  const chat = await connect(t, confabd);
  const names = Array.from({ length: 40 }, (_, i) => `m${i}`);
  const acks = await Promise.all(names.map((moduleId) =>
    chat.generate({ moduleId, message: 'Hello' })));
  await waitFor(() => upstream.sockets.size === 40, { what: 'forty connections' });
  const { messages } = await chat.call('ai:chat:history', { moduleId: 'm0' });
  assert.equal(messages.length, 2);
  await Promise.all(names.map((moduleId) => chat.call('ai:chat:stop', { moduleId })));
  const ends = await Promise.all(acks.map(({ generationId }) => chat.end(generationId)));
  assert.ok(ends.every(({ payload }) => payload.finishReason === 'stopped'));
  await waitFor(() => upstream.sockets.size === 0, { what: 'the connections are closed' });
});

test('a refusal is told with its reason, and without the key', async (t) => {
  const { chat } = await start(t, async ({ response }) => {
    response.statusCode = 401;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ error: { message: 'key-of-the-test is no key' } }));
  });
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.deepEqual([event, end.code], ['error', 'upstream-auth']);
  assert.match(end.error, /… is no key/);
});
