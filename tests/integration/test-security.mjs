// SPDX-License-Identifier: GPL-3.0-or-later
// What docs/threat-model.md promises and no other test proves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

import { connect, startWithRaw, statsOf } from './lib/chat.mjs';
import { confabdPath, startConfabd } from './lib/confabd.mjs';
import { fetchFrom } from './lib/http.mjs';
import { makeDir, memoryOf, sleep, waitFor } from './lib/process.mjs';
import { ask, post } from './lib/ui-stream.mjs';
import { Raw } from './lib/wire.mjs';

const MIB = 1024 * 1024;
const KEY = 'sk-this-is-a-key-that-nobody-must-see';

test('a crash leaves no memory behind', async (t) => {
  const confabd = await startConfabd(null, ['--provider', 'builtin'],
    { ulimit: '-S -c unlimited' });
  const limits = await readFile(`/proc/${confabd.pid}/limits`, 'utf8');
  // less than any core: neither a file nor, as 0 would allow, a pipe to a crash handler
  assert.match(limits, /^Max core file size +1 +1 /m);
  const dir = await mkdtemp('/tmp/confab-test-');
  t.after(() => rm(dir, { recursive: true, force: true }));
  confabd.process.kill('SIGSEGV');
  await confabd.exited;
  assert.deepEqual((await readdir('.')).filter((name) => /^core(\.|$)/.test(name)), []);
  await confabd.removeHome();
});

test('a new token makes the old one, and the browsers it let in, worthless', async (t) => {
  const dir = await makeDir(t);
  const args = ['--provider', 'builtin', '--data-dir', dir];
  const first = await startConfabd(null, args);
  const { port, token } = first;
  const signIn = await fetchFrom(first, { path: `/?token=${token}` });
  const [cookie] = signIn.headers['set-cookie'][0].split(';');
  assert.equal((await fetchFrom(first, { path: '/metrics', headers: { Cookie: cookie } })).status,
    200);
  await first.stop();
  for (const name of await readdir(dir))
    if (!name.startsWith('confab.db'))
      await rm(join(dir, name));

  const second = await startConfabd(t, [...args, '--port', String(port)], { port: null });
  assert.notEqual(second.token, token);
  const ask = (headers) => fetchFrom(second, { path: '/metrics', headers });
  assert.equal((await ask({ Authorization: `Bearer ${token}` })).status, 401);
  assert.equal((await ask({ Cookie: cookie })).status, 401);
  assert.equal((await ask({ Authorization: `Bearer ${second.token}` })).status, 200);
});

/** A server that nobody is to ask, and wishes that he were: `{url, wishes, assertUnasked}`. */
async function startElsewhere(t, upstream) {
  let asked = 0;
  const server = createServer((request, response) => { asked += 1; response.end(); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); server.closeAllConnections(); });
  const url = `http://127.0.0.1:${server.address().port}/v1`;
  const names = ['baseUrl', 'base_url', 'base-url', 'url', 'endpoint', 'proxy'];
  return {
    url,
    wishes: Object.fromEntries(names.map((name) => [name, url])),
    async assertUnasked() {
      assert.equal(asked, 0);
      const { requests } = await statsOf(upstream);
      for (const { path } of requests)
        assert.ok(['/v1/chat/completions', '/v1/models', '/__stats'].includes(path), path);
      assert.ok(requests.some(({ method }) => method === 'POST'), 'nothing was asked at all');
    },
  };
}

const namesOfProviders = (url) => [url, `openai@${url}`, '../evil', 'file:///etc/passwd'];

test('no client chooses where a model server is', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'plain', { args: ['--dev'] });
  const { url, wishes, assertUnasked } = await startElsewhere(t, upstream);
  const chat = await connect(t, confabd);

  const { session: { sessionId } } = await chat.call('session:create', {});
  const { module: { moduleId, parameters } } = await chat.call('module:create', { sessionId,
    ...wishes, parameters: wishes });
  assert.deepEqual(parameters, wishes);
  assert.equal((await chat.ask({ moduleId, message: 'Hello', ...wishes })).event, 'complete');
  for (const provider of namesOfProviders(url)) {
    const { code } = await chat.call('module:create', { sessionId, moduleId: 'other', provider });
    assert.equal(code, 'no-provider');
    const { ok } = await chat.call('module:update', { moduleId, model: `../../x?${provider}#` });
    assert.ok(ok);
    await chat.ask({ moduleId, message: 'Hello' });
  }
  await assertUnasked();
});

