// SPDX-License-Identifier: GPL-3.0-or-later
// One page that chats: the stock client, and what a careful page does with it. It knows each
// answer from events and acks alone, resumes after every connect, and repeats what has no ack yet.
// All that the contract forbids it reports at once.
import { io } from 'socket.io-client';

const RETRY_LATER = new Set(['shutting-down']);
const END_STATES = new Set(['completed', 'stopped', 'failed', 'interrupted']);

/** What one page knows of one answer. */
class View {
  text = '';
  reasoning = '';
  seq = 0;
  end = null;

  constructor(generationId, moduleId) {
    this.generationId = generationId;
    this.moduleId = moduleId;
  }

  append(kind, text, seq) {
    this[kind] += text;
    this.seq = seq;
  }
}

/** What holds for one connection: whom it follows, and what it has been told. */
class Link {
  /* modules whose resume was acknowledged */
  modules = new Set();
  /* those that may be followed, or left, by a call whose ack was lost before a recovery */
  asked = new Set();
  leaving = new Set();
  /* generationId → {moduleId, started, ended, stopped} */
  live = new Map();
}

export class Tab {
  views = new Map();
  /* what waits for its ack */
  ops = new Set();
  following = new Set();
  /* resumes on their way */
  resuming = 0;
  #run;
  #wire;
  #random;
  #transports;
  #link = new Link();

