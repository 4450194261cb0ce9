// SPDX-License-Identifier: GPL-3.0-or-later
// How the web client is served: what is found where, in which encoding, and kept for how long.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import test, { before } from 'node:test';
import zlib from 'node:zlib';

import { startConfabd } from './lib/confabd.mjs';
import { BUILTIN } from './lib/ui-stream.mjs';

const dist = process.env.CONFAB_WEB_DIST;
const YEAR = 'private, max-age=31536000, immutable';

const TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

let names;

before(async () => {
  names = await readdir(join(dist, 'assets'));
});

const assets = () => names.filter((name) => !/\.(?:br|gz)$/.test(name));
const hasBrotli = (name) => names.includes(`${name}.br`);

/** The bytes as they come, which fetch() would have decoded. */
function get(confabd, path, headers = {}, method = 'GET') {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: confabd.port, path, method, headers, agent: false },
      (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve({
          status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces),
        }));
      }).on('error', reject).end();
  });
}

test('the page is found at its addresses, and asked for anew each time', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const html = await readFile(join(dist, 'index.html'));
  for (const path of ['/', '/session/s/module/m', '/session/A.z_0~:@-/module/%7e', '/?a=b']) {
    const { status, headers, body } = await get(confabd, path);
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], TYPES.html);
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(headers.etag, /^"[^"]+"$/);
    assert.deepEqual(body, html);
  }
  for (const path of ['/nothing', '/session/', '/session/a%20b/module/m', '/session/s/module/',
    '/session/s/module/m/x', `/session/s/module/${'x'.repeat(129)}`, '/session/s', '/index.html/x'])
    assert.equal((await get(confabd, path)).status, 404, path);
});

test('every asset is there, for a year', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  assert.ok(assets().length >= 3);
  for (const name of assets()) {
    const { status, headers, body } = await get(confabd, `/assets/${name}`);
    assert.equal(status, 200, name);
    assert.equal(headers['cache-control'], YEAR);
    assert.equal(headers['content-type'], TYPES[name.split('.').at(-1)]);
    assert.deepEqual(body, await readFile(join(dist, 'assets', name)));
  }
});

test('what is no file is not found, and not kept', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const [asset] = assets().filter(hasBrotli);
  for (const path of ['/assets/', '/assets', '/assets/none-12345678.js', '/assets/../index.html.br',
    `/assets/${asset}.br`, `/assets/${asset}.gz`, `/assets/${asset}/x`, '/assets//index.html',
    `/assets/%2e%2e/assets/${asset}.map`]) {
    const { status, headers } = await get(confabd, path);
    assert.equal(status, 404, path);
    assert.equal(headers['cache-control'], 'no-store', path);
  }
});

test('each browser gets the smallest encoding that it reads', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const [asset] = assets().filter(hasBrotli);
  const plain = await readFile(join(dist, 'assets', asset));
  const cases = [
    [undefined, undefined], ['', undefined], ['identity', undefined], ['deflate', undefined],
    ['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br', 'br'], ['gzip;q=1.0, br;q=0.5', 'br'],
    ['br;q=0, gzip', 'gzip'], ['GZIP', 'gzip'], ['*', 'br'], ['*, br;q=0', 'gzip'],
    ['gzip;q=0, br;q=0', undefined], ['*;q=0', undefined], ['brotli', undefined],
    [';;,=,q', undefined],
  ];
  const etags = new Set();
  for (const [accepted, encoding] of cases) {
    const what = `Accept-Encoding: ${accepted}`;
    const { status, headers, body } = await get(confabd, `/assets/${asset}`,
      accepted === undefined ? {} : { 'Accept-Encoding': accepted });
    assert.equal(status, 200, what);
    assert.equal(headers['content-encoding'], encoding, what);
    assert.match(headers.vary, /\bAccept-Encoding\b/, what);
    assert.equal(Number(headers['content-length']), body.length, what);
    const decoded = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync }[encoding]?.(body);
    assert.deepEqual(decoded ?? body, plain, what);
    etags.add(headers.etag);
  }
  assert.equal(etags.size, 3, 'one for each of the three forms');
});

