// SPDX-License-Identifier: GPL-3.0-or-later
// Who may connect, by what, and to which namespace: the options around a server's door.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { countFds, waitFor } from './lib/process.mjs';
import { call, connect, open } from './lib/stock-client.mjs';
import { fetchRaw } from './lib/wire.mjs';

const set = (...pairs) => pairs.flatMap((pair) => ['--set', pair]);
const start = (t, mode, ...pairs) => startEcho(t, 'socketio-door', mode, set(...pairs));

async function refusalOf(socket) {
  const [error] = await once(socket, 'connect_error');
  return { message: error.message, data: error.data };
}

const poll = (echo, { query = 'EIO=4&transport=polling', ...options } = {}) =>
  fetch(`${echo.origin}${echo.path}?${query}`, options);

function defineNamespaces(mode) {
  test('a namespace that matches the pattern is made when it is asked for', async (t) => {
    const echo = await start(t, mode);
    const main = await connect(t, echo);
    assert.deepEqual((await call(main, 'list'))[0] ?? [], []);
    const room = open(t, echo, { nsp: '/room-101' });
    assert.deepEqual(await once(room, 'welcome'), ['/room-101']);
    const again = open(t, echo, { nsp: '/room-101' });
    assert.deepEqual(await once(again, 'welcome'), ['/room-101']);
    const answer = await new Promise((resolve) => main.emit('list', (...args) => resolve(args)));
    assert.deepEqual(answer[0], ['/room-101'], 'made once');
    assert.ok(answer[1].includes('/room-101'), 'namespace-added told of it');
  });

  test('one that does not match is refused', async (t) => {
    const echo = await start(t, mode);
    for (const nsp of ['/room-x', '/room-1x', '/xroom-1'])
      assert.equal((await refusalOf(open(t, echo, { nsp }))).message, 'Invalid namespace');
  });

  test('the middleware of the parent decides for its children', async (t) => {
    const echo = await start(t, mode);
    assert.deepEqual(await refusalOf(open(t, echo, { nsp: '/room-1', auth: { banned: 1 } })),
      { message: 'Not you', data: { why: 'banned' } });
  });

  test('a callback decides on a name in its own time, by what the client sent', async (t) => {
    const echo = await start(t, mode);
    const anna = open(t, echo, { nsp: '/user/anna', auth: { user: 'anna' } });
    assert.deepEqual(await once(anna, 'welcome'), ['/user/anna']);
    assert.equal((await refusalOf(open(t, echo, { nsp: '/user/ben', auth: { user: 'anna' } })))
      .message, 'Invalid namespace');
  });

  test('a client that goes while its namespace is decided on leaves nothing', async (t) => {
    const echo = await start(t, mode);
    const main = await connect(t, echo);
    const before = await countFds(echo.pid);
    const sockets = Array.from({ length: 20 }, () =>
      open(t, echo, { nsp: '/user/anna', auth: { user: 'anna' } }));
    await Promise.all(sockets.map((socket) => once(socket.io.engine, 'open')));
    sockets.forEach((socket) => socket.io.engine.close());
    await waitFor(async () => await countFds(echo.pid) <= before, { timeout: 5000,
      what: 'the connections to go' });
    const [, added] = await new Promise((resolve) => main.emit('list', (...args) => resolve(args)));
    assert.ok(added.filter((name) => name === '/user/anna').length <= 1);
  });

  test('of a flood of namespaces to decide on all but the first are refused', async (t) => {
    const echo = await start(t, mode);
    const main = await connect(t, echo);
    const messages = [];
    main.io.on('packet', ({ type, data }) => type === 4 && messages.push(data.message));
    for (let i = 0; i < 100; i += 1)
      main.io.engine.write(`0/user/n${i},{"user":"nobody"}`);
    await waitFor(() => messages.length === 100, { timeout: 5000, what: '100 refusals' });
    assert.equal(messages.filter((text) => text === 'Too many namespaces at a time').length, 36);
    assert.equal((await call(main, 'big')).length, 5000, 'the connection lives');
  });

  test('giving namespaces up makes no room for more of them to decide on', async (t) => {
    const echo = await start(t, mode);
    const main = await connect(t, echo);
    const messages = [];
    main.io.on('packet', ({ type, data }) => type === 4 && messages.push(data.message));
    for (let i = 0; i < 64; i += 1) {
      main.io.engine.write(`0/user/n${i},{"user":"nobody"}`);
      main.io.engine.write(`1/user/n${i},`);
    }
    const ask = async () => {
      const n = messages.length;
      main.io.engine.write('0/user/last,{"user":"nobody"}');
      await waitFor(() => messages.length > n, { timeout: 5000, what: 'a refusal' });
      return messages.at(-1);
    };
    assert.equal(await ask(), 'Too many namespaces at a time');
    /* when they are decided on, there is */
    await waitFor(async () => await ask() === 'Invalid namespace',
      { timeout: 5000, what: 'a decision' });
  });

  test('the parent speaks to all of its children', async (t) => {
    const echo = await start(t, mode);
    const main = await connect(t, echo);
    const rooms = await Promise.all([1, 2].map((n) => connect(t, echo, { nsp: `/room-${n}` })));
    const told = Promise.all(rooms.map((room) => once(room, 'told')));
    main.emit('tell-all', 'hello', 7);
    assert.deepEqual(await told, [['hello', 7], ['hello', 7]]);
  });

  for (const [option, left] of [['false', ['/room-5']], ['true', []]])
    test(`with cleanup-empty-child-namespaces=${option} ${left.length} are left`, async (t) => {
      const echo = await start(t, mode, `cleanup-empty-child-namespaces=${option}`);
      const main = await connect(t, echo);
      const listed = () => new Promise((resolve) => main.emit('list', resolve));
      const room = await connect(t, echo, { nsp: '/room-5' });
      assert.deepEqual(await listed(), ['/room-5']);
      room.disconnect();
      await waitFor(async () => (await listed()).length === left.length, { timeout: 5000,
        what: 'the namespace to go' });
      assert.deepEqual(await listed(), left);
      /* and it can be made anew */
      const back = open(t, echo, { nsp: '/room-5' });
      assert.deepEqual(await once(back, 'welcome'), ['/room-5']);
    });
}

