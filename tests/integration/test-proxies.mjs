// SPDX-License-Identifier: GPL-3.0-or-later
// Confab through real proxies, set up as docs/reverse-proxy.md has it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { io } from 'socket.io-client';

import { Chat, checkEvents, startWithRaw } from './lib/chat.mjs';
import { Child, freePort, makeDir, waitFor } from './lib/process.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOST = 'chat.example';
const ORIGIN = `https://${HOST}`;

/** The example of the page in that language, on other ports and with other files. */
async function readExample(language, replacements) {
  const page = await readFile(join(ROOT, 'docs/reverse-proxy.md'), 'utf8');
  let [, text] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(page);
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  return text;
}

const pem = (name) => join(ROOT, `tests/upstream/self-signed-${name}.pem`);

async function startNginx(t, port, confabdPort) {
  const dir = await makeDir(t);
  await mkdir(join(dir, 'temp'), { mode: 0o777 });
  const example = await readExample('nginx', [['listen 443', `listen 127.0.0.1:${port}`],
    ['127.0.0.1:7420', `127.0.0.1:${confabdPort}`], ['/etc/ssl/chat.example.pem', pem('cert')],
    ['/etc/ssl/private/chat.example.key', pem('key')]]);
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/temp/${name};`).join('\n');
  await writeFile(join(dir, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; master_process off; pid ${dir}/pid; error_log stderr;
events {}
http { access_log off; ${temp}
${example} }\n`);
  return new Child('/usr/sbin/nginx', ['-e', 'stderr', '-p', dir, '-c', join(dir, 'nginx.conf')]);
}

async function startHaproxy(t, port, confabdPort) {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'both.pem'),
    `${await readFile(pem('cert'), 'utf8')}${await readFile(pem('key'), 'utf8')}`);
  await writeFile(join(dir, 'haproxy.cfg'), await readExample('haproxy', [
    ['bind :443', `bind 127.0.0.1:${port}`], ['127.0.0.1:7420', `127.0.0.1:${confabdPort}`],
    ['/etc/haproxy/chat.example.pem', join(dir, 'both.pem')]]));
  return new Child('/usr/sbin/haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')]);
}

async function start(t, startProxy, { behaviour = 'paced:20:20', config } = {}) {
  const port = await freePort();
  // the second is the same on another port than that of https
  const { confabd } = await startWithRaw(t, behaviour, { config,
    args: ['--allow-host', HOST, '--allow-host', `${HOST}:${port}`, '--allow-origin', ORIGIN] });
  const proxy = await startProxy(t, port, confabd.port);
  t.after(() => proxy.end('SIGTERM'));
  await waitFor(() => new Promise((resolve) => {
    assert.ok(!proxy.hasExited, proxy.stderr);
    const socket = connectTcp({ host: '127.0.0.1', port });
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  }), { timeout: 20000, what: 'the proxy' });
  return { confabd, port };
}

/** Opens a request through the proxy; its response, unread. */
async function send({ port, confabd }, { path, method = 'POST', body, headers = {} }) {
  const outgoing = request({ host: '127.0.0.1', port, path, method, agent: false,
    rejectUnauthorized: false, headers: { Host: HOST, Authorization: `Bearer ${confabd.token}`,
      'Content-Type': 'application/json', ...headers } });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return response;
}

async function readAll(response) {
  let text = '';
  for await (const piece of response.setEncoding('utf8'))
    text += piece;
  return text;
}

for (const [name, startProxy] of [['nginx', startNginx], ['haproxy', startHaproxy]]) {
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']])
    test(`${name}: Socket.IO by ${transports.join(', then ')}`, async (t) => {
      const { confabd, port } = await start(t, startProxy);
      const agent = new Agent({ rejectUnauthorized: false,
        lookup: (_host, { all }, done) =>
          (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) });
      const socket = io(`https://${HOST}:${port}`, { path: '/api/socket', transports,
        forceNew: true, reconnection: false, rejectUnauthorized: false, agent,
        auth: { token: confabd.token }, extraHeaders: { Origin: ORIGIN } });
      t.after(() => socket.close());
      const chat = new Chat(socket);
      await Promise.race([once(socket, 'connect'),
        once(socket, 'connect_error').then(([error]) => { throw error; })]);
      if (transports.length > 1)
        await waitFor(() => socket.io.engine.transport.name === 'websocket', { timeout: 15000 });
      const ack = await chat.generate({ moduleId: 'm', message: 'Hello' });
      await chat.end(ack.generationId);
      checkEvents(chat, ack);
      assert.ok(chat.all('chunk').length > 5, 'in pieces');
    });

  test(`${name}: answers stream over HTTP as they come`, async (t) => {
    const where = await start(t, startProxy, { behaviour: 'paced:30:50' });
    const response = await send(where, { path: '/api/chat', body: JSON.stringify({ id: 'm',
      trigger: 'submit-message',
      messages: [{ id: 'q', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] }) });
    assert.equal(response.statusCode, 200);
    const reads = [];
    let text = '';
    for await (const piece of response.setEncoding('utf8')) {
      reads.push(piece);
      text += piece;
    }
    assert.match(text, /data: \[DONE\]/);
    // gathered by the proxy, it would come in a few large ones
    assert.ok(reads.length > 10, `${reads.length} reads`);
  });

  test(`${name}: large bodies pass, and the token is asked for`, async (t) => {
    const where = await start(t, startProxy);
    const large = { id: 'm', trigger: 'submit-message', messages: [
      { id: 'old', role: 'user', parts: [{ type: 'text', text: 'x'.repeat(3 * 1024 * 1024) }] },
      { id: 'q', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] };
    const response = await send(where, { path: '/api/chat', body: JSON.stringify(large) });
    assert.equal(response.statusCode, 200);
    assert.match(await readAll(response), /data: \[DONE\]/);
    for (const headers of [{ Authorization: 'Bearer wrong' }, { Authorization: '' }]) {
      const refused = await send(where, { path: '/metrics', method: 'GET', headers });
      assert.equal(refused.statusCode, 401);
      refused.resume();
    }
    const foreign = await send(where, { path: '/healthz', method: 'GET',
      headers: { Origin: 'https://evil.example' } });
    assert.equal(foreign.statusCode, 403);
    foreign.resume();
  });

  test(`${name}: nobody outside chooses the address under which it is counted`, async (t) => {
    const where = await start(t, startProxy, { config: '[confab]\naddress-rate=1\n' });
    for (let i = 0; i < 20; i += 1) {
      const response = await send(where, { path: '/api/call/server:info', body: '{}',
        headers: { 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.2' } });
      // the proxy's own peer is this machine
      assert.equal(response.statusCode, 200);
      response.resume();
    }
  });
}
