// SPDX-License-Identifier: GPL-3.0-or-later
// The program itself: what it prints, where it listens, how it ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { openSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import test from 'node:test';

import { checkEvents, connect, open, startWithRaw, statsOf } from './lib/chat.mjs';
import { confabdPath, spawnConfabd, startConfabd } from './lib/confabd.mjs';
import { fetchFrom } from './lib/http.mjs';
import { freePort, makeDir, memoryOf, sleep, waitFor } from './lib/process.mjs';

const BUILTIN = ['--provider', 'builtin'];
const EXIT_TIME = 5000;
const MEGABYTE = 1024 * 1024;

/* Runs confabd to its end. */
async function run(args, options) {
  const confabd = await spawnConfabd(args, options);
  const timer = setTimeout(() => confabd.process.kill('SIGKILL'), 15000);
  const exit = await confabd.waitForExit();
  clearTimeout(timer);
  return { ...exit, stdout: confabd.stdout, stderr: confabd.stderr };
}

/* Exactly one sentence for people. */
function checkSentence(stderr) {
  assert.match(stderr, /^confabd: [^\n]+\n$/);
}

test('one line on standard output, flushed, with the token', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  assert.match(confabd.stdout,
    /^Listening on http:\/\/127\.0\.0\.1:\d+\/\?token=[A-Za-z0-9_-]{43}\n$/);
  await connect(t, confabd);
  await confabd.stop();
  assert.equal(confabd.stdout.split('\n').length, 2);
});

test('with --dev the line has no token, and no secret is made', async (t) => {
  const dir = join(await makeDir(t), 'data');
  const confabd = await startConfabd(t, [...BUILTIN, '--dev', '--data-dir', dir]);
  assert.equal(confabd.stdout, `Listening on http://127.0.0.1:${confabd.port}/\n`);
  await assert.rejects(stat(join(dir, 'access')), { code: 'ENOENT' });
});

test('to the journal goes no token', async (t) => {
  const dir = await makeDir(t);
  const path = join(dir, 'journal');
  const fd = openSync(path, 'w');
  const { dev, ino } = await stat(path);
  const child = spawn(confabdPath(), ['--port', '0', ...BUILTIN, '--unix', '',
    '--data-dir', join(dir, 'data')], {
    stdio: ['ignore', fd, 'ignore'],
    env: { PATH: process.env.PATH, HOME: dir, JOURNAL_STREAM: `${dev}:${ino}`,
      ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '' },
  });
  const exited = once(child, 'exit');
  await waitFor(async () => (await stat(path)).size > 0, { timeout: 20000 });
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.match(await readFile(path, 'utf8'), /^Listening on http:\/\/127\.0\.0\.1:\d+\/\n$/);
});

test('it listens on both loopback addresses and nowhere else', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  for (const host of ['127.0.0.1', '::1'])
    assert.equal((await fetchFrom({ host, port: confabd.port }, { path: '/healthz' })).status, 200);
  await assert.rejects(once(connectTcp(confabd.port, '127.0.0.2'), 'connect'),
    { code: 'ECONNREFUSED' });
});

test('--bind takes one address', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--bind', '127.0.0.2']);
  assert.ok(confabd.url.startsWith(`http://127.0.0.2:${confabd.port}/?token=`));
  const { status } = await fetchFrom({ host: '127.0.0.2', port: confabd.port });
  assert.equal(status, 401);
  await assert.rejects(once(connectTcp(confabd.port, '127.0.0.1'), 'connect'),
    { code: 'ECONNREFUSED' });
});

test('the UNIX socket is private, and goes with the program', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const socket = await stat(confabd.unixPath);
  assert.ok(socket.isSocket());
  assert.equal(socket.mode & 0o777, 0o600);
  assert.equal((await stat(join(confabd.unixPath, '..'))).mode & 0o777, 0o700);
  const where = { socketPath: confabd.unixPath };
  assert.equal((await fetchFrom(where, { headers: { Host: 'localhost' } })).status, 200);
});

test('a folder that a sandbox has made for the UNIX socket becomes private', async (t) => {
  const dir = await makeDir(t);
  await chmod(dir, 0o700);
  await mkdir(join(dir, 'confab'));
  await chmod(join(dir, 'confab'), 0o755);
  await startConfabd(t, BUILTIN, { env: { XDG_RUNTIME_DIR: dir } });
  assert.equal((await stat(join(dir, 'confab'))).mode & 0o777, 0o700);
});

test('--unix names another path, and an empty one means none', async (t) => {
  const dir = await makeDir(t);
  const path = join(dir, 'sub', 'socket');
  const confabd = await startConfabd(t, [...BUILTIN, '--unix', path]);
  assert.ok((await stat(path)).isSocket());
  await confabd.stop();
  assert.deepEqual(await readdir(join(dir, 'sub')), []);

  const without = await startConfabd(t, [...BUILTIN, '--unix', '']);
  await assert.rejects(stat(without.unixPath), { code: 'ENOENT' });
});