test('no client chooses where a model server is: over HTTP', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'plain', { args: ['--dev'] });
  const { url, wishes, assertUnasked } = await startElsewhere(t, upstream);
  let number = 0;
  const say = (more) => {
    number += 1;
    const message = { id: `q${number}`, role: 'user', parts: [{ type: 'text', text: 'Hello' }] };
    return ask(confabd, { id: 'm', trigger: 'submit-message',
      messages: [{ ...message, metadata: more }], ...more });
  };
  const change = (event, payload) => post(confabd, `/api/call/${event}`,
    { sessionId: 'default', moduleId: 'm', ...payload });

  // as useChat sends what is given to it: fields of the body, headers, addresses
  assert.equal((await say({ ...wishes, body: wishes, provider: url, model: url })).end, 'finish');
  assert.equal((await change('module:update', { ...wishes, parameters: wishes })).status, 200);
  assert.equal((await say(wishes)).end, 'finish');
  const called = await post(confabd, `/api/call/ai:chat:generate?base_url=${url}`,
    { moduleId: 'n', message: 'Hello', ...wishes },
    { headers: { 'Content-Type': 'application/json', 'X-Base-Url': url } });
  assert.equal(called.status, 200);
  for (const name of namesOfProviders(url)) {
    await change('module:update', { provider: name, model: 'm' });
    await say({});
    await change('module:update', { provider: null, model: `../../x?${name}#` });
    await say({});
  }
  await assertUnasked();
});

/* Each is refused, and what comes behind it is no request of its own. */
const SMUGGLING = {
  'both lengths': 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
  'two lengths': 'Content-Length: 4\r\nContent-Length: 30\r\n',
  'the same length twice': 'Content-Length: 4\r\nContent-Length: 4\r\n',
  'a list of lengths': 'Content-Length: 4, 30\r\n',
  'a length with a sign': 'Content-Length: +4\r\n',
  'a length in hex': 'Content-Length: 0x4\r\n',
  'a length below zero': 'Content-Length: -1\r\n',
  'an unknown coding': 'Transfer-Encoding: xchunked\r\n',
  'two codings': 'Transfer-Encoding: chunked, identity\r\n',
  'the coding twice': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
  'a space before the colon': 'Content-Length : 4\r\n',
  'a folded field': 'X: y\r\n Content-Length: 4\r\n',
  'a bare line feed': 'X: y\nContent-Length: 4\r\n',
  'a bare carriage return': 'X: y\rContent-Length: 4\r\n',
  'a NUL': 'X: y\0\r\nContent-Length: 4\r\n',
  'a second Host': 'Host: evil.example\r\nContent-Length: 4\r\n',
  'a field without a name': ': x\r\nContent-Length: 4\r\n',
};

for (const [name, fields] of Object.entries(SMUGGLING))
  test(`a request is not smuggled: ${name}`, async (t) => {
    const confabd = await startConfabd(t, ['--dev', '--provider', 'builtin']);
    const raw = await Raw.open(t, confabd.port);
    // which would be answered by 200, whatever its body
    raw.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${confabd.port}\r\n${fields}`
      + `\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost:${confabd.port}\r\n\r\n`);
    await raw.waitForEnd(15000);
    const statuses = raw.text.match(/^HTTP\/1\.1 \d{3}/gm) ?? [];
    assert.ok(statuses.length <= 1, raw.text);
    assert.match(raw.text, /^HTTP\/1\.1 (400|501) /);
  });

test('what is pipelined behind a request is not answered', async (t) => {
  const confabd = await startConfabd(t, ['--dev', '--provider', 'builtin']);
  const raw = await Raw.open(t, confabd.port);
  raw.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${confabd.port}\r\n\r\n`.repeat(3));
  await raw.waitForEnd(15000);
  assert.equal(raw.text.match(/^HTTP\/1\.1 200/gm).length, 1);
  assert.match(raw.text, /^Connection: close\r$/m);
});

