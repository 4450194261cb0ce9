// SPDX-License-Identifier: GPL-3.0-or-later
// One seed: pages, an upstream and a confabd, and what happens to them.
import { Audit } from './audit.mjs';
import { Daemon } from './daemon.mjs';
import { Wire } from './network.mjs';
import { Op } from './op.mjs';
import { Random } from './random.mjs';
import { Tab } from './tab.mjs';
import { Upstream } from './upstream.mjs';

/* How long anything may take that has to come: far more than it does on a busy machine. */
export const PATIENCE_MS = 30000;

/* Text so old was saved before a crash; once a second is the promise. */
export const SAVED_AFTER_MS = 2500;

const STEPS = {
  ask: 34, repeat: 6, regenerate: 8, branch: 8, stop: 7, cut: 9, cutLater: 9, reload: 6, newTab: 3,
  leave: 2, resume: 3, terminate: 4, kill: 5, strike: 4, wait: 12,
};

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export const newCounts = () => ({ connects: 0, recoveries: 0, wireCuts: 0, reloads: 0,
  kills: 0, terminations: 0,
  upstreamFaults: 0, upstreamRequests: 0, questions: 0, refusals: 0, retries: 0, repeats: 0,
  resumes: 0, stops: 0, switches: 0, events: 0, endEvents: 0, generations: 0, messages: 0,
  backwards: 0, completed: 0, stopped: 0, failed: 0, interrupted: 0 });

export class Run {
  counts = newCounts();
  failures = [];
  ops = [];
  stops = [];
  /* of confabd: {signal, at, lag}; lag: when this process itself was last kept waiting */
  deaths = [];
  /* generationId → {moduleId, reason, state, text, seen: [{at, length}], longest} */
  generations = new Map();
  /* userMessageId → the text of that question */
  questions = new Map();
  lines = [];
  #tabs = [];
  #wires = [];
  #started = Date.now();
  #lag = 0;
  #strikeAt = null;
  #path;

  constructor(path, seed, { clock, patience = PATIENCE_MS } = {}) {
    this.patience = patience;
    this.#path = path;
    this.seed = seed;
    this.clock = clock;
    this.random = new Random(seed, 'steps');
    const { random } = this;
    this.isSlow = random.chance(0.06);
    this.retries = random.int(0, 1);
    this.queue = random.chance(0.4);
    this.maxRunning = random.pick([1, 2, 1000]);
    this.chunkInterval = random.pick([0, 0, 0, 15]);
    this.modules = Array.from({ length: random.int(1, 3) }, (_, i) => `m${i}`);
    this.upstream = new Upstream(seed, this.isSlow);
  }

  log(line) {
    this.lines.push(`${String(Date.now() - this.#started).padStart(6)} ${line}`);
  }

  fail(what) {
    this.log(`WRONG: ${what}`);
    this.failures.push(what);
  }