test('a socket left behind is replaced', async (t) => {
  const path = join(await makeDir(t), 'socket');
  const first = await spawnConfabd(['--port', '0', ...BUILTIN, '--unix', path]);
  await first.waitUntilListening();
  await first.end('SIGKILL');
  await first.removeHome();
  assert.ok((await stat(path)).isSocket());

  await startConfabd(t, [...BUILTIN, '--unix', path]);
  const where = { socketPath: path };
  assert.equal((await fetchFrom(where, { headers: { Host: 'localhost' } })).status, 200);
});

test('a socket that lives is left alone', async (t) => {
  const first = await startConfabd(t, BUILTIN);
  const second = await startConfabd(t, BUILTIN,
    { env: { XDG_RUNTIME_DIR: first.runtimeDir }, allow: [/No UNIX socket/] });
  assert.match(second.stderr, /No UNIX socket: Another server listens/);
  await second.stop();
  const where = { socketPath: first.unixPath };
  assert.equal((await fetchFrom(where, { headers: { Host: 'localhost' } })).status, 200);

  const asked = await run(['--port', '0', ...BUILTIN, '--unix', first.unixPath]);
  assert.equal(asked.code, 1);
  checkSentence(asked.stderr);
});

test('what is in the way of the socket stays', async (t) => {
  const path = join(await makeDir(t), 'file');
  await writeFile(path, 'mine');
  const { code, stderr } = await run(['--port', '0', ...BUILTIN, '--unix', path]);
  assert.equal(code, 1);
  checkSentence(stderr);
  assert.ok((await stat(path)).isFile());
});

for (const host of ['127.0.0.1', '::1'])
  test(`a port taken on ${host} is exit 1`, async (t) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address();
    const { code, stdout, stderr } = await run(['--port', String(port), ...BUILTIN]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    checkSentence(stderr);
    assert.match(stderr, new RegExp(`port ${port}`));
  });

const wrongUsage = [
  ['--nonsense'], ['leftover'], ['--port', 'x'], ['--port', '70000'], ['--bind', 'example.org'],
  ['--dev', '--bind', '192.0.2.1'], ['--dev', '--bind', '0.0.0.0'], ['--dev', '--bind', '::'],
  ['--provider', 'oracle'], ['--allow-origin', 'example.org'], ['--allow-origin', 'null'],
  ['--allow-host', 'http://example.org'], ['--base-url', 'nonsense'],
  ['--base-url', 'ftp://127.0.0.1/'],
  ['--provider', 'builtin', '--base-url', 'http://127.0.0.1/v1'],
];
for (const args of wrongUsage)
  test(`wrong usage is exit 2: ${args.join(' ')}`, async () => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    checkSentence(stderr);
  });

test('a key file open to others is exit 2', async (t) => {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'access'), '[access]\n', { mode: 0o644 });
  await chmod(join(dir, 'access'), 0o644);
  const { code, stderr } = await run(['--port', '0', ...BUILTIN, '--data-dir', dir]);
  assert.equal(code, 2);
  checkSentence(stderr);
  assert.match(stderr, /open to other users/);
  await rm(join(dir, 'access'));
  await symlink('/dev/zero', join(dir, 'access'));
  assert.equal((await run(['--port', '0', ...BUILTIN, '--data-dir', dir])).code, 2);
});

test('a data directory that cannot be made is exit 2', async (t) => {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'file'), '');
  const { code, stderr } = await run(
    ['--port', '0', ...BUILTIN, '--data-dir', join(dir, 'file/x')]);
  assert.equal(code, 2);
  checkSentence(stderr);
});

test('--version and --help', async () => {
  const version = await run(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^confabd \d+\.\d+\.\d+\n$/);
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const option of ['port', 'bind', 'unix', 'data-dir', 'in-memory', 'dev', 'no-realtime',
    'allow-origin', 'allow-host', 'provider', 'base-url', 'model', 'session', 'system', 'no-bus',
    'replace', 'verbose', 'version'])
    assert.match(help.stdout, new RegExp(`--${option}\\b`));
});

test('SIGTERM ends what runs, tells it, and exits 0 within 5 s', async (t) => {
  const { confabd, upstream } = await startWithRaw(t, 'slow:2000');
  const chats = [];
  for (const transports of [['websocket'], ['polling']]) {
    const chat = await connect(t, confabd, { transports });
    chat.reason = once(chat.socket, 'disconnect').then(([reason]) => reason);
    chat.ack = await chat.generate({ moduleId: transports[0], message: 'Go' });
    await chat.waitFor(() => chat.all('chunk').length >= 2);
    chats.push(chat);
  }
  const before = Date.now();
  await confabd.stop();
  assert.ok(Date.now() - before < EXIT_TIME, `${Date.now() - before} ms`);

  for (const chat of chats) {
    const { event, payload } = checkEvents(chat, chat.ack);
    assert.equal(event, 'error');
    assert.equal(payload.code, 'shutting-down');
    /* no DISCONNECT packet: stock clients shall come back */
    assert.match(await chat.reason, /^transport (close|error)$/);
  }
  const { requests } = await statsOf(upstream);
  assert.ok(requests.every(({ closedAfterMs }) => closedAfterMs !== null));
});

