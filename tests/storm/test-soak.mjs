// SPDX-License-Identifier: GPL-3.0-or-later
// Mixed traffic for a long time, with connections and streams cut at random: memory and file
// descriptors stay flat, and every generation has one end, which is kept as it was told. An hour
// with CONFAB_TEST_LONG, or CONFAB_SOAK_MINUTES.
import assert from 'node:assert/strict';
import test from 'node:test';

import { io } from 'socket.io-client';

import { startConfabd } from '../integration/lib/confabd.mjs';
import { fetchFrom } from '../integration/lib/http.mjs';
import { countFds, memoryOf, sleep, waitFor } from '../integration/lib/process.mjs';
import { ModelServer } from './lib/model-server.mjs';
import { MIB, isInstrumented, long } from './lib/storm.mjs';

const MINUTES = Number(process.env.CONFAB_SOAK_MINUTES ?? (long ? 60 : 0.35));
const CLIENTS = 12;
const MODULES = 24;
/* a module is deleted after so many answers, so that what is kept does not grow */
const ANSWERS_PER_MODULE = 12;
const CALL_TIMEOUT = 30000;

const ENDS = ['completed', 'stopped', 'failed', 'interrupted'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** Slope of a straight line through [x, y], by least squares. */
function slope(points) {
  const n = points.length;
  const mean = (k) => points.reduce((sum, point) => sum + point[k], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

class Soak {
  counts = { asked: 0, accepted: 0, refused: 0, stopped: 0, cuts: 0, resumes: 0, 'over HTTP': 0,
    'upstream faults': 0, deleted: 0, accounted: 0 };
  ends = {};
  /* what is asked in now; `asking`: requests that are not answered yet */
  #modules = [];
  #told = new Map();
  #names = 0;

  constructor(confabd, server) {
    this.confabd = confabd;
    this.server = server;
    this.until = Date.now() + MINUTES * 60000;
    this.#modules = Array.from({ length: MODULES }, () => this.#makeModule());
  }

  get isOver() {
    return Date.now() >= this.until;
  }

  #makeModule() {
    this.#names += 1;
    return { id: `soak-${this.#names}`, generations: new Set(), asking: 0 };
  }

  connect(i) {
    const socket = io(this.confabd.origin, { path: '/api/socket', forceNew: true,
      transports: [i % 4 === 0 ? 'polling' : 'websocket'], reconnectionDelay: 20,
      reconnectionDelayMax: 100 });
    const ended = ({ generationId, message = '' }) => {
      if (generationId === undefined)
        return;
      const before = this.#told.get(generationId);
      assert.ok(before === undefined || before === message, `${generationId} has two ends`);
      this.#told.set(generationId, message);
    };
    socket.on('ai:chat:complete', ended);
    socket.on('ai:chat:error', ended);
    return socket;
  }

  /* A call that may be cut: null then. */
  async #call(socket, event, payload) {
    try {
      return await socket.timeout(CALL_TIMEOUT).emitWithAck(event, payload);
    } catch {
      return null;
    }
  }

  async use(i) {
    const socket = this.connect(i);
    while (!this.isOver) {
      const module = pick(this.#modules);
      module.asking += 1;
      if (Math.random() < 0.1)
        await this.#askOverHttp(module);
      else
        await this.#ask(socket, module);
      module.asking -= 1;
      if (Math.random() < 0.15) {
        this.counts.cuts += 1;
        socket.io.engine?.close();
        await sleep(Math.random() * 100);
      }
    }
    socket.disconnect();
  }

  /* A call that is made again until it was let through and answered. */
  async #insist(socket, event, payload) {
    for (const end = Date.now() + 2 * CALL_TIMEOUT; Date.now() < end;) {
      const ack = await this.#call(socket, event, payload);
      if (ack && ack.code !== 'rate-limited')
        return ack;
      await sleep(ack?.retryAfterMs ?? 20);
    }
    throw new Error(`${event} gets no answer`);
  }

  async #ask(socket, module) {
    const { id } = module;
    this.counts.asked += 1;
    const ack = await this.#call(socket, 'ai:chat:generate',
      { moduleId: id, message: 'Hello!', requestId: `r${this.counts.asked}` });
    if (!ack)
      return;
    if (!ack.ok) {
      this.counts.refused += 1;
      assert.ok(['busy', 'rate-limited', 'unknown-module'].includes(ack.code), JSON.stringify(ack));
      await sleep(20);
      return;
    }
    this.#accept(module, ack.generationId);
    await sleep(Math.random() * 150);
    if (Math.random() < 0.2) {
      const stop = await this.#call(socket, 'ai:chat:stop', { moduleId: id });
      this.counts.stopped += Number(stop?.stopped > 0);
    }
    if (Math.random() < 0.3) {
      await this.#call(socket, 'ai:chat:resume', { moduleId: id, seq: 0 });
      this.counts.resumes += 1;
      await this.#call(socket, 'ai:chat:leave', { moduleId: id });
    }
  }

  #accept(module, generationId) {
    this.counts.accepted += 1;
    module.generations.add(generationId);
  }

  async #askOverHttp(module) {
    const { id } = module;
    this.counts.asked += 1;
    const answer = await fetch(`${this.confabd.origin}/api/call/ai:chat:generate`,
      { method: 'POST', body: JSON.stringify({ moduleId: id, message: 'Hello!' }) });
    const ack = await answer.json();
    if (!ack.ok) {
      this.counts.refused += 1;
      return;
    }
    this.counts['over HTTP'] += 1;
    this.#accept(module, ack.generationId);
    const stream = await fetch(`${this.confabd.origin}/api/chat/${id}/stream`);
    if (Math.random() < 0.5)
      await stream.body?.cancel();
    else
      await stream.text().catch(() => null);
  }

  /* Goes through the modules: holds every generation to what was told, and deletes the module. */
  async account(all) {
    const socket = this.connect(1);
    do {
      await sleep(100);
      for (let i = 0; i < MODULES; i += 1)
        if (all ? this.#modules[i].generations.size > 0
          : this.#modules[i].generations.size >= ANSWERS_PER_MODULE)
          await this.#accountFor(socket, i);
    } while (!all && !this.isOver);
    socket.disconnect();
  }

  async #accountFor(socket, i) {
    const module = this.#modules[i];
    const { id, generations } = module;
    // nobody asks there any more, once those have who do
    this.#modules[i] = this.#makeModule();
    await waitFor(() => module.asking === 0, { timeout: 60000, what: `the last to ask in ${id}` });
    await waitFor(async () => {
      const ack = await this.#insist(socket, 'ai:chat:resume', { moduleId: id });
      return ack.state === 'idle' || ENDS.includes(ack.state);
    }, { timeout: 60000, interval: 50, what: `the end of what runs in ${id}` });
    // as many at once as ask, or on a busy machine more would come than go
    const left = [...generations];
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop())
        await this.#checkEnd(socket, id, next);
    }));
    await this.#insist(socket, 'ai:chat:leave', { moduleId: id });
    const deleted = await this.#insist(socket, 'module:delete', { moduleId: id });
    assert.equal(deleted.ok, true, JSON.stringify(deleted));
    this.counts.deleted += 1;
  }

  async #checkEnd(socket, moduleId, generationId) {
    const ack = await this.#insist(socket, 'ai:chat:resume', { moduleId, generationId });
    assert.ok(ack.ok && ENDS.includes(ack.state), `${generationId}: ${JSON.stringify(ack)}`);
    const told = this.#told.get(generationId);
    assert.ok(told === undefined || told === (ack.message ?? ''),
      `${generationId} was told as “${told}”, and is kept as “${ack.message}”`);
    const end = ack.state === 'failed' ? ack.code : ack.state;
    this.ends[end] = (this.ends[end] ?? 0) + 1;
    this.counts.accounted += 1;
    this.#told.delete(generationId);
  }

  async disturb() {
    while (!this.isOver) {
      await sleep(500 + Math.random() * 2500);
      this.server.turn(pick(['reset', 'refuse', 'stall']));
      this.counts['upstream faults'] += 1;
      await sleep(50 + Math.random() * 200);
      this.server.turn('well');
    }
  }
}

