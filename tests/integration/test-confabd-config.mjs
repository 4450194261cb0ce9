// SPDX-License-Identifier: GPL-3.0-or-later
// The file of settings, and what it says of model servers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import test from 'node:test';

import io2 from 'sc2';

import { checkEvents, connect, startWithRaw, statsOf } from './lib/chat.mjs';
import { spawnConfabd, startConfabd } from './lib/confabd.mjs';
import { freePort, makeDir, waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const PLAIN = 'The quick brown fox jumps over the lazy dog.';
const pem = (name) => readFile(new URL(`../upstream/self-signed-${name}.pem`, import.meta.url));

async function completionsOf(upstream) {
  return (await statsOf(upstream)).requests.filter(({ method }) => method === 'POST');
}

test('a server that is busy twice is asked three times, and the client sees none of it',
  async (t) => {
    const { confabd, upstream } = await startWithRaw(t, 'recovers:2');
    const chat = await connect(t, confabd);
    const { ack, event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.equal(event, 'complete', JSON.stringify(end));
    assert.equal(end.message, PLAIN);
    checkEvents(chat, ack);
    assert.equal((await completionsOf(upstream)).length, 3);
  });

test('a server that is busy for longer is given up, told once', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'recovers:9');
  const chat = await connect(t, confabd);
  const { ack, event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(event, 'error');
  assert.equal(end.code, 'upstream-unavailable');
  assert.match(end.error, /Loading model/);
  assert.equal(end.retryAfterMs, 20);
  checkEvents(chat, ack);
  assert.equal((await completionsOf(upstream)).length, 3);
});

test('what was begun is never asked for again', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'disconnect');
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(end.code, 'upstream-truncated');
  assert.equal((await completionsOf(upstream)).length, 1);
});

test('stop ends the wait for the next attempt', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'http-429');
  const chat = await connect(t, confabd);
  const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.waitFor(async () => (await completionsOf(upstream)).length === 1, 'a first request');
  const start = Date.now();
  const stop = await chat.call('ai:chat:stop', { moduleId: 'm' });
  assert.equal(stop.stopped, 1);
  const { event, payload } = await chat.end(ack.generationId);
  assert.deepEqual([event, payload.finishReason], ['complete', 'stopped']);
  assert.ok(Date.now() - start < 2000);
  assert.equal((await completionsOf(upstream)).length, 1);
});

test('SIGTERM ends the wait for the next attempt', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'http-429');
  const chat = await connect(t, confabd);
  await chat.generate({ moduleId: 'm', message: 'Hello' });
  await chat.waitFor(async () => (await completionsOf(upstream)).length === 1, 'a first request');
  const start = Date.now();
  await confabd.stop();
  assert.ok(Date.now() - start < 5000);
});

test('the file names the server, the model, headers and the key\'s variable', async (t) => {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, [], {
    env: { MY_KEY: 'sk-mine', OPENAI_API_KEY: 'sk-other' },
    config: `[confab]\nprovider='mine'\n\n[providers/mine]\ntype='openai'\n`
      + `base-url='${upstream.baseUrl}'\nmodel='raw:plain'\napi-key-env='MY_KEY'\n`
      + `headers=['X-Team: chat', 'X-Mark: a, b']\n`,
  });
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(end.message, PLAIN);
  const [{ headers }] = await completionsOf(upstream);
  assert.equal(headers['x-team'], 'chat');
  assert.equal(headers['x-mark'], 'a, b');
  assert.equal(headers.authorization, 'Bearer sk-mine');
});

test('a conversation that is too long loses its oldest turns', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'plain',
    { config: '[providers/openai]\ncontext-tokens=300\n' });
  const chat = await connect(t, confabd);
  for (let i = 0; i < 8; i += 1)
    await chat.ask({ moduleId: 'm', message: `Question ${i}. ${'And more. '.repeat(10)}` });
  const sent = (await completionsOf(upstream)).at(-1).body.messages;
  assert.ok(sent.length < 15, `${sent.length} turns`);
  assert.equal(sent[0].role, 'user');
  assert.ok(!sent[0].content.startsWith('Question 0.'));
  assert.ok(sent.at(-1).content.startsWith('Question 7.'));
});

test('questions whose answer failed are asked as one', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'http-401');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });
  await chat.ask({ moduleId: 'm', message: 'Two' });
  const [, second] = await completionsOf(upstream);
  assert.deepEqual(second.body.messages, [{ role: 'user', content: 'One\n\nTwo' }]);
});