test('Host and Origin count for every method at every address', async (t) => {
  const confabd = await startConfabd(t, ['--dev', '--provider', 'builtin']);
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/api/chat', '/api/call/server:info',
    '/api/socket/?EIO=4&transport=polling', '/assets/x', '/session/s/module/m', '/nothing'];
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    for (const path of paths)
      for (const headers of [{ Host: 'evil.example' }, { Origin: 'https://evil.example' },
        { 'Sec-Fetch-Site': 'cross-site' }]) {
        const { status } = await fetchFrom(confabd, { path, method, headers });
        assert.ok([403, 501].includes(status), `${method} ${path} ${JSON.stringify(headers)}: `
          + status);
      }
});

/* All that a client may say, and what a model answers: each is "in private". */
async function speakInPrivate(chat) {
  const moduleId = `m-${chat.socket.id.replace(/[^A-Za-z0-9]/g, '')}`;
  const { session } = await chat.call('session:create', { title: 'A title in private' });
  const made = await chat.call('module:create', { moduleId, sessionId: session.sessionId,
    title: 'A chat in private', instructions: 'Be somebody in private' });
  assert.equal(made.ok, true, JSON.stringify(made));
  // the servers of the first two repeat it in an error, and the second is asked again
  for (const model of ['raw:repeats:401', 'raw:repeats:503', 'raw:echo', 'raw:not-json']) {
    await chat.call('module:update', { moduleId, model, title: `Another in private: ${model}` });
    await chat.ask({ moduleId, message: 'What was said in private' });
  }
  assert.match(chat.all('error')[0].error, /in private/);
  assert.match(chat.all('complete')[0].message, /in private/);
  const { results } = await chat.call('ai:chat:search', { query: 'private' });
  assert.ok(results.length > 0);
  await chat.call('ai:chat:generate', { moduleId, wrong: 'in private', message: 'in private' });
  await chat.call('ai:chat:history', { moduleId, before: 'in private' });
  chat.socket.emit('in private', { moduleId });
  await chat.call('session:delete', { sessionId: session.sessionId });
  chat.socket.disconnect();
}

test('no log, not the longest, holds a secret or what was said', async (t) => {
  const { confabd } = await startWithRaw(t, 'repeats:401', { args: ['--verbose'],
    env: { OPENAI_API_KEY: KEY } });
  const signIn = await fetchFrom(confabd, { path: `/?token=${confabd.token}` });
  const [Cookie] = signIn.headers['set-cookie'][0].split(';');
  const bearer = { Authorization: `Bearer ${confabd.token}` };
  const { json: { ticket } } = await fetchFrom(confabd,
    { path: '/api/ticket', method: 'POST', headers: bearer });
  await fetchFrom(confabd, { path: `/nothing?token=${confabd.token}` });
  await fetchFrom(confabd, { path: '/?ticket=a-ticket-that-is-wrong' });
  await fetchFrom(confabd, { path: `/?ticket=${ticket}` });
  for (const headers of [{ Cookie }, bearer, { Authorization: `Basic ${KEY}` }])
    await fetchFrom(confabd, { path: '/metrics', headers });

  for (const transports of [['websocket'], ['polling']])
    await speakInPrivate(await connect(t, confabd, { transports }));
  await fetchFrom(confabd, { path: '/api/call/ai:chat:search', method: 'POST',
    headers: { ...bearer, 'Content-Type': 'application/json' },
    body: '{"query":"in private"}' });
  await sleep(200);
  assert.match(confabd.stderr, /Generation \S+ failed: upstream-auth/);
  assert.match(confabd.stderr, /Asking \S+ again in \d+ ms: upstream-unavailable$/m);
  for (const secret of [confabd.token, Cookie.split('=')[1], KEY, ticket, 'a-ticket',
    'in private'])
    assert.ok(!confabd.stderr.includes(secret), confabd.stderr);
});