/* the cut test is its short form */
const skip = !long && process.env.CONFAB_SOAK_MINUTES === undefined && 'takes an hour; --long';

const timeout = (MINUTES + 5) * 60000;

test(`mixed traffic for ${MINUTES} minutes`, { skip, timeout }, async (t) => {
  const server = await ModelServer.start(t);
  const confabd = await startConfabd(t, ['--dev'], { config: '[confab]\nprovider=mock\n'
    + '[providers/mock]\ntype=openai\nmodel=storm\nretries=1\nstall-timeout=2\n'
    + `base-url=${server.baseUrl}\n` });
  const fdsBefore = await countFds(confabd.pid);
  const soak = new Soak(confabd, server);
  const samples = [];
  const watch = async () => {
    while (!soak.isOver) {
      await sleep(Math.min(1000, MINUTES * 600));
      samples.push([(Date.now() - soak.until) / 3600000 + MINUTES / 60,
        (await memoryOf(confabd.pid)).rss / 1024, await countFds(confabd.pid)]);
    }
  };
  // when one of them fails, the others stop, and what failed is told at once
  await Promise.all([...Array.from({ length: CLIENTS }, (_, i) => soak.use(i)), soak.account(false),
    soak.disturb(), watch()].map((part) => part.finally(() => {
    soak.until = Math.min(soak.until, Date.now());
  })));
  server.turn('well');
  await soak.account(true);

  // what is allocated once is there after the first part
  const settled = samples.slice(Math.floor(samples.length / 3));
  const memory = slope(settled.map(([hour, rss]) => [hour, rss]));
  const fds = slope(settled.map(([hour, , n]) => [hour, n]));
  const grown = settled.at(-1)[1] - settled[0][1];
  t.diagnostic(`${MINUTES} minutes: ${Object.entries(soak.counts)
    .map(([what, n]) => `${n} ${what}`).join(', ')}; ends: ${JSON.stringify(soak.ends)}; memory `
    + `${(samples[0][1] / 1024).toFixed(1)} to ${(samples.at(-1)[1] / 1024).toFixed(1)} MiB, `
    + `slope ${memory.toFixed(0)} KiB/h; file descriptors ${samples[0][2]} to `
    + `${samples.at(-1)[2]}, slope ${fds.toFixed(1)}/h`);
  const step = Math.max(1, Math.floor(samples.length / 20));
  t.diagnostic(`memory from time to time, MiB: ${samples.filter((_, i) => i % step === 0)
    .map(([, rss]) => (rss / 1024).toFixed(1)).join(' ')}`);
  assert.equal(soak.counts.accounted, soak.counts.accepted);
  // over minutes the slope is noise, the growth is not
  assert.ok(await isInstrumented() || grown < 8 * 1024, `${(grown / 1024).toFixed(1)} MiB more`);
  // the heap grows by a MiB at once; what leaks with each answer is more than malloc's least block
  const perAnswer = memory * 1024 * (MINUTES / 60) / soak.counts.accepted;
  if (MINUTES >= 30)
    assert.ok(perAnswer < 24, `${perAnswer.toFixed(0)} bytes for each answer`);
  await waitFor(async () => await countFds(confabd.pid) <= fdsBefore + 2,
    { timeout: 60000, interval: 100, what: `${fdsBefore} file descriptors again` });
  assert.equal((await fetchFrom(confabd, { path: '/readyz' })).status, 200);
  assert.ok(samples.at(-1)[1] < 200 * MIB);
});