test('what the browser has is not sent again', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['/', `/assets/${assets()[0]}`])
    for (const encoding of ['identity', 'gzip', 'br']) {
      const accept = { 'Accept-Encoding': encoding };
      const first = await get(confabd, path, accept);
      for (const list of [first.headers.etag, `"other", W/${first.headers.etag}`, '*']) {
        const again = await get(confabd, path, { ...accept, 'If-None-Match': list });
        assert.equal(again.status, 304, `${path} ${encoding} ${list}`);
        assert.equal(again.body.length, 0);
        assert.equal(again.headers.etag, first.headers.etag);
        assert.equal(again.headers['cache-control'], first.headers['cache-control']);
        assert.equal(again.headers.vary, first.headers.vary);
      }
      const other = await get(confabd, path, { ...accept, 'If-None-Match': '"other"' });
      assert.equal(other.status, 200);
    }
});

test('HEAD tells what GET would', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['/', `/assets/${assets()[0]}`, '/healthz', '/readyz', '/nothing'])
    for (const encoding of ['identity', 'br']) {
      const accept = { 'Accept-Encoding': encoding };
      const got = await get(confabd, path, accept);
      const head = await get(confabd, path, accept, 'HEAD');
      assert.equal(head.status, got.status, path);
      assert.equal(head.body.length, 0, path);
      for (const name of ['content-length', 'content-type', 'content-encoding', 'etag',
        'cache-control', 'vary'])
        assert.equal(head.headers[name], got.headers[name], `${path} ${name}`);
    }
});

test('pages are only read', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['/', `/assets/${assets()[0]}`, '/healthz', '/readyz'])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await get(confabd, path, {}, method);
      assert.equal(status, 405, `${method} ${path}`);
      assert.equal(headers.allow, 'GET, HEAD');
    }
});

test('every answer is kept from other pages, and holds the page to its own origin', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const path of ['/', `/assets/${assets()[0]}`, '/api/chat/m/stream', '/healthz',
    '/nothing']) {
    const { headers } = await get(confabd, path);
    const policy = Object.fromEntries(headers['content-security-policy'].split(/;\s*/)
      .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1)]));
    assert.deepEqual(policy['default-src'], ["'none'"]);
    assert.deepEqual(policy['frame-ancestors'], ["'none'"]);
    assert.deepEqual(policy['base-uri'], ["'none'"]);
    assert.deepEqual(policy['form-action'], ["'none'"]);
    for (const [name, sources] of Object.entries(policy))
      assert.ok(sources.every((source) => ["'none'", "'self'"].includes(source)),
        `${name} ${sources}`);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.match(headers['permissions-policy'], /camera=\(\)/);
  }
});

test('opening the printed address signs a browser in, and the token leaves it', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  const path = `/session/s/module/m?token=${confabd.token}&x=1`;
  const opened = await get(confabd, path);
  assert.equal(opened.status, 303);
  assert.equal(opened.headers.location, '/session/s/module/m?x=1');
  assert.equal(opened.headers['cache-control'], 'no-store');
  const [cookie] = opened.headers['set-cookie'];
  assert.match(cookie, /; HttpOnly/);
  assert.match(cookie, /; SameSite=Strict/);
  assert.ok(!cookie.includes(confabd.token), 'a secret of its own');

  const Cookie = cookie.split(';')[0];
  for (const [asked, headers, status] of [
    ['/session/s/module/m?x=1', { Cookie }, 200], [`/assets/${assets()[0]}`, { Cookie }, 200],
    ['/', {}, 401], [`/assets/${assets()[0]}`, {}, 401], ['/?token=wrong', {}, 401],
  ])
    assert.equal((await get(confabd, asked, headers)).status, status, asked);
});
