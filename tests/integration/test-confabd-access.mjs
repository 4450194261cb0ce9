// SPDX-License-Identifier: GPL-3.0-or-later
// Who may talk, on every path and way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import test from 'node:test';

import { io } from 'socket.io-client';

import { Chat, connect, open } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { fetchFrom, UPGRADE } from './lib/http.mjs';
import { freePort, sleep } from './lib/process.mjs';

const BUILTIN = ['--provider', 'builtin'];
const POLL = '/api/socket/?EIO=4&transport=polling';
const WEBSOCKET = '/api/socket/?EIO=4&transport=websocket';
const PATHS = ['/', '/session/s/module/m', '/index.html', '/healthz', '/readyz', '/nothing',
  '/api/ticket', POLL, '/api/socket?EIO=4&transport=polling'];

const bearer = (confabd) => ({ Authorization: `Bearer ${confabd.token}` });

async function refusal(socket) {
  const [error] = await once(socket, 'connect_error');
  return error;
}

function checkSafe({ status, headers }, what) {
  assert.equal(headers.connection, 'close', what);
  assert.equal(headers['x-content-type-options'], 'nosniff', what);
  if (status === 403)
    assert.equal(headers['access-control-allow-origin'], undefined, what);
}

test('a Host that is not ours is refused everywhere, token or not', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const wrong = ['evil.example', `evil.example:${confabd.port}`, '127.0.0.1', 'localhost',
    `localhost.:${confabd.port}`, `127.0.0.1:${confabd.port + 1}`, '0.0.0.0', ''];
  for (const path of PATHS)
    for (const Host of wrong) {
      const response = await fetchFrom(confabd, { path, headers: { Host, ...bearer(confabd) } });
      /* an empty one is broken HTTP already */
      assert.ok(response.status === 403 || (Host === '' && response.status === 400),
        `${path} ${Host}: ${response.status}`);
      if (response.status === 403)
        checkSafe(response, `${path} ${Host}`);
    }
  const upgrade = await fetchFrom(confabd,
    { path: WEBSOCKET, headers: { ...UPGRADE, Host: 'evil.example', ...bearer(confabd) } });
  assert.equal(upgrade.status, 403);
  assert.equal(upgrade.json.code, 'unauthorized');
});

test('our hosts are welcome on both families', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
    const headers = { Host: `${name}:${confabd.port}` };
    assert.equal((await fetchFrom(confabd, { path: '/healthz', headers })).status, 200, name);
    const six = await fetchFrom({ host: '::1', port: confabd.port }, { path: '/healthz', headers });
    assert.equal(six.status, 200, name);
  }
});

test('a foreign Origin is refused everywhere, upgrades included', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const wrong = ['http://evil.example', 'null', 'http://localhost', 'http://localhost:5173',
    `https://localhost:${confabd.port}`, `http://localhost:${confabd.port}.evil.example`];
  for (const Origin of wrong) {
    for (const path of PATHS)
      for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
        const response = await fetchFrom(confabd,
          { path, method, headers: { Origin, ...bearer(confabd) } });
        assert.equal(response.status, 403, `${method} ${path} ${Origin}`);
        checkSafe(response, `${method} ${path} ${Origin}`);
      }
    const upgrade = await fetchFrom(confabd, { path: WEBSOCKET, headers: { ...UPGRADE, Origin } });
    assert.equal(upgrade.status, 403, Origin);
  }
});

test('our own Origin may upgrade, and connects only with the token', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const Origin = confabd.origin;
  const upgrade = await fetchFrom(confabd, { path: WEBSOCKET, headers: { ...UPGRADE, Origin } });
  assert.equal(upgrade.status, 101);
  assert.match(upgrade.headers.connection, /^upgrade$/i);

  const options = { transports: ['websocket'], extraHeaders: { Origin } };
  const error = await refusal(open(t, confabd, { ...options, auth: {} }));
  assert.deepEqual(error.data, { code: 'unauthorized' });
  assert.match(error.message, /\w+ \w+/);
  await connect(t, confabd, options);
});