/**
 * A model server that answers every question by `speak(response)`, and lists a `model`, or what
 * `list(response)` says.
 */
async function startHostile(t, speak, { model = 'evil', list } = {}) {
  const models = JSON.stringify({ object: 'list', data: [{ id: model }] });
  const server = createServer((request, response) => {
    request.resume();
    response.setMaxListeners(0).on('error', () => {});
    if (request.method === 'GET')
      (list ?? ((to) => to.end(models)))(response);
    else
      speak(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); server.closeAllConnections(); });
  return server.address().port;
}

const MADE_UP = {
  'what was said': 'said in private',
  'a line of a log': 'private\nConfab-Message: forged',
  'the key': `private-${KEY}`,
  'what is too long': 'private-'.repeat(17),
};

for (const [name, model] of Object.entries({ ...MADE_UP, none: 'author/A.Model-7B:Q4_K+x' }))
  test(`what a model server calls its model is no way into the log: ${name}`, async (t) => {
    const port = await startHostile(t, (response) => response.end(), { model });
    const confabd = await startConfabd(t, ['--verbose', '--provider', 'openai', '--base-url',
      `http://127.0.0.1:${port}/v1`], { env: { OPENAI_API_KEY: KEY } });
    await (await connect(t, confabd)).ask({ moduleId: 'm', message: 'Hello' });
    assert.match(confabd.stderr, name in MADE_UP ? /Using the first model of http/
      : /Using model author\/A\.Model-7B:Q4_K\+x of http/);
    assert.doesNotMatch(confabd.stderr, /private|forged/);
  });

