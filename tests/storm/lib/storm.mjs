// SPDX-License-Identifier: GPL-3.0-or-later
// A confabd that is stormed while others use it: what it takes of memory and file descriptors, and
// whether those others are served meanwhile and everything is as before afterwards.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { checkEvents, connect, startWithRaw } from '../../integration/lib/chat.mjs';
import { confabdPath } from '../../integration/lib/confabd.mjs';
import { fetchFrom } from '../../integration/lib/http.mjs';
import { countFds, memoryOf, sleep, waitFor } from '../../integration/lib/process.mjs';

export const long = process.env.CONFAB_TEST_LONG !== undefined;
export const MIB = 1024 * 1024;

export const SAMPLE_MS = 100;
/* bytes: what has been asked meanwhile fills the store's cache, of 8 MiB, and less than 4 that are
 * free are left to malloc() */
const REMAINS = 12 * MIB;
const PATIENCE = { timeout: 60000, interval: 50 };

let instrumented;

/** Whether this is a sanitizer's build, which keeps what was freed: memory says nothing there. */
export async function isInstrumented() {
  instrumented ??= /__[at]san_init/.test((await readFile(confabdPath())).toString('latin1'));
  return instrumented;
}

export class Storm {
  peak = { rss: 0, fds: 0 };
  served = 0;
  slowest = 0;
  #clients = [];
  #over = false;

  /** Starts confabd with clients that go on asking, and takes its measure. */
  static async start(t, { clients = 3, behaviour = 'plain', ...options } = {}) {
    const self = new Storm();
    self.t = t;
    // GLib before 2.76 keeps slices that it once had, which would hide what confabd itself keeps
    Object.assign(self, await startWithRaw(t, behaviour, { ...options,
      args: ['--dev', '--allow-host', 'localhost', ...(options.args ?? [])],
      env: { G_SLICE: 'always-malloc', ...options.env } }));
    const chats = await Promise.all(Array.from({ length: clients },
      () => connect(t, self.confabd, { transports: ['websocket'] })));
    // what is made once is made by the first answers
    for (const chat of chats)
      await chat.ask({ moduleId: 'warm-up', message: 'Hello' }).catch(() => null);
    self.before = await self.measure();
    self.#clients = chats.map((chat, i) => self.#use(chat, i));
    self.#watch();
    // a test that fails before its weather leaves nobody behind
    t.after(() => {
      self.#over = true;
      self.#clients.forEach((client) => client.catch(() => {}));
    });
    return self;
  }

  async measure() {
    const { pid } = this.confabd;
    return { rss: (await memoryOf(pid)).rss, fds: await countFds(pid) };
  }

  get port() {
    return this.confabd.port;
  }

  /* Somebody who asks one thing after the other, and must get each answer whole. */
  async #use(chat, i) {
    for (let n = 0; !this.#over || n < 2; n += 1) {
      const asked = performance.now();
      const { ack, event } = await chat.ask({ moduleId: `healthy-${i}`, message: `Question ${n}` });
      assert.equal(event, 'complete');
      checkEvents(chat, ack);
      chat.log.length = 0;
      this.served += 1;
      this.slowest = Math.max(this.slowest, performance.now() - asked);
      await sleep(20);
    }
  }

  async #watch() {
    while (!this.#over) {
      const { rss, fds } = await this.measure().catch(() => this.peak);
      this.peak = { rss: Math.max(this.peak.rss, rss), fds: Math.max(this.peak.fds, fds) };
      await sleep(SAMPLE_MS);
    }
  }

  /**
   * The storm is over: checks that the others were served, what it took at most, and that nothing
   * of it remains.
   *
   * @param {object} counts what happened, to be printed
   * @param {number} bytes of memory that it may have taken at its height
   * @param {number} kept bytes of memory that it may still take some seconds later
   */
  async weather(counts, bytes = 32 * MIB, kept = REMAINS) {
    this.#over = true;
    await Promise.all(this.#clients);
    const grown = this.peak.rss - this.before.rss;
    // each client's connection to the model server is kept for a while
    const most = this.before.fds + this.#clients.length;
    await waitFor(async () => (await this.measure()).fds <= most,
      { ...PATIENCE, what: `at most ${most} file descriptors again` });
    // who is served again makes confabd look for what it can give back
    let remains = 0;
    const calmed = waitFor(async () => {
      remains = (await this.measure()).rss - this.before.rss;
      return remains < kept || isInstrumented();
    }, { timeout: 20000, interval: 500, what: 'memory to be given back' });
    const keeps = await calmed.then(() => false, () => true);
    this.t.diagnostic(`${this.t.name}: ${Object.entries(counts)
      .map(([what, n]) => `${n} ${what}`).join(', ')}; others got ${this.served} answers, the `
      + `slowest in ${this.slowest.toFixed(0)} ms; memory ${(this.before.rss / MIB).toFixed(1)}`
      + ` MiB + ${(grown / MIB).toFixed(1)} at most, ${(remains / MIB).toFixed(1)}`
      + ` afterwards; at most ${this.peak.fds} file descriptors`);
    assert.ok(await isInstrumented() || grown < bytes,
      `${(grown / MIB).toFixed(1)} MiB more at its height`);
    assert.equal(keeps, false, `${(remains / MIB).toFixed(1)} MiB more are kept`);

    assert.equal((await fetchFrom(this.confabd, { path: '/healthz' })).status, 200);
    assert.equal((await fetchFrom(this.confabd, { path: '/readyz' })).status, 200);
    const fresh = await connect(this.t, this.confabd);
    assert.equal((await fresh.ask({ moduleId: 'fresh', message: 'Hello' })).event, 'complete');
  }
}