test('Sec-Fetch-Site without Origin must be same-origin or none', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const [site, allowed] of [['same-origin', true], ['none', true], ['same-site', false],
    ['cross-site', false], ['', false]])
    for (const path of PATHS) {
      const { status } = await fetchFrom(confabd,
        { path, headers: { 'Sec-Fetch-Site': site, ...bearer(confabd) } });
      assert.equal(status !== 403, allowed, `${path} ${site}: ${status}`);
    }
  const upgrade = await fetchFrom(confabd,
    { path: WEBSOCKET, headers: { ...UPGRADE, 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(upgrade.status, 403);
});

test('allowed origins and hosts', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--allow-origin', 'https://chat.example',
    '--allow-host', 'chat.example']);
  const headers = { Origin: 'https://chat.example', Host: 'chat.example', ...bearer(confabd) };
  const page = await fetchFrom(confabd, { headers });
  assert.equal(page.status, 200);
  assert.equal(page.headers['access-control-allow-origin'], 'https://chat.example');
  assert.match(page.headers.vary, /Origin/);
  assert.equal(page.headers['cross-origin-resource-policy'], 'cross-origin');

  const poll = await fetchFrom(confabd, { path: POLL, headers });
  assert.equal(poll.status, 200);
  assert.equal(poll.headers['access-control-allow-origin'], 'https://chat.example');

  for (const path of ['/api/ticket', POLL]) {
    const preflight = await fetchFrom(confabd, { path, method: 'OPTIONS', headers: {
      Origin: 'https://chat.example', 'Access-Control-Request-Method': 'POST' } });
    assert.equal(preflight.status, 204, path);
    assert.equal(preflight.headers['access-control-allow-origin'], 'https://chat.example', path);
    assert.match(preflight.headers['access-control-allow-methods'], /POST/, path);
  }
  await connect(t, confabd, { extraHeaders: { Origin: 'https://chat.example' },
    transports: ['websocket'] });
});

test('without a token there is nothing but health', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of PATHS.filter((each) => !each.startsWith('/api/socket')))
    for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: confabd.token },
      { Cookie: `confab-${confabd.port}=${confabd.token}` }]) {
      const response = await fetchFrom(confabd, { path, headers });
      const healthy = path === '/healthz' || path === '/readyz';
      assert.equal(response.status, healthy ? 200 : 401, path);
      checkSafe(response, path);
      if (!healthy) {
        assert.match(response.headers['www-authenticate'], /^Bearer/);
        assert.equal(response.json.code, 'unauthorized');
      }
    }
});

test('a browser is told in words', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const { status, headers, text } = await fetchFrom(confabd,
    { headers: { Accept: 'text/html,application/xhtml+xml' } });
  assert.equal(status, 401);
  assert.match(headers['content-type'], /^text\/html/);
  assert.match(headers['content-security-policy'], /default-src 'none'/);
  assert.match(text, /URL that confabd printed/);
});

test('CONNECT is refused without the token, and a refused socket gets nothing', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const transports of [['polling'], ['websocket']])
    for (const auth of [undefined, {}, { token: '' }, { token: 'wrong' }, { token: 7 },
      { token: null }]) {
      const socket = open(t, confabd, { auth, transports });
      const chat = new Chat(socket);
      const error = await refusal(socket);
      assert.deepEqual(error.data, { code: 'unauthorized' }, JSON.stringify(auth));
      socket.io.engine.write('2["ai:chat:generate",{"moduleId":"m","message":"x"}]');
      await sleep(20);
      assert.deepEqual(chat.log, []);
    }
});