for (const [what, config, says] of [
  ['an unknown key', '[confab]\nqueues=true\n', /\[confab\] queues: there is no such key/],
  ['a value out of range', '[confab]\nmax-running=0\n', /\[confab\] max-running: .*1 to 1000/],
  ['a key of the API in the file', '[providers/a]\ntype=openai\napi-key=sk-1\n', /api-key/],
  ['a default that is not there', '[confab]\nprovider=nobody\n', /nobody/],
]) {
  test(`exit 2 and one sentence for ${what}`, async () => {
    const confabd = await spawnConfabd(['--port', '0'], { config });
    const { code } = await confabd.waitForExit();
    assert.equal(code, 2);
    assert.match(confabd.stderr, /^confabd: [^\n]+\n$/);
    assert.match(confabd.stderr, says);
    assert.equal(confabd.stdout, '');
  });
}

test('exit 2 for a file that is not there', async () => {
  const confabd = await spawnConfabd(['--port', '0', '--config', '/nowhere/confab.ini']);
  const { code } = await confabd.waitForExit();
  assert.equal(code, 2);
  assert.match(confabd.stderr, /^confabd: \/nowhere\/confab\.ini: [^\n]+\n$/);
});

test('what the file says next applies while confabd runs; what is wrong changes nothing',
  async (t) => {
    const path = join(await makeDir(t), 'confab.ini');
    await writeFile(path, '[confab]\nprovider=builtin\n');
    const confabd = await startConfabd(t, ['--config', path],
      { allow: [/Settings stay as they were: .*max-running: it must be from 1 to 1000, not 0/] });
    const chat = await connect(t, confabd);
    const first = await chat.ask({ moduleId: 'm', message: 'Hello' });
    assert.equal(first.event, 'complete');

    await writeFile(path, '[confab]\nprovider=builtin\nmax-running=0\nauto-create-modules=false\n');
    await waitFor(() => confabd.stderr.includes('Settings stay as they were'));
    assert.equal((await chat.ask({ moduleId: 'n', message: 'Hello' })).event, 'complete');

    const upstream = await startRawUpstream(t);
    await writeFile(path, '[confab]\nprovider=mine\nauto-create-modules=false\n[providers/mine]\n'
      + `type=openai\nbase-url=${upstream.baseUrl}\nmodel=raw:plain\n`);
    await waitFor(() => confabd.stderr.includes('Settings were read again'));
    assert.equal((await chat.ask({ moduleId: 'm', message: 'Hello' })).end.message, PLAIN);
    assert.equal((await chat.call('ai:chat:generate', { moduleId: 'o', message: 'Hello' })).code,
      'unknown-module');
  });

test('the port of the settings gives way to that of the command line', async (t) => {
  const [set, asked] = [await freePort(), await freePort()];
  const config = `[confab]\nport=${set}\n`;
  const overridden = await startConfabd(t, ['--port', String(asked)], { config });
  assert.equal(overridden.port, asked);
  const confabd = await startConfabd(t, [], { config, port: null });
  assert.equal(confabd.port, set);
});

test('with allow-eio3=true a client of Socket.IO 2 chats as it is', async (t) => {
  const config = '[confab]\nallow-eio3=true\n';
  const confabd = await startConfabd(t, ['--provider', 'builtin'], { config });
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    const headers = { Authorization: `Bearer ${confabd.token}` };
    const socket = io2(confabd.origin, { path: '/api/socket', transports, forceNew: true,
      reconnection: false, extraHeaders: headers,
      transportOptions: { polling: { extraHeaders: headers } } });
    t.after(() => socket.close());
    let text = '';
    socket.on('ai:chat:chunk', ({ chunk }) => { text += chunk; });
    const completed = once(socket, 'ai:chat:complete');
    socket.emit('ai:chat:generate', { moduleId: `m-${transports.join('-')}`, message: 'Hello' });
    assert.equal((await completed)[0].message, text);
  }
});

test('a client of Socket.IO 2 is told that its protocol is not spoken here', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin', '--dev']);
  const socket = io2(confabd.origin, { path: '/api/socket', forceNew: true, reconnection: false });
  t.after(() => socket.close());
  await once(socket, 'connect_error');
  const reply = await fetch(`${confabd.origin}/api/socket/?EIO=3&transport=polling`);
  assert.equal(reply.status, 400);
  assert.deepEqual(await reply.json(), { code: 5, message: 'Unsupported protocol version' });
});

test('a certificate that nobody signed is told as such, at once', async (t) => {
  const server = createServer({ key: await pem('key'), cert: await pem('cert') }, (_, response) => {
    response.end('{}');
  });
  let attempts = 0;
  server.on('connection', () => { attempts += 1; });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address();
  const confabd = await startConfabd(t, ['--base-url', `https://127.0.0.1:${port}/v1`,
    '--model', 'm']);
  const chat = await connect(t, confabd);
  const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(event, 'error');
  assert.equal(end.code, 'upstream-unavailable');
  assert.equal(end.retryable, false);
  assert.match(end.error, /secure connection/);
  assert.match(end.error, /nobody whom this system trusts has signed it/);
  assert.ok(end.error.includes(`127.0.0.1:${port}`), end.error);
  assert.equal(attempts, 1);
});