/* As fast as it is taken, until nobody takes it any more. */
async function pour(stream, piece) {
  const closed = new Promise((resolve) => { stream.on('close', resolve).on('error', resolve); });
  let gone = false;
  closed.then(() => { gone = true; });
  while (!gone && !stream.destroyed) {
    if (!stream.write(piece))
      await Promise.race([new Promise((resolve) => { stream.once('drain', resolve); }), closed]);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

const EVENTS = { 'Content-Type': 'text/event-stream' };
const delta = (content) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

const HOSTILE = {
  'a line without an end': (response) => {
    response.writeHead(200, EVENTS);
    pour(response, Buffer.alloc(65536, 'x'));
  },
  'an event without an end': (response) => {
    response.writeHead(200, EVENTS);
    pour(response, `data: ${'x'.repeat(1000)}\n`.repeat(60));
  },
  'a line of Ollama without an end': (response) => {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write('{"message":{"content":"');
    pour(response, Buffer.alloc(65536, 'x'));
  },
  'one JSON text without an end': (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"choices":"');
    pour(response, Buffer.alloc(65536, 'x'));
  },
  'a list of models without an end': (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"data":"');
    pour(response, Buffer.alloc(65536, 'x'));
  },
  'a head without an end': (response) => {
    response.socket.write('HTTP/1.1 200 OK\r\n');
    pour(response.socket, `X: ${'x'.repeat(1000)}\r\n`.repeat(60));
  },
  'a line of a head without an end': (response) => {
    response.socket.write('HTTP/1.1 200 OK\r\nX: ');
    pour(response.socket, Buffer.alloc(65536, 'x'));
  },
  'heads without an end': (response) => {
    pour(response.socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000));
  },
  'a length of a chunk without an end': (response) => {
    response.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    pour(response.socket, Buffer.alloc(65536, '0'));
  },
  'trailers without an end': (response) => {
    response.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n');
    pour(response.socket, `X: ${'x'.repeat(50)}\r\n`.repeat(1000));
  },
  'an answer without an end': (response) => {
    response.writeHead(200, EVENTS);
    pour(response, delta('x'.repeat(30000)));
  },
  'events without an end that say nothing': (response) => {
    response.writeHead(200, EVENTS);
    const timer = setTimeout(() => response.destroy(), 3000);
    response.on('close', () => clearTimeout(timer));
    pour(response, ': nothing\n\n'.repeat(1000));
  },
  'a bomb of gzip': (response) => {
    response.writeHead(200, { ...EVENTS, 'Content-Encoding': 'gzip' });
    response.end(gzipSync(Buffer.concat([Buffer.from('data: '), Buffer.alloc(300 * MIB, 'x')])));
  },
  'an error body without an end': (response) => {
    response.writeHead(500, { 'Content-Type': 'application/json' });
    pour(response, Buffer.alloc(65536, 'x'));
  },
  'a redirect to itself': (response) => {
    response.writeHead(307, { Location: '/v1/chat/completions' });
    response.end();
  },
};

for (const [name, speak] of Object.entries(HOSTILE))
  test(`a hostile model server takes neither memory nor the service: ${name}`, async (t) => {
    const ofList = name.startsWith('a list');
    const port = await startHostile(t, speak, ofList ? { list: speak } : {});
    const type = name.includes('Ollama') ? 'ollama' : 'openai';
    const confabd = await startConfabd(t, ['--dev', '--provider', type, '--base-url',
      `http://127.0.0.1:${port}${type === 'ollama' ? '' : '/v1'}`,
      ...(ofList ? [] : ['--model', 'evil'])],
    { config: `[providers/${type}]\nretries=0\nstall-timeout=5\n` });
    const chat = await connect(t, confabd);
    const before = (await memoryOf(confabd.pid)).rss;
    let peak = before;
    const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
    await waitFor(async () => {
      peak = Math.max(peak, (await memoryOf(confabd.pid)).rss);
      return chat.log.find(({ event }) => event === 'error' || event === 'complete');
    }, { timeout: 60000, interval: 50, what: 'an end' });
    const { event, payload } = await chat.end(ack.generationId);
    assert.ok(event === 'error' || payload.finishReason === 'length', JSON.stringify(payload));
    const instrumented = (await readFile(confabdPath())).includes('__asan_init');
    t.diagnostic(`${name}: ${((peak - before) / MIB).toFixed(1)} MiB at most, then `
      + (payload.code ?? payload.finishReason));
    /* the longest answer has 4 MiB, and copies of it are on their way to disk and clients */
    assert.ok(instrumented || peak - before < 160 * MIB,
      `${((peak - before) / MIB).toFixed(1)} MiB more`);
    assert.equal((await fetchFrom(confabd, { path: '/readyz' })).status, 200);
  });

test('what a model server compresses is not unpacked, and nobody asks for it', async (t) => {
  const asked = [];
  const port = await startHostile(t, (response) => {
    asked.push(response.req.headers['accept-encoding']);
    response.writeHead(200, { ...EVENTS, 'Content-Encoding': 'gzip' });
    response.end(gzipSync(`${delta('unpacked')}data: [DONE]\n\n`));
  });
  const confabd = await startConfabd(t, ['--dev', '--provider', 'openai', '--model', 'evil',
    '--base-url', `http://127.0.0.1:${port}/v1`]);
  const chat = await connect(t, confabd);
  const { event } = await chat.ask({ moduleId: 'm', message: 'Hello' });
  assert.equal(event, 'error');
  assert.deepEqual(chat.all('chunk'), []);
  assert.ok(asked.every((coding) => coding === undefined || coding === 'identity'), asked.join());
});

test('a redirect takes neither the question nor the key elsewhere', async (t) => {
  let asked = 0;
  const elsewhere = createServer((request, response) => { asked += 1; response.end(); });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  t.after(() => { elsewhere.close(); elsewhere.closeAllConnections(); });
  const { port: there } = elsewhere.address();
  for (const status of [301, 302, 303, 307, 308]) {
    const port = await startHostile(t, (response) => {
      response.writeHead(status, { Location: `http://127.0.0.1:${there}/v1/chat/completions` });
      response.end();
    });
    const confabd = await startConfabd(t, ['--dev', '--provider', 'openai', '--model', 'evil',
      '--base-url', `http://127.0.0.1:${port}/v1`], { env: { OPENAI_API_KEY: KEY } });
    const chat = await connect(t, confabd);
    assert.equal((await chat.ask({ moduleId: 'm', message: 'Hello' })).event, 'error');
  }
  assert.equal(asked, 0);
});
