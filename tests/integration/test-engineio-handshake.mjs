// SPDX-License-Identifier: GPL-3.0-or-later
// How a session of Engine.IO 4 begins, what is refused, and which pages may read the answers.
import assert from 'node:assert/strict';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import {
  Polling, Raw, Wire, fetchRaw, formatRequest, formatUpgrade, parseResponse,
} from './lib/wire.mjs';

const ERRORS = {
  unknownTransport: { code: 0, message: 'Transport unknown' },
  unknownSid: { code: 1, message: 'Session ID unknown' },
  badMethod: { code: 2, message: 'Bad handshake method' },
  badRequest: { code: 3, message: 'Bad request' },
  badVersion: { code: 5, message: 'Unsupported protocol version' },
};

async function assertError(echo, error, query, request = {}) {
  const { status, text, headers } = await fetchRaw(echo,
    { path: `${echo.path}${query}`, ...request });
  assert.deepEqual({ status, text, type: headers['content-type'] },
    { status: 400, text: JSON.stringify(error), type: 'application/json' });
}

function defineHandshake(mode) {
  test('the handshake over polling tells what the protocol asks for', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { open, headers } = await Polling.open(echo);
    assert.deepEqual(open, { sid: open.sid, upgrades: ['websocket'], pingInterval: 25000,
      pingTimeout: 20000, maxPayload: 1000000 });
    assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
    assert.equal(headers['cache-control'], 'no-store');
  });

  test('the handshake over WebSocket offers no upgrade', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode,
      ['--ping-interval', '300', '--ping-timeout', '200', '--max-payload', '5000']);
    const { open } = await Wire.connect(t, echo);
    assert.deepEqual(open, { sid: open.sid, upgrades: [], pingInterval: 300, pingTimeout: 200,
      maxPayload: 5000 });
  });

  test('session ids have 20 characters and never repeat', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--ping-interval', '500',
      '--ping-timeout', '500']);
    const sids = new Set();
    for (let i = 0; i < 10; i += 1) {
      const sessions = await Promise.all(Array.from({ length: 20 }, () => Polling.open(echo)));
      for (const { sid } of sessions) {
        assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
        sids.add(sid);
      }
    }
    assert.equal(sids.size, 200);
  });

  test('the path is served with and without its slash, and nothing beside it', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--path', '/a/b']);
    const query = '?EIO=4&transport=polling';
    for (const path of ['/a/b', '/a/b/'])
      assert.equal((await fetchRaw(echo, { path: `${path}${query}` })).status, 200, path);
    assert.equal((await fetchRaw(echo, { path: `/a/b/c${query}` })).status, 404);
    const raw = await Raw.open(t, echo.port);
    raw.write(formatRequest({ path: `/a/bc${query}` }));
    await raw.waitForText(/^HTTP\/1\.1 404 /);
  });

  test('a missing or unknown transport', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const queries = ['', '?', '?EIO=4', '?EIO=4&transport=', '?EIO=4&transport=abc',
      '?EIO=4&transport=constructor', '?EIO=4&transport=__proto__', '?EIO=4&transport=Polling',
      '?EIO=4&transport=webtransport'];
    for (const query of queries)
      await assertError(echo, ERRORS.unknownTransport, query);
  });

  test('an unknown session id, by every method', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { sid } = await Polling.open(echo);
    const wrong = [`${sid.slice(1)}`, `${sid}x`, sid.split('').reverse().join(''), '', '%00',
      'x'.repeat(2000)];
    for (const id of wrong) {
      const query = `?EIO=4&transport=polling&sid=${id}`;
      await assertError(echo, ERRORS.unknownSid, query);
      await assertError(echo, ERRORS.unknownSid, query, { method: 'POST', body: '4hello' });
      await assertError(echo, ERRORS.unknownSid, query, { method: 'PUT', body: '4hello' });
    }
  });

  test('an upgrade with an unknown session id', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const raw = await Raw.open(t, echo.port);
    raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket&sid=abc'));
    await raw.waitForEnd();
    const { status, text } = parseResponse(raw.received);
    assert.deepEqual({ status, text }, { status: 400, text: JSON.stringify(ERRORS.unknownSid) });
  });

  test('a handshake by another method than GET', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      await assertError(echo, ERRORS.badMethod, '?EIO=4&transport=polling', { method, body: '4a' });
    const { status, body } = await fetchHead(t, echo);
    assert.deepEqual({ status, length: body.length }, { status: 400, length: 0 });
  });

  test('a protocol version that is not served', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    for (const version of ['', 'EIO=&', 'EIO=3&', 'EIO=5&', 'EIO=04&', 'EIO=4x&', 'EIO=abc&'])
      await assertError(echo, ERRORS.badVersion, `?${version}transport=polling`);
  });

  test('a WebSocket transport without an upgrade, and the other way round', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    await assertError(echo, ERRORS.badRequest, '?EIO=4&transport=websocket');
    await assertError(echo, ERRORS.badRequest, '?EIO=4&transport=polling', {
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    });
  });

  test('a broken WebSocket handshake gets an error and leaves nothing', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const broken = [{ 'Sec-WebSocket-Version': '8' }, { 'Sec-WebSocket-Key': 'short' },
      { 'Sec-WebSocket-Key': '' }];
    for (const headers of broken) {
      const raw = await Raw.open(t, echo.port);
      raw.write(formatUpgrade(echo, 'EIO=4&transport=websocket', headers));
      await raw.waitForEnd();
      const response = parseResponse(raw.received);
      assert.ok(response.status >= 400 && response.status < 500, `${response.status}`);
      assert.equal(response.headers.connection, 'close');
      raw.socket.destroy();
    }
    await echo.waitForIdleFds();
  });

  test('a session does not take an unknown method, and lives on', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const session = await Polling.open(echo);
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      await assertError(echo, ERRORS.badRequest, `?EIO=4&transport=polling&sid=${session.sid}`,
        { method, body: '4a' });
    }
    await session.assertAlive();
  });
}

