// SPDX-License-Identifier: GPL-3.0-or-later
// Streams over HTTP in numbers: readers that are slow, stuck or gone cost nobody anything, and
// nothing of them remains.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import test, { before } from 'node:test';

import { startWithRaw, statsOf } from './lib/chat.mjs';
import { confabdPath } from './lib/confabd.mjs';
import { countFds, memoryOf, waitFor } from './lib/process.mjs';
import {
  ask, call, post, readAnswer, readEvents, readUntil, userMessage,
} from './lib/ui-stream.mjs';

const long = process.env.CONFAB_TEST_LONG !== undefined;
const MIB = 1024 * 1024;

/* a sanitizer's build keeps what was freed for a while, so that memory says nothing there */
let instrumented;

before(async () => {
  instrumented = (await readFile(confabdPath())).includes('__asan_init');
});

const submit = (id, messageId, text = 'Hello') =>
  ({ id, messages: [userMessage(messageId, text)], trigger: 'submit-message' });

/** The response to a GET on the UNIX socket, whose buffers are small; nothing of it is read. */
function openStuck(t, confabd, path) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: confabd.unixPath, path, agent: false,
      headers: { Host: 'localhost' } }, (response) => {
      response.pause();
      resolve(response);
    });
    outgoing.on('error', reject);
    t.after(() => outgoing.destroy());
    outgoing.end();
  });
}

test('stuck readers hold back nobody, cost no memory, and miss nothing', async (t) => {
  const count = long ? 500 : 150;
  /* 3 MB of text, and time to open all readers before its end */
  const { confabd } = await startWithRaw(t, `flood:100:30000:${long ? 20000 : 3000}`,
    { args: ['--dev', '--allow-host', 'localhost'] });
  /* what one such answer takes for itself */
  await ask(confabd, submit('w', 'q0'));
  const healthy = post(confabd, '/api/chat', submit('m', 'q1')).then(readAnswer);
  await waitFor(async () => (await fetch(`${confabd.origin}/api/chat/m/stream`)
    .then(async (response) => { await response.body?.cancel(); return response.status; })) === 200);

  const before = await memoryOf(confabd.pid);
  const stuck = await Promise.all(Array.from({ length: count },
    () => openStuck(t, confabd, '/api/chat/m/stream')));
  assert.ok(stuck.every(({ statusCode }) => statusCode === 200));

  const answer = await healthy;
  assert.equal(answer.end, 'finish');
  const { messages } = await call(confabd, 'ai:chat:history', { moduleId: 'm' });
  assert.equal(answer.text, messages.at(-1).content);

  const after = await memoryOf(confabd.pid);
  const each = (after.rss - before.rss) / count;
  t.diagnostic(`${count} stuck readers of ${(answer.text.length / MIB).toFixed(1)} MiB: `
    + `${(each / 1024).toFixed(0)} KiB each`);
  /* what is on its way is one chunk; the text itself is there once */
  assert.ok(instrumented || each < 256 * 1024, `${each} bytes each`);

  /* those who read on get all of it, in order */
  for (const response of stuck.slice(0, 5)) {
    let text = '';
    for await (const piece of response.setEncoding('utf8'))
      text += piece;
    const deltas = [...text.matchAll(/^data: (\{"type":"text-delta".*)$/gm)]
      .map(([, json]) => JSON.parse(json).delta);
    assert.equal(deltas.join(''), answer.text);
    assert.ok(deltas.length > 10, 'in pieces');
    assert.match(text, /data: \[DONE\]\n\n$/);
  }
});

test('of streams that were read, left or cut off nothing remains', async (t) => {
  const rounds = long ? 50 : 12;
  const { upstream, confabd } = await startWithRaw(t, 'paced:6:5', { args: ['--dev'] });
  const modules = Array.from({ length: 20 }, (_, i) => `m${i}`);
  let requests = 0;

  const oneRound = (round) => Promise.all(modules.map(async (id, i) => {
    const first = await post(confabd, '/api/chat', submit(id, `q${round}`));
    assert.equal(first.status, 200);
    requests += 2;
    const again = await fetch(`${confabd.origin}/api/chat/${id}/stream`);
    if (again.status === 204)
      await again.text();
    else if (i % 2 === 0)
      await readAnswer(again);
    else
      await again.body.cancel();

    if (i % 3 === 0)
      await readUntil(first, ({ type }) => type === 'text-delta');
    else if (i % 3 === 1)
      await first.body.cancel();
    else
      await readAnswer(first);
    await waitFor(async () =>
      (await call(confabd, 'ai:chat:history', { moduleId: id, limit: 1 })).messages[0].state
        === 'completed', { timeout: 20000, what: 'the answer' });
  }));

  await oneRound('warm-up');
  const fds = await countFds(confabd.pid);
  for (let round = 0; round < rounds / 2; round += 1)
    await oneRound(round);
  const middle = await memoryOf(confabd.pid);
  for (let round = Math.ceil(rounds / 2); round < rounds; round += 1)
    await oneRound(round);
  const after = await memoryOf(confabd.pid);

  /* connections to the model server that nobody needs are kept for 30 s, and the warm-up may have
   * had use for fewer */
  await waitFor(async () => await countFds(confabd.pid) <= fds, { timeout: 60000,
    what: `${fds} fds again` });
  t.diagnostic(`${requests} streams: ${((after.rss - middle.rss) / 1024).toFixed(0)} KiB more in `
    + 'their second half');
  assert.ok(instrumented || after.rss - middle.rss < 4 * MIB);
  /* a client that went took no answer with it */
  const posted = (await statsOf(upstream)).requests.filter(({ method }) => method === 'POST');
  assert.equal(posted.length, (rounds + 1) * modules.length);
});

test('a silent stream shows that it is alive, and drops who is gone', { skip: !long },
  async (t) => {
    const { confabd } = await startWithRaw(t, 'stall', { args: ['--dev'] });
    const first = await post(confabd, '/api/chat', submit('m', 'q1'));
    for await (const { comment } of readEvents(first))
      if (comment)
        break;
    const fds = await countFds(confabd.pid);
    const second = await fetch(`${confabd.origin}/api/chat/m/stream`);
    await second.body.cancel();
    await waitFor(async () => await countFds(confabd.pid) < fds, { timeout: 60000,
      what: 'the connections of those who went are closed' });
    await call(confabd, 'ai:chat:stop', { moduleId: 'm' });
  });

test('a reader that takes nothing for a minute is given up', { skip: !long }, async (t) => {
  const { confabd } = await startWithRaw(t, 'flood:100:30000:1',
    { args: ['--dev', '--allow-host', 'localhost'] });
  await ask(confabd, submit('m', 'q1'));
  const healthy = post(confabd, '/api/chat', submit('m', 'q2')).then(readAnswer);
  const stuck = await waitFor(async () => {
    const response = await openStuck(t, confabd, '/api/chat/m/stream');
    return response.statusCode === 200 && response;
  });
  await healthy;
  /* others come and go as well, so the fds alone would not tell */
  const given = 'confab_slow_clients_lost_total{transport="sse"} 1';
  const metrics = async () => (await fetch(`${confabd.origin}/metrics`)).text();
  assert.ok(!(await metrics()).includes(given));
  await waitFor(async () => (await metrics()).includes(given), { timeout: 100000, interval: 500,
    what: 'it is given up' });
  await waitFor(async () => (await metrics()).includes('confab_connections{transport="sse"} 0'),
    { what: 'its connection is closed' });
  stuck.destroy();
});
