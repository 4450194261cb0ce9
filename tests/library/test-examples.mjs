// SPDX-License-Identifier: GPL-3.0-or-later
// The programs of the documentation and the chats of tests/examples, in every language, built and
// run against the library as it is installed and driven by stock clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { io } from 'socket.io-client';

import { waitFor } from '../integration/lib/process.mjs';
import { Stage } from './lib/stage.mjs';

const ROOT = process.env.CONFAB_SOURCE_ROOT;
const TROUBLE = /^.*(?:ERROR|runtime error|CRITICAL|WARNING|Traceback).*$/m;
const ENDINGS = { c: 'c', python: 'py', gjs: 'js', vala: 'vala' };
const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const PATIENCE = 10000;

const stage = await Stage.make();
after(() => stage.remove());

async function serve(t, command) {
  const server = await stage.start(command);
  t.after(async () => {
    await server.end();
    assert.doesNotMatch(server.stderr, TROUBLE);
  });
  return server;
}

function connect(t, server, transports) {
  const socket = io(server.url, { transports, reconnection: false, forceNew: true });
  socket.heard = [];
  socket.onAny((event, ...args) => socket.heard.push([event, ...args]));
  t.after(() => socket.close());
  return socket;
}

const ask = (socket, ...args) => socket.timeout(PATIENCE).emitWithAck(...args);
const hears = (socket, ...event) => waitFor(
  () => socket.heard.some((heard) => JSON.stringify(heard) === JSON.stringify(event)),
  { timeout: PATIENCE, what: `${JSON.stringify(event)} among ${JSON.stringify(socket.heard)}` });

/** The first program of a language in the text, but for the client at its head. */
function programOf(text, language) {
  const fence = { c: 'c', python: 'python', gjs: 'js', vala: 'vala' }[language];
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, name, code]) => name === fence && !code.includes('socket.io-client'));
  assert.equal(blocks.length, 1, `one program for ${language}`);
  return blocks[0][2];
}

for (const language of stage.languages) {
  describe(`getting started in ${language}`, async () => {
    const text = await readFile(join(ROOT, 'docs/socketio/getting-started.md'), 'utf8');
    const source = join(stage.dir, `hello.${ENDINGS[language]}`);
    await writeFile(source, programOf(text, language));
    const command = await stage.build(language, source, `hello-${language}`);

    for (const transports of TRANSPORTS) {
      test(`greets over ${transports.join(' and ')}`, async (t) => {
        const server = await serve(t, command);
        const socket = connect(t, server, transports);
        await once(socket, 'connect');
        await hears(socket, 'welcome', socket.id);
        assert.equal(await ask(socket, 'hello', 'Ada'), 'Hello, Ada!');
        assert.equal(await ask(socket, 'hello'), 'Hello, stranger!');
        const { id } = socket;
        socket.close();
        await server.waitForOutput(new RegExp(`^${id} left: client namespace disconnect$`, 'm'));
      });
    }
  });

  describe(`chat in ${language}`, async () => {
    const source = join(ROOT, 'tests/examples', `chat.${ENDINGS[language]}`);
    const command = await stage.build(language, source, `chat-${language}`);

    test('tells who comes, what is said, who types and who goes', async (t) => {
      const server = await serve(t, command);
      const ada = connect(t, server, ['polling']);
      const ben = connect(t, server, ['websocket']);
      const eve = connect(t, server, ['polling', 'websocket']);
      assert.deepEqual(await ask(ada, 'join', { name: 'Ada', room: 'one' }),
        { ok: true, members: ['Ada'] });
      const joined = await ask(ben, 'join', { name: 'Ben', room: 'one' });
      assert.deepEqual({ ...joined, members: joined.members.sort() },
        { ok: true, members: ['Ada', 'Ben'] });
      assert.deepEqual(await ask(eve, 'join', { name: 'Ada', room: 'two' }),
        { ok: true, members: ['Ada'] });
      await hears(ada, 'joined', { name: 'Ben' });

      assert.deepEqual(await ask(ada, 'say', 'Grüße 😀'), { ok: true });
      await hears(ben, 'said', { from: 'Ada', text: 'Grüße 😀' });
      ben.emit('typing');
      await hears(ada, 'typing', { from: 'Ben' });
      ben.close();
      await hears(ada, 'left', { name: 'Ben' });

      // whoever speaks does not hear it, and nothing crosses into another room
      assert.ok(!ada.heard.some(([event]) => event === 'said'));
      assert.deepEqual(eve.heard, []);
    });

    test('refuses with a sentence', async (t) => {
      const server = await serve(t, command);
      const ada = connect(t, server, ['websocket']);
      const needed = { ok: false, error: 'A name and a room are needed' };
      for (const wish of [[], [null], ['Ada'], [{ name: 'Ada' }], [{ room: 'one' }],
        [{ name: '', room: 'one' }], [{ name: 'Ada', room: '' }], [{ name: 1, room: 'one' }],
        [{ name: {}, room: [] }], [{ name: 'x'.repeat(33), room: 'one' }]])
        assert.deepEqual(await ask(ada, 'join', ...wish), needed, JSON.stringify(wish));
      assert.equal((await ask(ada, 'say', 'Hello?')).error, 'Join a room, then say a text');
      ada.emit('typing');

      assert.equal((await ask(ada, 'join', { name: 'ä'.repeat(32), room: 'one' })).ok, true);
      assert.equal((await ask(ada, 'join', { name: 'Ada', room: 'two' })).error,
        'You are in a room already');
      for (const text of [[], [null], [1], [['text']]])
        assert.equal((await ask(ada, 'say', ...text)).error, 'Join a room, then say a text');
      const ben = connect(t, server, ['websocket']);
      assert.equal((await ask(ben, 'join', { name: 'ä'.repeat(32), room: 'one' })).error,
        'That name is taken');
    });
  });
}
