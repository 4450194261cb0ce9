// SPDX-License-Identifier: GPL-3.0-or-later
// What has to hold when everything is over: of what is kept, of what pages were told, and of what
// the upstream was asked.
import { once } from 'node:events';
import { io } from 'socket.io-client';

import { SAVED_AFTER_MS } from './run.mjs';
import { MARK, TAG } from './upstream.mjs';

const END_STATES = ['completed', 'stopped', 'failed', 'interrupted'];

/* Of these all that was written arrives before the end does. */
const ARRIVES = new Set(['whole', 'truncated', 'cut', 'stall', 'error']);

/* How long after a crash a page may still be told what had left before it. */
const IN_FLIGHT_MS = 2000;

const tagsOf = (text) => [...text.matchAll(TAG)].map(([, tag]) => tag);
const tagOf = (text) => tagsOf(text)[0] ?? null;

export class Audit {
  #run;
  #tabs;
  #socket;

  constructor(run, tabs) {
    this.#run = run;
    this.#tabs = tabs;
  }

  #fail(what) {
    this.#run.fail(what);
  }

  async check() {
    const run = this.#run;
    await this.#connect();
    await this.#waitForEnds();
    if (run.failures.length > 0)
      return;
    for (const moduleId of run.modules)
      await this.#switch(moduleId);
    const before = await this.#readAll();
    this.#socket.disconnect();
    this.#tabs.forEach((tab) => tab.close());

    await this.#checkRepeats();
    if (run.failures.length > 0)
      return;
    this.#checkHistories(before.histories);
    for (const [generationId, ack] of before.generations)
      this.#checkGeneration(generationId, ack);
    this.#checkRequests(before.generations);
    await this.#checkThatItStays(before);
  }

  async #connect() {
    this.#socket = io(`http://127.0.0.1:${this.#run.daemon.port}`, { path: '/api/socket',
      transports: ['websocket'], forceNew: true, reconnection: false });
    await Promise.race([once(this.#socket, 'connect'), once(this.#socket, 'connect_error')
      .then(([error]) => { throw error; })]);
  }

  #call(event, payload) {
    return this.#socket.timeout(20000).emitWithAck(event, payload);
  }

  /* Modules in which something goes on that no page knows of. */
  async #waitForEnds() {
    for (const moduleId of this.#run.modules) {
      let ack;
      await this.#run.until(async () => {
        ack = await this.#call('ai:chat:resume', { moduleId });
        return ack.state === 'idle' || END_STATES.includes(ack.state);
      }, () => `${moduleId} does not end: ${JSON.stringify(ack)}`);
      if (ack.generationId)
        this.#run.knows(ack.generationId, moduleId);
    }
  }

  /* To any answer that was accepted: now that nothing runs, nothing keeps it from that. */
  async #switch(moduleId) {
    const answers = this.#run.ops.filter((op) => op.moduleId === moduleId && op.ack);
    if (answers.length === 0)
      return;
    const { messageId } = this.#run.random.pick(answers).ack;
    const ack = await this.#call('ai:chat:branch', { moduleId, messageId });
    if (ack.ok)
      this.#run.counts.switches += 1;
    else
      this.#fail(`${messageId} cannot be gone to: ${JSON.stringify(ack)}`);
  }

  async #history(moduleId) {
    const all = [];
    for (;;) {
      const { ok, code, messages, more } = await this.#call('ai:chat:history',
        { moduleId, limit: 7, ...(all.length > 0 ? { before: all[0].messageId } : {}) });
      if (!ok && code === 'unknown-module')
        return all;
      all.unshift(...messages);
      if (!more)
        return all;
    }
  }

  async #readAll() {
    const run = this.#run;
    const histories = new Map();
    for (const moduleId of run.modules) {
      const messages = await this.#history(moduleId);
      histories.set(moduleId, messages);
      const { headId } = await this.#call('ai:chat:resume', { moduleId });
      if (messages.length > 0 && headId !== messages.at(-1).messageId)
        this.#fail(`${moduleId}: ${headId} is told as the end of ${messages.at(-1).messageId}`);
      for (const { role, messageId, content, generationId } of messages)
        if (role === 'user')
          run.question({ userMessageId: messageId, message: content });
        else
          run.knows(generationId, moduleId);
    }
    const generations = new Map();
    for (const [generationId, { moduleId }] of run.generations)
      generations.set(generationId,
        await this.#call('ai:chat:resume', { moduleId, generationId, seq: 0 }));
    return { histories, generations };
  }

  #isModuleRegenerated(moduleId) {
    return this.#run.ops.some((op) => op.moduleId === moduleId
      && op.event === 'ai:chat:regenerate' && (op.ack || op.isUncertain));
  }

  #checkHistories(histories) {
    const run = this.#run;
    for (const [moduleId, messages] of histories) {
      run.counts.messages += messages.length;
      const tags = [];
      messages.forEach((message, i) => {
        const { messageId, parentId, role, content, state, generationId, createdAt } = message;
        if (createdAt < messages[i - 1]?.createdAt)
          run.counts.backwards += 1;
        if (parentId !== (messages[i - 1]?.messageId ?? null))
          this.#fail(`${moduleId}: ${messageId} does not follow the one before it`);
        if (role !== (i % 2 === 0 ? 'user' : 'assistant'))
          this.#fail(`${moduleId}: ${messageId} is of ${role}`);
        if (role === 'user')
          tags.push(tagOf(content));
        else {
          const known = run.generations.get(generationId);
          if (!END_STATES.includes(state))
            this.#fail(`${moduleId}: ${messageId} is ${state} for ever`);
          if (known.text !== undefined && known.text !== content)
            this.#fail(`${messageId} was told as “${known.text}”, kept as “${content}”`);
        }
      });
      if (new Set(tags).size !== tags.length)
        this.#fail(`${moduleId}: a question is there twice: ${tags}`);
      if (this.#isModuleRegenerated(moduleId))
        continue;
      for (const op of run.ops)
        if (op.moduleId === moduleId && op.ack && !tags.includes(op.tag))
          this.#fail(`${op.name} was accepted and is lost`);
    }
    for (const op of run.ops)
      if (op.ack && op.tag) {
        const text = run.questions.get(op.ack.userMessageId);
        if (text !== undefined && text !== op.payload.message)
          this.#fail(`${op.name} is kept as “${text}”`);
      }
  }

  /* A request that was accepted is known for good, and starts nothing. */
  async #checkRepeats() {
    const run = this.#run;
    const before = run.upstream.requests.length;
    await this.#connect();
    for (const op of run.ops) {
      if (!op.ack || !op.payload.requestId)
        continue;
      const ack = await this.#call(op.event, op.payload);
      run.counts.repeats += 1;
      const told = run.generations.get(op.ack.generationId);
      if (!ack.ok || ack.generationId !== op.ack.generationId || ack.seq === undefined)
        this.#fail(`${op.name} was ${op.ack.generationId}, asked again ${JSON.stringify(ack)}`);
      else if (ack.userMessageId !== op.ack.userMessageId || ack.messageId !== op.ack.messageId)
        this.#fail(`${op.name} has other messages now: ${JSON.stringify(ack)}`);
      else if (!END_STATES.includes(ack.state))
        this.#fail(`${op.name}, asked again, is ${ack.state}`);
      else if (told.text !== undefined && ack.message !== told.text)
        this.#fail(`${op.name} ended “${told.text}”, asked again “${ack.message}”`);
      const other = op.payload.message && await this.#call(op.event,
        { ...op.payload, message: `${op.payload.message} else` });
      if (other && other.code !== 'invalid-request')
        this.#fail(`${op.name} with other words: ${JSON.stringify(other)}`);
    }
    this.#socket.disconnect();
    if (run.upstream.requests.length !== before)
      this.#fail('the upstream was asked for what had been answered');
  }

  #tagOfGeneration(ack) {
    const op = this.#run.ops.find((one) => one.ack?.generationId === ack.generationId);
    return op?.tag ?? tagOf(this.#run.questions.get(ack.userMessageId) ?? '');
  }

  #requestOf(ack) {
    const mark = MARK.exec(ack.message)?.[1];
    if (mark !== undefined)
      return this.#run.upstream.requests[mark - 1];
    /* without a mark the last one, if the question was asked once only */
    const tag = this.#tagOfGeneration(ack);
    return tag !== null && this.#possible(tag) === 1
      ? this.#run.upstream.of(tag).at(-1) : undefined;
  }

  /* How many generations at most may have answered the question of this tag. */
  #possible(tag) {
    const { ops, questions } = this.#run;
    return ops.filter((op) => {
      if (op.tag)
        return op.tag === tag && (op.ack || op.isUncertain);
      if (op.ack) {
        const text = questions.get(op.ack.userMessageId);
        return text === undefined || tagOf(text) === tag;
      }
      return op.isUncertain && op.moduleId === ops[tag - 1]?.moduleId;
    }).length;
  }

  #checkGeneration(generationId, ack) {
    const run = this.#run;
    const known = run.generations.get(generationId);
    const name = `${generationId} (${ack.state}, ${ack.finishReason ?? ack.code})`;
    run.counts.generations += 1;
    if (!ack.ok || !END_STATES.includes(ack.state)) {
      this.#fail(`${generationId} has no end: ${JSON.stringify(ack)}`);
      return;
    }
    run.counts[ack.state] += 1;
    run.ended({ generationId, moduleId: known.moduleId, text: ack.message },
      ack.finishReason ?? ack.code, ack.state, 'afterwards');

    const request = this.#requestOf(ack);
    if (ack.message !== '' && !request) {
      this.#fail(`${name}: nobody sent “${ack.message}”`);
      return;
    }
    if (request) {
      const tag = this.#tagOfGeneration(ack);
      if (tag !== null && request.tag !== tag)
        this.#fail(`${name}: the answer to another question`);
      if (!request.text.startsWith(ack.message))
        this.#fail(`${name}: “${ack.message}” is not what was sent: “${request.text}”`);
    }
    this.#checkState(name, ack, known, request);
    this.#checkSeen(name, ack, known);
  }

  #wasStopped({ generationId }, { moduleId }) {
    return this.#run.stops.some((stop) => stop.moduleId === moduleId
      && (!stop.generationId || stop.generationId === generationId));
  }

  #checkState(name, ack, known, request) {
    const { deaths } = this.#run;
    const ending = request?.ending;
    const isWhole = request && request.text === ack.message;
    switch (ack.state) {
      case 'completed':
        if (ending !== 'whole' || !isWhole)
          this.#fail(`${name}: the upstream’s ${ending} “${request?.text}”`);
        break;
      case 'failed':
        if (request && (ending === 'whole' || (ARRIVES.has(ending) && !isWhole)))
          this.#fail(`${name} “${ack.message}”: the upstream’s ${ending} “${request.text}”`);
        if (['internal', 'storage', 'interrupted', 'shutting-down'].includes(ack.code))
          this.#fail(`${name}: that is no fault of the upstream’s`);
        break;
      case 'stopped':
        if (!this.#wasStopped(ack, known))
          this.#fail(`${name}: nobody stopped it`);
        break;
      default:
        if (!deaths.some(({ signal }) => signal === 'SIGKILL') && ack.code === 'interrupted')
          this.#fail(`${name}: nothing crashed`);
        if (deaths.length === 0)
          this.#fail(`${name}: nothing came between`);
        break;
    }
  }

  /* What somebody has seen stays, but for the last second before a crash. */
  #checkSeen(name, ack, known) {
    let due = known.longest;
    if (ack.code === 'interrupted') {
      const last = known.seen.at(-1)?.at ?? 0;
      /* what was on the wire still arrives after it */
      const death = this.#run.deaths.find(({ at, signal }) => signal === 'SIGKILL'
        && at >= last - IN_FLIGHT_MS);
      const before = death ? death.at - SAVED_AFTER_MS : 0;
      const old = known.seen.filter(({ at }) => at <= before);
      due = death && death.lag < before - 500 ? due.slice(0, old.at(-1)?.length ?? 0) : '';
    }
    if (!ack.message.startsWith(due))
      this.#fail(`${name}: “${due}” was seen, “${ack.message}” is kept`);
  }

  /* No question is put to the upstream more often than it was asked, but for what is tried again
     before any output. Where a kept connection breaks without an answer, HTTP itself asks on
     another one. */
  #checkRequests(generations) {
    const run = this.#run;
    const marks = [...generations.values()].map(({ message = '' }) => MARK.exec(message)?.[1])
      .filter((mark) => mark !== undefined);
    if (new Set(marks).size !== marks.length)
      this.#fail('two answers of one request');
    for (const tag of new Set(run.upstream.requests.map((request) => request.tag))) {
      const requests = run.upstream.of(tag);
      const possible = this.#possible(tag);
      const withOutput = requests.filter(({ text, reasoning }) => text + reasoning !== '');
      /* a reset takes what was on the wire: that may never have been seen */
      const finished = withOutput.filter(({ state, ending }) =>
        state === 'done' && ending !== 'reset');
      if (possible === 0)
        this.#fail(`question ${tag} was answered, and is not accepted`);
      const answered = requests.filter(({ ending }) => ending !== 'dropped');
      if (finished.length > possible)
        run.log(JSON.stringify(requests.map(({ prompt, ...rest }) => rest)));
      if (finished.length > possible || answered.length > possible * (1 + run.retries))
        this.#fail(`question ${tag} was run more often than asked: ${requests.length} requests, `
          + `${withOutput.length} with output, for ${possible}`);
      for (const { prompt } of requests) {
        const tags = prompt.filter(({ role }) => role === 'user')
          .flatMap(({ content }) => tagsOf(content));
        if (new Set(tags).size !== tags.length)
          this.#fail(`question ${tag} came with a question twice: ${tags}`);
      }
    }
  }

  /* All that was told is on disk: a crash changes nothing of it. */
  async #checkThatItStays(before) {
    const { daemon, failures } = this.#run;
    if (failures.length > 0)
      return;
    await daemon.end('SIGKILL');
    await daemon.start();
    await this.#connect();
    const after = await this.#readAll();
    this.#socket.disconnect();
    for (const what of ['histories', 'generations'])
      for (const [id, value] of before[what]) {
        const [was, is] = [value, after[what].get(id)].map((one) => JSON.stringify(one,
          (key, inner) => (['chunks', 'text', 'reasoning'].includes(key) ? undefined : inner)));
        if (was !== is)
          this.#fail(`after a crash ${id} is ${is}, and was ${was}`);
      }
    await daemon.end('SIGTERM');
  }
}
