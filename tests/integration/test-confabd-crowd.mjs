// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of sessions and modules among so many clients that telling all takes many turns. In which
// order confabd sent what is seen by the offsets that connection state recovery adds to each event:
// they count all events of all clients, and those who are sent one in the same turn share it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';

import { connect, startWithRaw } from './lib/chat.mjs';

const N_FOLLOWERS = 400;
const N_MODULES = 60;
const N_STREAMS = 6;
/** Enough for the answers not to end before the changes are told. */
const ANSWER = 'paced:20000:1';
const OPTIONS = { transports: ['websocket'], reconnection: true, reconnectionDelay: 20,
  randomizationFactor: 0 };
const MODULES = Array.from({ length: N_MODULES }, (_, i) => `n${i}`);

/** A client that keeps the newest state of each module, and every `[moduleId, title, offset]`. */
async function follow(t, confabd) {
  const chat = await connect(t, confabd, OPTIONS);
  const follower = { chat, newest: new Map(), frames: [] };
  chat.socket.on('module:changed', (module, offset) => {
    follower.newest.set(module.moduleId, module);
    follower.frames.push([module.moduleId, module.title, Number(offset)]);
  });
  return follower;
}

async function followAll(t, confabd, n) {
  const followers = [];
  while (followers.length < n)
    followers.push(...await Promise.all(Array.from({ length: Math.min(50, n - followers.length) },
      () => follow(t, confabd))));
  return followers;
}

const updateAll = (chat, title) => Promise.all(MODULES.map((moduleId) =>
  chat.call('module:update', { moduleId, title })));

const hasTitle = (title) => ({ newest }) =>
  MODULES.every((moduleId) => newest.get(moduleId)?.title === title);

/** A confabd with modules that all have the title "Old", and many who have heard of that. */
async function startCrowd(t) {
  const { confabd } = await startWithRaw(t, ANSWER);
  const asker = await connect(t, confabd, { transports: ['websocket'] });
  await asker.call('session:create', { sessionId: 's' });
  for (const moduleId of MODULES)
    await asker.call('module:create', { sessionId: 's', moduleId, title: 'Made' });
  const followers = await followAll(t, confabd, N_FOLLOWERS);
  await updateAll(asker, 'Old');
  await asker.waitFor(() => followers.every(hasTitle('Old')), 'the state to start from');
  return { confabd, asker, followers };
}

test('the tokens of answers pass between the changes for many', async (t) => {
  const { confabd, asker, followers } = await startCrowd(t);
  const tokens = [];
  asker.socket.on('ai:chat:chunk', (payload, offset) => tokens.push(Number(offset)));
  for (let i = 0; i < N_STREAMS; i += 1)
    await asker.generate({ moduleId: `stream${i}`, message: 'Hello' });
  await asker.waitFor(() => tokens.length > 100, 'answers that run');
  await updateAll(asker, 'New');
  const amid = await follow(t, confabd);
  await updateAll(asker, 'Newest');
  await asker.waitFor(() => followers.every(hasTitle('Newest')), 'the newest state for all');
  const last = tokens.length;
  await asker.waitFor(() => tokens.length > last + 10, 'answers that run still');

  const times = new Map();
  for (const { frames } of followers)
    for (const [moduleId, title, offset] of frames.filter((frame) => frame[1] !== 'Old')) {
      const key = `${moduleId} ${title}`;
      times.set(key, [...times.get(key) ?? [], offset]);
    }
  let parted = 0;
  for (const moduleId of MODULES) {
    const offsets = times.get(`${moduleId} Newest`);
    const [first, end] = [Math.min(...offsets), Math.max(...offsets)];
    /* none is told more often than there were changes, and what answers did to other modules */
    assert.ok(offsets.length < 3 * followers.length, `${offsets.length} frames of ${moduleId}`);
    /* a turn serves 120 at most, with a single change, and fewer with more */
    assert.ok(new Set(offsets).size >= followers.length / 120, 'no turn serves more');
    parted += tokens.some((offset) => offset > first && offset < end) ? 1 : 0;
  }
  assert.ok(parted > 0, 'no token between the first and the last frame of any change');

  /* who came in the midst reads what there is, and is told what comes then */
  const { modules } = await amid.chat.call('module:list', { sessionId: 's', limit: 200 });
  for (const { moduleId, title } of modules)
    assert.equal(amid.newest.get(moduleId)?.title ?? title, 'Newest');
  for (let i = 0; i < N_STREAMS; i += 1)
    await asker.call('ai:chat:stop', { moduleId: `stream${i}` });
});

test('whose connection breaks in the midst of that misses no change', async (t) => {
  const { asker, followers } = await startCrowd(t);
  const cut = followers.filter((_, i) => i % 4 === 0);
  const back = [];
  let broken = 0;
  /* the first that hears of it breaks the wires of others, with what is on them */
  const breakSome = () => {
    for (const follower of cut.splice(0, 25)) {
      broken += hasTitle('New')(follower) ? 0 : 1;
      back.push(once(follower.chat.socket, 'connect').then(() =>
        assert.equal(follower.chat.socket.recovered, true)));
      follower.chat.socket.io.engine.transport.ws._socket.destroy();
    }
  };
  for (const { chat } of followers)
    chat.socket.on('module:changed', ({ title }) => title === 'New' && breakSome());
  await updateAll(asker, 'New');
  await asker.waitFor(() => cut.length === 0, 'all wires that are to break');
  await Promise.all(back);
  await asker.waitFor(() => followers.every(hasTitle('New')), 'the newest state for all');
  assert.ok(broken > 0, 'some had not heard all');

  /* and nobody hears of an older state after a newer one */
  const age = (title) => ['New', 'Old', 'Made'].indexOf(title);
  for (const { frames } of followers)
    for (const moduleId of MODULES) {
      const ages = frames.filter(([id]) => id === moduleId).map(([, title]) => age(title));
      assert.deepEqual(ages, ages.toSorted().reverse(), moduleId);
    }
});

test('those who leave in the midst of that keep no change from those who stay', async (t) => {
  const { asker, followers } = await startCrowd(t);
  const staying = followers.slice(N_FOLLOWERS / 2);
  const leaving = followers.slice(0, N_FOLLOWERS / 2);
  for (let n = 0; leaving.length > 0; n += 1) {
    const updated = updateAll(asker, `Title ${n}`);
    leaving.splice(-20).forEach(({ chat }) => chat.socket.disconnect());
    await updated;
  }
  await updateAll(asker, 'Last');
  await asker.waitFor(() => staying.every(hasTitle('Last')), 'the newest state, with all who stay');
});