/* Wrappers such as timeout(1) signal a process and then its group. */
test('signals that come together are one, and lose nothing', async (t) => {
  const { confabd } = await startWithRaw(t, 'slow:2000');
  const chat = await connect(t, confabd, { transports: ['websocket'] });
  const ack = await chat.generate({ moduleId: 'm', message: 'Go' });
  await chat.waitFor(() => chat.all('chunk').length >= 2);
  confabd.process.kill('SIGINT');
  await confabd.stop();
  const { payload } = checkEvents(chat, ack);
  assert.equal(payload.code, 'shutting-down');
});

test('SIGINT ends it as well, idle clients or not', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  await connect(t, confabd, { transports: ['websocket'] });
  const silent = connectTcp(confabd.port, '127.0.0.1');
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  const before = Date.now();
  const { code, killed } = await confabd.end('SIGINT', EXIT_TIME);
  assert.deepEqual({ code, killed }, { code: 0, killed: false });
  assert.ok(Date.now() - before < EXIT_TIME);
  confabd.stop = () => confabd.removeHome();
});

test('stock clients come back to a new one', async (t) => {
  const port = String(await freePort());
  const first = await startConfabd(t, [...BUILTIN, '--dev', '--port', port]);
  const socket = open(t, first, { reconnection: true, reconnectionDelay: 50,
    transports: ['websocket'] });
  await once(socket, 'connect');
  const lost = once(socket, 'disconnect');
  await first.stop();
  await lost;
  const back = once(socket, 'connect');
  await startConfabd(t, [...BUILTIN, '--dev', '--port', port]);
  await back;
});

test('a second signal ends it at once', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  /* somebody who does not answer the close */
  const stubborn = connectTcp({ port: confabd.port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => stubborn.destroy());
  stubborn.write(`GET /api/socket/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${
    confabd.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`
    + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await once(stubborn, 'data');
  stubborn.pause();
  confabd.process.kill('SIGTERM');
  await waitFor(() => confabd.stderr.includes('Shutting down'));
  await sleep(600);
  const before = Date.now();
  await confabd.end('SIGTERM', EXIT_TIME);
  assert.ok(Date.now() - before < 1000, `${Date.now() - before} ms`);
  confabd.stop = () => confabd.removeHome();
});

test('--no-realtime serves pages and no Socket.IO', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--no-realtime', '--dev']);
  assert.equal((await fetchFrom(confabd)).status, 200);
  for (const path of ['/api/socket/?EIO=4&transport=polling',
    '/api/socket?EIO=4&transport=polling'])
    assert.equal((await fetchFrom(confabd, { path })).status, 404);
  const [error] = await once(open(t, confabd), 'connect_error');
  assert.ok(error);
});

test('--no-bus and --verbose are taken; the log goes to standard error', async (t) => {
  const confabd = await startConfabd(t, [...BUILTIN, '--no-bus', '--verbose']);
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'Hello' });
  await confabd.stop();
  assert.match(confabd.stdout, /^Listening on [^\n]*\n$/);
});

test('idle it needs less than 12 MB, and it listens within 100 ms', async (t) => {
  const instrumented = (await readFile(confabdPath())).includes('__asan_init');
  const times = [];
  let rss;
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    const confabd = await spawnConfabd(['--port', '0', ...BUILTIN]);
    await once(confabd.process.stdout, 'data');
    times.push(performance.now() - before);
    ({ rss } = await memoryOf(confabd.pid));
    await confabd.stop();
  }
  t.diagnostic(`listening after ${Math.min(...times).toFixed(0)} ms, ${
    (rss / MEGABYTE).toFixed(1)} MB resident`);
  if (instrumented)
    return;
  assert.ok(Math.min(...times) < 100, `${times}`);
  assert.ok(rss < 12 * MEGABYTE, `${rss}`);
});

test('readiness needs no token, and a free port is free', async (t) => {
  const port = await freePort();
  const confabd = await startConfabd(t, [...BUILTIN, '--port', String(port)]);
  assert.equal(confabd.port, port);
  const { status, text } = await fetchFrom(confabd, { path: '/readyz' });
  assert.deepEqual([status, text], [200, 'ok\n']);
});

test('it is alive, but not ready, while nobody could answer', async (t) => {
  const confabd = await startConfabd(t, [], {
    env: { OPENAI_BASE_URL: 'nonsense' }, allow: [/nonsense|OPENAI_BASE_URL/],
  });
  assert.equal((await fetchFrom(confabd, { path: '/healthz' })).status, 200);
  const { status, text } = await fetchFrom(confabd, { path: '/readyz' });
  assert.deepEqual([status, text], [503, 'no model is chosen yet\n']);
});