function defineRequests(mode) {
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']])
    test(`allow-request lets in now and later, by ${transports}`, async (t) => {
      const echo = await start(t, mode);
      for (const door of ['now', 'later']) {
        const socket = await connect(t, echo, { transports, extraHeaders: { 'X-Door': door } });
        assert.equal((await call(socket, 'big')).length, 5000);
      }
    });

  test('a request that is refused gets 403 and nothing is kept', async (t) => {
    const echo = await start(t, mode);
    for (const [door, message] of [['never', 'Forbidden'], ['not-now', 'Not today'],
      ['forget', 'Forbidden']]) {
      const reply = await poll(echo, { headers: { 'X-Door': door } });
      assert.equal(reply.status, 403);
      assert.deepEqual(await reply.json(), { code: 4, message });
      const socket = open(t, echo, { extraHeaders: { 'X-Door': door } });
      await once(socket, 'connect_error');
    }
    await echo.waitForIdleFds();
  });

  test('a client that goes before the decision leaves nothing', async (t) => {
    const echo = await start(t, mode);
    for (const door of ['later', 'not-now'])
      await Promise.all(Array.from({ length: 10 }, async () => {
        const abort = new AbortController();
        const reply = poll(echo, { headers: { 'X-Door': door }, signal: abort.signal });
        setTimeout(() => abort.abort(), 20);
        await assert.rejects(reply);
      }));
    await echo.waitForIdleFds();
  });
}