test('every way to show the token', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const opened = await fetchFrom(confabd, { path: `/?token=${confabd.token}` });
  const cookie = opened.headers['set-cookie'][0].split(';')[0];
  for (const transports of [['polling'], ['websocket']]) {
    await connect(t, confabd, { transports });
    await connect(t, confabd, { transports, auth: {}, extraHeaders: bearer(confabd) });
    await connect(t, confabd, { transports, auth: {}, extraHeaders: { Cookie: cookie } });
  }
  assert.equal((await fetchFrom(confabd, { headers: bearer(confabd) })).status, 200);
  assert.equal((await fetchFrom(confabd, { headers: { Cookie: cookie } })).status, 200);
});

test('the printed URL signs a browser in and takes the token out of sight', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const [path, location] of [
    [`/?token=${confabd.token}`, '/'],
    [`/?a=1&token=${confabd.token}&b=2`, '/?a=1&b=2'],
    [`/session/s/module/m%7E?token=${confabd.token}`, '/session/s/module/m~'],
  ]) {
    const { status, headers } = await fetchFrom(confabd, { path });
    assert.equal(status, 303, path);
    assert.equal(headers.location, location);
    const [cookie] = headers['set-cookie'];
    assert.match(cookie, new RegExp(`^confab-${confabd.port}=[\\w-]{43}; `));
    assert.ok(!cookie.includes(confabd.token), 'a secret of its own');
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/'])
      assert.ok(cookie.includes(attribute), attribute);
  }
  for (const path of ['/?token=wrong', '/?token=', '/session/s/module/m?token=wrong']) {
    const { status, headers } = await fetchFrom(confabd, { path });
    assert.equal(status, 401, path);
    assert.equal(headers['set-cookie'], undefined);
  }
  const post = await fetchFrom(confabd, { path: `/?token=${confabd.token}`, method: 'POST' });
  assert.equal(post.status, 401);
});

test('the redirect never leads elsewhere', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['//evil.example/session/', '/session//evil.example', '/session/../..//evil',
    '/session/%0d%0aX:y/module/m', '/session/%5c%5cevil.example', '/%2f%2fevil.example/session/']) {
    const { status, headers } = await fetchFrom(confabd,
      { path: `${path}?token=${confabd.token}` });
    assert.ok(status === 303 || status === 401 || status === 400, `${path}: ${status}`);
    assert.equal(headers['x'], undefined);
    if (status === 303)
      assert.match(headers.location, /^\/[^/\\]/, path);
  }
});

test('a ticket is good once', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const { status, json } = await fetchFrom(confabd,
    { path: '/api/ticket', method: 'POST', headers: bearer(confabd) });
  assert.equal(status, 200);
  assert.equal(json.url, `${confabd.origin}/?ticket=${json.ticket}`);
  const left = json.expiresAt - Date.now();
  assert.ok(left > 50000 && left <= 60000, `${left} ms`);

  const path = `/?ticket=${json.ticket}`;
  const first = await fetchFrom(confabd, { path });
  assert.equal(first.status, 303);
  const cookie = first.headers['set-cookie'][0].split(';')[0];
  assert.equal((await fetchFrom(confabd, { headers: { Cookie: cookie } })).status, 200);
  assert.equal((await fetchFrom(confabd, { path })).status, 401);
  assert.equal((await fetchFrom(confabd, { path: '/?ticket=wrong' })).status, 401);
  assert.equal((await fetchFrom(confabd, { path: '/api/ticket', method: 'POST' })).status, 401);
  const get = await fetchFrom(confabd, { path: '/api/ticket', headers: bearer(confabd) });
  assert.equal(get.status, 405);
  assert.equal(get.headers.allow, 'POST');
});