  constructor(run, name, wire, random) {
    this.#run = run;
    this.name = name;
    this.#wire = wire;
    this.#random = random;
    wire.onCut = () => this.#wireWasCut();
    this.#transports = random.pick([['websocket'], ['websocket'], ['polling'],
      ['polling', 'websocket']]);
  }

  #fail(what) {
    this.#run.fail(`${this.name}: ${what}`);
  }

  open() {
    const socket = io(`http://127.0.0.1:${this.#wire.port}`, {
      path: '/api/socket', transports: this.#transports, forceNew: true, timeout: 5000,
      reconnectionDelay: 10, reconnectionDelayMax: 40, randomizationFactor: 0,
    });
    this.socket = socket;
    socket.on('connect', () => this.#connected(socket));
    socket.on('disconnect', (reason) => this.#run.log(`${this.name} disconnect: ${reason}`));
    for (const event of ['started', 'chunk', 'reasoning', 'complete', 'error', 'resync'])
      socket.on(`ai:chat:${event}`, (payload) => {
        if (this.socket === socket)
          this.#heard(event, payload);
      });
  }

  close() {
    this.socket?.disconnect();
    this.socket = null;
  }

  /*
   * Under Node the client's polling misses a connection that breaks within a response, and would
   * wait for the next ping; a browser notices at once.
   */
  #wireWasCut() {
    const engine = this.socket?.io.engine;
    setTimeout(() => {
      if (this.socket?.io.engine === engine && engine?.transport?.name === 'polling'
          && engine.readyState !== 'closed') {
        this.#run.log(`${this.name} gives up its polling`);
        engine.transport.onError('xhr poll error');
      }
    }, 80);
  }

  /** A page reloaded: what has no ack is not repeated; what it knew is kept, or forgotten. */
  reload(keeps) {
    this.close();
    for (const op of this.ops)
      op.abandonedBy(this);
    this.ops.clear();
    this.resuming = 0;
    if (!keeps)
      this.views.clear();
    this.open();
  }

  get isSettled() {
    return this.socket.connected && this.resuming === 0 && this.ops.size === 0
      && [...this.views.values()].every((view) => view.end);
  }

  /** Whether it was told that it hears of all that goes on in a module. */
  follows(moduleId) {
    return this.#link.modules.has(moduleId);
  }

  /** For people who wonder why it does not settle. */
  describe() {
    const open = [...this.views.values()].filter((view) => !view.end);
    return `${this.name}: connected=${this.socket.connected} resuming=${this.resuming} `
      + `unanswered=[${[...this.ops].map((op) => op.name)}] `
      + `unended=[${open.map((view) => `${view.generationId}@${view.seq}`)}]`;
  }

  #connected(socket) {
    if (this.socket !== socket)
      return;
    this.#run.log(`${this.name} connect${socket.recovered ? ' (recovered)' : ''}`);
    this.#run.counts.connects += 1;
    if (socket.recovered)
      this.#run.counts.recoveries += 1;
    else
      this.#link = new Link();
    this.#link.leaving.forEach((moduleId) => this.#left(moduleId));
    this.resuming = 0;
    const modules = new Set(this.following);
    for (const view of this.views.values())
      if (!view.end)
        modules.add(view.moduleId);
    for (const op of this.ops) {
      if (!op.payload.requestId) {
        /* nobody can know what became of it */
        op.abandonedBy(this);
        this.ops.delete(op);
        modules.add(op.moduleId);
      }
    }
    const resumeFirst = this.#random.chance(0.5);
    if (resumeFirst)
      modules.forEach((moduleId) => this.resume(moduleId));
    for (const op of this.ops) {
      this.#run.counts.retries += 1;
      this.#send(op);
    }
    if (!resumeFirst)
      modules.forEach((moduleId) => this.resume(moduleId));
  }

  #emit(event, payload, then) {
    const { socket } = this;
    const link = this.#link;
    this.#run.log(`${this.name} → ${event} ${JSON.stringify(payload)}`);
    link.asked.add(payload.moduleId);
    socket.emit(event, payload, (ack) => {
      this.#run.log(`${this.name} ack ${event} ${JSON.stringify(ack)}`);
      if (this.socket === socket && this.#link === link)
        then(ack);
    });
  }

  /** Asks for every answer of the module that has no end here, and then for the newest. */
  resume(moduleId) {
    this.following.add(moduleId);
    if (!this.socket.connected)
      return;
    for (const view of this.views.values())
      if (view.moduleId === moduleId && !view.end)
        this.#resumeOne({ moduleId, generationId: view.generationId,
          ...(this.#random.chance(0.7) ? { seq: view.seq } : {}) });
    this.#resumeOne({ moduleId });
  }

  #resumeOne(payload) {
    const known = this.views.get(payload.generationId);
    const before = known && { text: known.text, reasoning: known.reasoning };
    this.resuming += 1;
    this.#run.counts.resumes += 1;
    this.#emit('ai:chat:resume', payload, (ack) => {
      this.resuming -= 1;
      if (!ack.ok) {
        if (ack.code === 'unknown-generation')
          this.#fail(`${payload.generationId} is not known any more`);
        else if (ack.code !== 'shutting-down')
          this.#fail(`resume refused: ${JSON.stringify(ack)}`);
        return;
      }
      this.#link.modules.add(payload.moduleId);
      if (ack.generationId)
        this.#take(payload.moduleId, ack, payload.seq, before);
      if (ack.active)
        this.#take(payload.moduleId, { state: 'streaming', ...ack.active });
    });
  }

  /* What an ack says of an answer: all up to its seq. */
  #take(moduleId, ack, afterSeq = 0, before = { text: '', reasoning: '' }) {
    const { generationId } = ack;
    const view = this.#view(generationId, moduleId);
    const now = { ...before };
    let seq = afterSeq;
    if (ack.chunks) {
      for (const { chunk, kind, seq: last, fromSeq = last } of ack.chunks) {
        if (fromSeq !== seq + 1)
          this.#fail(`${generationId}: replay goes from ${seq} to ${fromSeq}`);
        now[kind] += chunk;
        seq = last;
      }
      if (seq !== ack.seq)
        this.#fail(`${generationId}: replay ends at ${seq}, not at ${ack.seq}`);
    } else {
      now.text = ack.text;
      now.reasoning = ack.reasoning;
    }
    if (ack.message !== undefined && ack.message !== now.text)
      this.#fail(`${generationId}: the ack's message is not its text`);

    const followed = this.#link.live.has(generationId) && !this.#link.live.get(generationId).ended;
    if (followed && !END_STATES.has(ack.state) && ack.seq < view.seq)
      this.#fail(`${generationId}: the cut ${ack.seq} is behind ${view.seq}`);
    Object.assign(view, now, { seq: ack.seq });
    this.#run.saw(view);
    if (END_STATES.has(ack.state)) {
      if (this.#link.live.has(generationId))
        this.#link.live.get(generationId).ended = true;
      this.#ended(view, ack.finishReason ?? ack.code, ack.state);
    } else
      this.#follow(generationId, moduleId, ack.state);
  }

  #view(generationId, moduleId) {
    if (!this.views.has(generationId)) {
      this.views.set(generationId, new View(generationId, moduleId));
      this.#run.knows(generationId, moduleId);
    }
    return this.views.get(generationId);
  }

  #follow(generationId, moduleId, state) {
    if (!this.#link.live.has(generationId))
      this.#link.live.set(generationId, { moduleId, started: state === 'streaming', ended: false });
  }

  #ended(view, reason, state) {
    view.end = { reason, text: view.text };
    this.#run.ended(view, reason, state, this.name);
  }

  /** Generates or regenerates, until there is an ack. */
  ask(op) {
    this.ops.add(op);
    op.sentBy(this);
    if (this.socket.connected)
      this.#send(op);
  }

  #send(op) {
    op.sends += 1;
    this.#emit(op.event, op.payload, (ack) => {
      if (!ack.ok && RETRY_LATER.has(ack.code))
        return;
      this.ops.delete(op);
      this.#run.notice('ack');
      op.answered(this, ack);
      if (!ack.ok)
        return;
      if (ack.seq !== undefined)
        this.#take(op.moduleId, ack);
      else {
        if (this.#link.live.get(ack.generationId)?.started)
          this.#fail(`${ack.generationId} started before its ack`);
        this.#view(ack.generationId, op.moduleId);
        this.#follow(ack.generationId, op.moduleId, ack.state);
      }
    });
  }

  stop(moduleId, one) {
    const open = [...this.#link.live].filter(([, live]) => live.moduleId === moduleId
      && live.started && !live.ended);
    const generationId = one && open.length > 0 ? open[0][0] : undefined;
    if (!this.socket.connected)
      return;
    this.#run.stops.push({ moduleId, generationId });
    this.#emit('ai:chat:stop', { moduleId, ...(generationId ? { generationId } : {}) }, (ack) => {
      if (ack.ok && generationId && this.#link.live.has(generationId))
        this.#link.live.get(generationId).stopped = true;
    });
  }

  /** Makes the branch of a message visible, be it the one that is or another. */
  branch(moduleId, messageId) {
    if (!this.socket.connected)
      return;
    this.#emit('ai:chat:branch', { moduleId, messageId }, (ack) => {
      this.#run.counts.switches += ack.ok ? 1 : 0;
      if (!ack.ok && !['busy', 'shutting-down'].includes(ack.code))
        this.#fail(`${messageId} cannot be gone to: ${JSON.stringify(ack)}`);
    });
  }

  leave(moduleId) {
    if (!this.socket.connected || this.resuming > 0
      || [...this.ops].some((op) => op.moduleId === moduleId))
      return;
    this.following.delete(moduleId);
    this.#link.leaving.add(moduleId);
    this.#emit('ai:chat:leave', { moduleId }, () => {
      this.#link.asked.delete(moduleId);
      this.#left(moduleId);
    });
  }

  #left(moduleId) {
    /* what was asked since is acknowledged later */
    this.#link.leaving.delete(moduleId);
    this.#link.modules.delete(moduleId);
    for (const [generationId, live] of this.#link.live)
      if (live.moduleId === moduleId)
        this.#link.live.delete(generationId);
    for (const [generationId, view] of this.views)
      if (view.moduleId === moduleId && !view.end)
        this.views.delete(generationId);
  }

  /** Whether confabd may know of a call whose ack this page will never see. */
  #mayFollow(moduleId) {
    return this.socket.recovered && this.#link.asked.has(moduleId);
  }

  #heard(event, payload) {
    const { generationId, moduleId } = payload;
    this.#run.log(`${this.name} ← ${event} ${JSON.stringify(payload)}`);
    this.#run.counts.events += 1;
    this.#run.notice(event === 'complete' || event === 'error' ? 'end' : event);
    if (!generationId) {
      this.#fail(`an end of nothing: ${JSON.stringify(payload)}`);
      return;
    }
    if (event === 'started') {
      this.#heardStart(payload);
      return;
    }
    if (event === 'resync') {
      this.resume(moduleId);
      return;
    }

    const view = this.views.get(generationId);
    const live = this.#link.live.get(generationId);
    const isOld = this.socket.recovered && view && (view.end || payload.seq <= view.seq);
    if (isOld && !live?.ended)
      return;
    /* what its lost ack said comes with the next one */
    if (!live && this.#mayFollow(moduleId))
      return;
    if (!view || !live)
      this.#fail(`${event} of ${generationId}, which it does not follow`);
    else if (live.ended)
      this.#fail(`${event} of ${generationId} after its end`);
    else if (event === 'chunk' || event === 'reasoning')
      this.#heardDelta(event, payload, view, live);
    else
      this.#heardEnd(event, payload, view, live);
  }

  #heardStart({ generationId, moduleId, userMessageId, messageId, parentId, message }) {
    const { live, modules } = this.#link;
    const mine = live.get(generationId);
    if (!mine && !modules.has(moduleId) && !this.#mayFollow(moduleId))
      this.#fail(`started of ${generationId}, which it does not follow`);
    if (mine?.started)
      this.#fail(`${generationId} started twice`);
    for (const [other, { moduleId: where, started, ended }] of live)
      if (where === moduleId && other !== generationId && started && !ended)
        this.#fail(`${generationId} started before the end of ${other}`);
    this.#run.question({ userMessageId, messageId, parentId, message, generationId, moduleId });
    const view = this.#view(generationId, moduleId);
    if (view.seq > 0)
      this.#fail(`${generationId} started at ${view.seq}`);
    this.#follow(generationId, moduleId, 'connecting');
    live.get(generationId).started = true;
  }

  #heardDelta(event, { chunk, seq, fromSeq = seq, generationId }, view, live) {
    if (fromSeq !== view.seq + 1)
      this.#fail(`${generationId}: from seq ${view.seq} to ${fromSeq}`);
    if (live.stopped)
      this.#fail(`${generationId}: a chunk after the ack of stop`);
    view.append(event === 'chunk' ? 'text' : 'reasoning', chunk, seq);
    this.#run.saw(view);
  }

  #heardEnd(event, payload, view, live) {
    live.ended = true;
    this.#run.counts.endEvents += 1;
    if ((payload.message ?? '') !== view.text)
      this.#fail(`${view.generationId} ends with other text than its chunks`);
    this.#ended(view, event === 'complete' ? payload.finishReason : payload.code);
  }
}