async function fetchHead(t, echo) {
  const raw = await Raw.open(t, echo.port);
  raw.write(formatRequest({ method: 'HEAD', path: `${echo.path}?EIO=4&transport=polling` }));
  await raw.waitForEnd();
  const whole = /^HTTP\/1\.1 (\d+) [^\r]*\r\n(.*?)\r\n\r\n(.*)$/s;
  const [, status, headers, body] = whole.exec(raw.text);
  assert.match(headers, /^Connection: close$/mi);
  return { status: Number(status), body };
}

function defineCors(mode) {
  const origin = 'http://page.example:8080';

  test('a page of an allowed origin may read answers and errors', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    for (const query of ['?EIO=4&transport=polling', '?EIO=4&transport=abc']) {
      const { headers } = await fetchRaw(echo, { path: `${echo.path}${query}`,
        headers: { Origin: origin } });
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.equal(headers.vary, 'Origin');
    }
  });

  test('a request without Origin gets no CORS headers', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { headers } = await fetchRaw(echo, { path: `${echo.path}?EIO=4&transport=polling` });
    assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('access-control')), []);
  });

  test('a preflight is answered', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode);
    const { status, headers, body } = await fetchRaw(echo, {
      method: 'OPTIONS',
      path: `${echo.path}?EIO=4&transport=polling`,
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type, x-custom' },
    });
    assert.equal(status, 204);
    assert.equal(body.length, 0);
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.match(headers['access-control-allow-methods'], /POST/);
    assert.equal(headers['access-control-allow-headers'], 'content-type, x-custom');
  });

  test('a refused POST over the limit carries CORS headers', async (t) => {
    const echo = await startEcho(t, 'engineio-echo', mode, ['--max-payload', '1000']);
    const session = await Polling.open(echo);
    const { status, headers } = await session.post('4'.padEnd(2000, 'x'), { Origin: origin });
    assert.equal(status, 413);
    assert.equal(headers['access-control-allow-origin'], origin);
  });
}

inBothModes((mode) => {
  defineHandshake(mode);
  defineCors(mode);
});