test('programs of this user need no token at the UNIX socket, proxies do', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const where = { socketPath: confabd.unixPath };
  const get = async (headers, path = '/') =>
    (await fetchFrom(where, { path, headers: { Host: 'localhost', ...headers } })).status;
  assert.equal(await get({}), 200);
  assert.equal(await get({ Host: 'localhost:1234' }), 200);
  assert.equal(await get({ Host: 'evil.example' }), 403);
  for (const header of ['Forwarded', 'X-Forwarded-For', 'x-forwarded-proto',
    'X-Forwarded-Anything'])
    assert.equal(await get({ [header]: 'x' }), 401, header);
  assert.equal(await get({ 'X-Forwarded-For': '192.0.2.1', ...bearer(confabd) }), 200);
  assert.equal(await get({ Origin: confabd.origin }), 401);
  assert.equal(await get({ Origin: 'http://evil.example' }), 403);

  const connectUnix = (headers) => {
    const socket = io('http://localhost', { path: '/api/socket', forceNew: true,
      reconnection: false, transports: ['websocket'], extraHeaders: headers,
      agent: new Agent({ socketPath: confabd.unixPath }) });
    t.after(() => socket.close());
    return socket;
  };
  await once(connectUnix({}), 'connect');
  for (const header of ['X-Forwarded-For', 'X-Forwarded-Anything', 'Forwarded'])
    assert.deepEqual((await refusal(connectUnix({ [header]: 'x' }))).data,
      { code: 'unauthorized' });
});

test('with --dev nobody needs a token, but Host and Origin still count', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--dev']);
  assert.equal(confabd.token, null);
  assert.equal((await fetchFrom(confabd)).status, 200);
  await connect(t, confabd);
  for (const [Origin, allowed] of [['http://localhost:5173', true], ['http://127.0.0.1:1', true],
    ['http://[::1]:65535', true], ['http://localhost', true], ['https://localhost:5173', false],
    ['http://evil.example', false], ['http://localhost.evil.example', false], ['null', false]]) {
    for (const path of ['/', POLL])
      assert.equal((await fetchFrom(confabd, { path, headers: { Origin } })).status,
        allowed ? 200 : 403, `${path} ${Origin}`);
    const upgrade = await fetchFrom(confabd, { path: WEBSOCKET, headers: { ...UPGRADE, Origin } });
    assert.equal(upgrade.status, allowed ? 101 : 403, Origin);
  }
  const { status } = await fetchFrom(confabd, { headers: { Host: 'evil.example' } });
  assert.equal(status, 403);
});

test('request bodies end at 1 MiB', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const post = (size, headers) => fetchFrom(confabd, { path: '/api/ticket', method: 'POST',
    headers: { ...bearer(confabd), ...headers }, body: Buffer.alloc(size) });
  assert.equal((await post(1024 * 1024)).status, 200);
  for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
    const { status, json } = await post(1024 * 1024 + 1, headers);
    assert.equal(status, 413);
    assert.equal(json.code, 'too-large');
  }
  assert.equal((await post(1024 * 1024, { 'Transfer-Encoding': 'chunked' })).status, 200);
});

test('a cookie outlives a restart, on its own port only', async (t) => {
  const dir = `${process.env.TMPDIR ?? '/tmp'}/confab-access-${process.pid}`;
  t.after(() => rm(dir, { recursive: true, force: true }));
  const port = String(await freePort());
  const first = await startConfabd(t, [...BUILTIN, '--data-dir', dir, '--port', port]);
  const { headers } = await fetchFrom(first, { path: `/?token=${first.token}` });
  const Cookie = headers['set-cookie'][0].split(';')[0];
  await first.stop();
  assert.equal((await stat(`${dir}/access`)).mode & 0o777, 0o600);

  const again = await startConfabd(t, [...BUILTIN, '--data-dir', dir, '--port', port]);
  assert.equal(again.token, first.token);
  assert.equal((await fetchFrom(again, { headers: { Cookie } })).status, 200);
  await again.stop();
  const elsewhere = await startConfabd(t, [...BUILTIN, '--data-dir', dir]);
  assert.equal((await fetchFrom(elsewhere, { headers: { Cookie } })).status, 401);
});