  #settings() {
    return `[confab]\nprovider=mock\nqueue=${this.queue}\nmax-running=${this.maxRunning}\n`
      + `chunk-interval=${this.chunkInterval}\n\n[providers/mock]\ntype=openai\nmodel=cut\n`
      + `base-url=${this.upstream.baseUrl}\nretries=${this.retries}\nstall-timeout=1\n`;
  }

  async #prepare() {
    await this.upstream.start();
    this.daemon = new Daemon(this.#path, {
      settings: this.#settings(),
      allowHosts: () => this.#wires.map((wire) => `127.0.0.1:${wire.port}`),
      env: this.clock ? { LD_PRELOAD: this.clock } : {},
    });
    await this.daemon.prepare();
    for (let i = 0; i < 4; i += 1) {
      const wire = new Wire(this.daemon.port);
      await wire.start();
      this.#wires.push(wire);
    }
    await this.daemon.start();
    for (let i = this.random.int(1, 3); i > 0; i -= 1)
      this.#addTab();
  }

  #addTab() {
    if (this.#tabs.length === this.#wires.length)
      return;
    const name = `tab${this.#tabs.length}`;
    const tab = new Tab(this, name, this.#wires[this.#tabs.length],
      new Random(this.seed, 'tab', name));
    this.#tabs.push(tab);
    for (const moduleId of this.modules)
      if (this.random.chance(0.6))
        tab.following.add(moduleId);
    tab.open();
  }

  /** Runs it all; never throws for what confabd does wrong. */
  async go() {
    const timer = setInterval(() => this.#feelLag(), 100);
    this.#lastTick = Date.now();
    try {
      await this.#prepare();
      const n = this.isSlow ? this.random.int(6, 10) : this.random.int(15, 35);
      for (let i = 0; i < n && this.failures.length === 0; i += 1)
        await this.#step();
      if (this.failures.length === 0)
        await this.#settle();
      if (this.failures.length === 0)
        await new Audit(this, this.#tabs).check();
    } catch (error) {
      this.fail(`${error.stack}`);
    } finally {
      clearInterval(timer);
      this.#tabs.forEach((tab) => tab.close());
      this.upstream.stop();
      this.#wires.forEach((wire) => wire.stop());
      await this.daemon?.remove();
    }
    this.daemon?.complaints.forEach((complaint) => this.fail(complaint));
    this.counts.upstreamRequests = this.upstream.requests.length;
    this.counts.upstreamFaults =
      this.upstream.requests.filter(({ ending }) => ending !== 'whole').length;
    this.counts.stops = this.stops.length;
  }

  #lastTick = 0;

  /* A machine that keeps us waiting keeps confabd waiting too. */
  #feelLag() {
    const now = Date.now();
    if (now - this.#lastTick > 400)
      this.#lag = now;
    this.#lastTick = now;
  }

  async #step() {
    const { random } = this;
    const step = random.weighted(STEPS);
    const tab = random.pick(this.#tabs);
    const moduleId = random.pick(this.modules);
    const pause = random.pick([0, 0, 2, 10, 30, 60, 120]);
    this.log(`step ${step} ${tab.name} ${moduleId}`);
    await this[`_${step}`](tab, moduleId);
    await sleep(pause);
  }

  _ask(tab, moduleId) {
    const { random } = this;
    const number = this.ops.length + 1;
    const payload = { moduleId, message: `[q${number}] ${random.pick(['Why?', 'Wörter 🌍', '"'])}`,
      ...(random.chance(0.85) ? { requestId: `r${number}` } : {}),
      ...(random.chance(0.4) ? { userMessageId: `u${number}` } : {}) };
    const op = new Op(this, number, 'ai:chat:generate', payload);
    this.ops.push(op);
    this.counts.questions += 1;
    tab.ask(op);
    if (payload.requestId && random.chance(0.15))
      random.pick(this.#tabs).ask(op);
  }

  _regenerate(tab, moduleId) {
    const number = this.ops.length + 1;
    const payload = { moduleId, requestId: `r${number}`,
      ...(this.random.chance(0.5) ? { message: `[q${number}] Anew` } : {}) };
    const op = new Op(this, number, 'ai:chat:regenerate', payload);
    this.ops.push(op);
    this.counts.questions += 1;
    tab.ask(op);
  }

  _branch(tab, moduleId) {
    const answers = this.ops.filter((op) => op.moduleId === moduleId && op.ack);
    if (answers.length > 0)
      tab.branch(moduleId, this.random.pick(answers).ack.messageId);
  }

  /* A page that had its ack, and asks the same again. */
  _repeat(tab) {
    const known = this.ops.filter((op) => op.payload.requestId);
    if (known.length > 0)
      tab.ask(this.random.pick(known));
  }

  _stop(tab, moduleId) {
    tab.stop(moduleId, this.random.chance(0.6));
  }

  _cut(tab) {
    this.counts.wireCuts += 1;
    this.#wires[this.#tabs.indexOf(tab)].cut();
  }

  _cutLater(tab) {
    this.counts.wireCuts += 1;
    this.#wires[this.#tabs.indexOf(tab)].cutAfter(this.random.int(1, 4000));
  }

  _reload(tab) {
    this.counts.reloads += 1;
    tab.reload(this.random.chance(0.5));
  }

  _newTab() {
    this.#addTab();
  }

  _leave(tab, moduleId) {
    tab.leave(moduleId);
  }

  _resume(tab, moduleId) {
    tab.resume(moduleId);
  }

  async _wait() {
    await sleep(this.isSlow && this.random.chance(0.5) ? SAVED_AFTER_MS + 700
      : this.random.int(20, 250));
  }

  async _terminate() {
    this.counts.terminations += 1;
    this.deaths.push({ signal: 'SIGTERM', at: Date.now() });
    await this.daemon.end('SIGTERM');
    await sleep(this.random.int(0, 30));
    await this.daemon.start();
  }

  async _kill() {
    this.counts.kills += 1;
    /* after a lag of ours it is not known what was due */
    this.deaths.push({ signal: 'SIGKILL', at: Date.now(), lag: this.#lag });
    await this.daemon.end('SIGKILL');
    await sleep(this.random.int(0, 30));
    await this.daemon.start();
  }

  /* The crash comes in the very moment in which a page hears of something: what it heard holds. */
  async _strike(tab, moduleId) {
    this.#strikeAt = this.random.pick(['ack', 'ack', 'started', 'chunk', 'end', 'end']);
    this.log(`strikes at ${this.#strikeAt}`);
    this._ask(tab, moduleId);
    for (let i = 0; i < 40 && this.#strikeAt; i += 1)
      await sleep(10);
    this.#strikeAt = null;
    await this._kill();
  }

  /** Pages tell what they hear before they look at it. */
  notice(what) {
    if (what !== this.#strikeAt)
      return;
    this.#strikeAt = null;
    this.log('strikes');
    this.daemon.strike();
  }

  /** Waits for what has to become true. */
  async until(condition, describe) {
    const end = Date.now() + this.patience;
    for (;;) {
      const result = await condition();
      if (result || this.failures.length > 0)
        return result;
      if (Date.now() > end) {
        this.fail(`hangs: ${describe()}`);
        return null;
      }
      await sleep(15);
    }
  }

  /* Nothing happens any more, and every page gets to the end of what it knows. */
  async #settle() {
    this.log('nothing more happens');
    /* a cut that is still to come comes now */
    this.#wires.forEach((wire) => wire.cut());
    /* pages need a moment to notice */
    await sleep(120);
    await this.until(() => this.#tabs.every((tab) => tab.isSettled),
      () => this.#tabs.map((tab) => tab.describe()).join('\n'));
    if (this.failures.length > 0)
      return;

    /* whoever follows a module by now hears of what another page asks there */
    const moduleId = this.random.pick(this.modules);
    this._ask(this.#tabs[0], moduleId);
    const op = this.ops.at(-1);
    const hasHeard = (tab) => !tab.follows(moduleId) || tab.views.get(op.ack.generationId)?.end;
    await this.until(() => this.#tabs.every((tab) => tab.isSettled)
      && (op.refused || op.isUncertain || (op.ack && this.#tabs.every(hasHeard))),
    () => `not all have heard of ${op.name}:\n${this.#tabs.map((tab) => tab.describe())
      .join('\n')}`);
  }

  /* What pages report. */

  knows(generationId, moduleId) {
    if (!this.generations.has(generationId))
      this.generations.set(generationId, { moduleId, seen: [], longest: '' });
    return this.generations.get(generationId);
  }

  question({ userMessageId, message }) {
    const known = this.questions.get(userMessageId);
    if (known !== undefined && known !== message)
      this.fail(`question ${userMessageId} is “${known}” and “${message}”`);
    this.questions.set(userMessageId, message);
  }

  /** What pages have seen of an answer; one text, of which each has a part. */
  saw({ generationId, moduleId, text }) {
    const generation = this.knows(generationId, moduleId);
    const { longest } = generation;
    if (!longest.startsWith(text) && !text.startsWith(longest)) {
      this.fail(`${generationId} is “${longest}” here and “${text}” there`);
      return;
    }
    if (text.length > longest.length) {
      generation.longest = text;
      generation.seen.push({ at: Date.now(), length: text.length });
    }
  }

  /** An end that somebody was told: it is the same for everybody, and for ever. */
  ended({ generationId, moduleId, text }, reason, state, who) {
    const generation = this.knows(generationId, moduleId);
    if (generation.reason === undefined)
      Object.assign(generation, { reason, text });
    else if (generation.reason !== reason || generation.text !== text)
      this.fail(`${who}: ${generationId} ended ${generation.reason} “${generation.text}”, and `
        + `${reason} “${text}”`);
    generation.state ??= state;
    if (state && generation.state !== state)
      this.fail(`${who}: ${generationId} is ${generation.state}, and ${state}`);
  }
}