function defineTransports(mode) {
  test('polling alone: no upgrade is offered, and no WebSocket is taken', async (t) => {
    const echo = await start(t, mode, 'transports=["polling"]');
    const socket = await connect(t, echo, { transports: ['polling', 'websocket'] });
    assert.equal(socket.io.engine.transport.name, 'polling');
    assert.equal((await call(socket, 'big')).length, 5000);
    assert.equal(socket.io.engine.transport.name, 'polling', 'it stays');
    const reply = await fetchRaw(echo, { path: `${echo.path}?EIO=4&transport=websocket`,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
    assert.equal(reply.status, 400);
    assert.match(reply.body.toString(), /"code":0,"message":"Transport unknown"/);
  });

  test('WebSocket alone: polls are refused', async (t) => {
    const echo = await start(t, mode, 'transports=["websocket"]');
    const reply = await poll(echo);
    assert.equal(reply.status, 400);
    assert.deepEqual(await reply.json(), { code: 0, message: 'Transport unknown' });
    assert.equal((await call(await connect(t, echo), 'big')).length, 5000);
  });

  test('without allow-upgrades a client that polls goes on polling', async (t) => {
    const echo = await start(t, mode, 'allow-upgrades=false');
    assert.match(await (await poll(echo)).text(), /"upgrades":\[\]/);
    const socket = await connect(t, echo, { transports: ['websocket'] });
    assert.equal(socket.io.engine.transport.name, 'websocket');
  });
}

function defineHttp(mode) {
  test('the path works with and without its slash', async (t) => {
    const echo = await start(t, mode, 'path="/chat/"');
    for (const path of ['/chat', '/chat/'])
      assert.equal((await fetch(`${echo.origin}${path}?EIO=4&transport=polling`)).status, 200);
    assert.equal((await fetch(`${echo.origin}/chat/x?EIO=4&transport=polling`)).status, 404);
  });

  test('a cookie tells the session of a polling handshake, and of nothing else', async (t) => {
    const echo = await start(t, mode, 'cookie="io"');
    const reply = await poll(echo);
    const { sid } = JSON.parse((await reply.text()).slice(1));
    const [pair, ...attributes] = reply.headers.get('set-cookie').split('; ');
    assert.equal(pair, `io=${sid}`);
    assert.deepEqual(attributes.sort(), ['HttpOnly', 'SameSite=Lax', 'path=/']);
    const later = await poll(echo, { query: `EIO=4&transport=polling&sid=${sid}`, method: 'POST',
      body: '40' });
    assert.equal(later.headers.get('set-cookie'), null);
    const plain = await start(t, mode);
    assert.equal((await poll(plain)).headers.get('set-cookie'), null);
  });

  test('answers to polls above the threshold are compressed for those who take it', async (t) => {
    const echo = await start(t, mode);
    const socket = await connect(t, echo, { transports: ['polling'] });
    assert.equal((await call(socket, 'big')).length, 5000);

    /* by hand, as fetch() unpacks silently */
    const { sid } = JSON.parse((await (await poll(echo)).text()).slice(1));
    const post = (body) => poll(echo, { query: `EIO=4&transport=polling&sid=${sid}`,
      method: 'POST', body });
    await post('40');
    await (await poll(echo, { query: `EIO=4&transport=polling&sid=${sid}` })).text();
    const get = async (encodings) => {
      await post('420["big"]');
      return fetchRaw(echo, { path: `${echo.path}?EIO=4&transport=polling&sid=${sid}`,
        headers: { 'Accept-Encoding': encodings } });
    };
    const packed = await get('br, gzip;q=0.5');
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.match(packed.headers.vary, /Accept-Encoding/);
    assert.ok(packed.body.length < 500, `${packed.body.length} bytes`);
    assert.equal(gunzipSync(packed.body).toString(), `430["${'x'.repeat(5000)}"]`);
    for (const encodings of ['br', 'gzip;q=0', 'identity'])
      assert.equal((await get(encodings)).headers['content-encoding'], undefined);
  });

  test('with http-compression=0 nothing is compressed', async (t) => {
    const echo = await start(t, mode, 'http-compression=0');
    const reply = await poll(echo, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(reply.headers.get('content-encoding'), null);
    assert.equal(reply.headers.get('vary')?.includes('Accept-Encoding') ?? false, false);
  });

  test('a file beside the protocol is served with an ETag', async (t) => {
    const echo = await start(t, mode);
    const url = `${echo.origin}${echo.path}socket.io.js`;
    const reply = await fetch(url);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), 'application/javascript; charset=utf-8');
    assert.equal(await reply.text(), '/* what a page would load */\n');
    const etag = reply.headers.get('etag');
    const known = await fetch(url, { headers: { 'If-None-Match': etag } });
    assert.equal(known.status, 304);
    assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
    assert.equal((await fetch(`${url}.map`)).status, 404);
  });
}

function defineCors(mode) {
  const ORIGIN = 'http://page.example';
  const OPTIONS = ['cors-origins=["http://page.example"]', 'cors-methods=["GET"]',
    'cors-allowed-headers=["X-One", "X-Two"]', 'cors-exposed-headers=["X-Three"]',
    'cors-credentials=false', 'cors-max-age=7'];
  const preflight = (echo, origin) => poll(echo, { method: 'OPTIONS', headers: { Origin: origin,
    'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-asked' } });
  const cors = (reply) => Object.fromEntries([...reply.headers]
    .filter(([name]) => name.startsWith('access-control-'))
    .map(([name, value]) => [name.slice('access-control-'.length), value]));

  test('a preflight is answered by the options', async (t) => {
    const echo = await start(t, mode, ...OPTIONS);
    const reply = await preflight(echo, ORIGIN);
    assert.equal(reply.status, 204);
    assert.deepEqual(cors(reply), { 'allow-origin': ORIGIN, 'allow-methods': 'GET',
      'allow-headers': 'X-One, X-Two', 'expose-headers': 'X-Three', 'max-age': '7' });
    assert.match(reply.headers.get('vary'), /Origin/);
  });

  test('by default those headers are allowed that are asked for', async (t) => {
    const echo = await start(t, mode, OPTIONS[0]);
    assert.deepEqual(cors(await preflight(echo, ORIGIN)), { 'allow-origin': ORIGIN,
      'allow-credentials': 'true', 'allow-methods': 'GET, POST', 'allow-headers': 'x-asked',
      'max-age': '600' });
  });

  test('pages of other origins are told nothing', async (t) => {
    const echo = await start(t, mode, ...OPTIONS);
    assert.deepEqual(cors(await preflight(echo, 'http://other.example')), {});
    assert.deepEqual(cors(await poll(echo, { headers: { Origin: 'http://other.example' } })), {});
    const reply = await poll(echo, { headers: { Origin: ORIGIN } });
    assert.deepEqual(cors(reply), { 'allow-origin': ORIGIN, 'expose-headers': 'X-Three' });
  });
}

inBothModes((mode) => {
  defineNamespaces(mode);
  defineRequests(mode);
  defineTransports(mode);
  defineHttp(mode);
  defineCors(mode);
});
