// SPDX-License-Identifier: GPL-3.0-or-later
// One conversation, kept in step with Confab: what was said, what is being said, and what still has
// to be asked. It knows no React.
import { CallError, type Connection } from "./connection.js";
import { HttpFollower } from "./http-follower.js";
import { makeId } from "./id.js";
import {
  findQuestion,
  fromWire,
  isRunning,
  mergeNewest,
  questionOf,
  withPending,
  type ChatMessage,
} from "./messages.js";
import { Outbox, type Pending } from "./outbox.js";
import {
  isEnded,
  type Ack,
  type ChunkEvent,
  type CompleteEvent,
  type ErrorEvent,
  type FinishReason,
  type GenerateAck,
  type GenerationState,
  type Module,
  type ResumeAck,
  type StartedEvent,
  type Usage,
} from "./protocol.js";

export type ChatStatus = "loading" | "ready" | "submitted" | "streaming" | "error";

export interface ChatError {
  message: string;
  code: string;
}

export interface ChatSnapshot {
  /** The visible branch, without the answer that is being written. */
  messages: ChatMessage[];
  status: ChatStatus;
  /** Why the last request was refused, or how the last answer failed. */
  error: ChatError | null;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** The conversation was deleted. */
  isDeleted: boolean;
}

/** The answer that is being written. */
export interface StreamSnapshot {
  messageId: string | null;
  generationId: string | null;
  text: string;
  reasoning: string;
}

export const NO_CHAT: ChatSnapshot = Object.freeze({
  messages: [],
  status: "loading",
  error: null,
  hasMore: false,
  isLoadingMore: false,
  isDeleted: false,
});

export const NO_STREAM: StreamSnapshot = Object.freeze({
  messageId: null,
  generationId: null,
  text: "",
  reasoning: "",
});

export interface RunningAnswer extends StreamSnapshot {
  messageId: string;
  generationId: string;
  /** The last that is in it; -1 if it came without numbers. */
  seq: number;
}

export interface Ending {
  message?: string;
  state: GenerationState;
  finishReason?: FinishReason | null;
  usage?: Usage | null;
  model?: string | null;
  error?: ChatError | null;
}

const PAGE = 50;
/** As long as a screen shows one picture: what comes faster is shown together. */
const FRAME_MS = 16;
const RETRY_MS = 1000;
const MAX_RETRY_MS = 15000;
const MAX_REFUSALS = 5;
/** Refusals that pass by themselves. */
const PASSING = new Set(["rate-limited", "shutting-down"]);
/** Ends that are nobody's fault up there: Confab itself went away. */
const INTERRUPTIONS = new Set(["interrupted", "shutting-down"]);

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Chat {
  readonly moduleId: string;
  /** Where a new module is made. */
  sessionId: string | undefined;

  private readonly connection: Connection;
  private readonly outbox: Outbox;
  private readonly http: HttpFollower;

  private log: ChatMessage[] = [];
  private run: RunningAnswer | null = null;
  private loaded = false;
  private hasMore = false;
  private loadingMore = false;
  private deleted = false;
  private error: ChatError | null = null;

  private snapshot: ChatSnapshot = NO_CHAT;
  private stream: StreamSnapshot = NO_STREAM;
  private listeners = new Set<() => void>();
  private streamListeners = new Set<() => void>();
  private streamTimer: ReturnType<typeof setTimeout> | undefined;

  private detach: (() => void) | undefined;
  /** How Confab was reached when we last looked. */
  private way: "socket" | "http" | null = null;
  /** Counts connections; what was asked on an older one is no longer waited for. */
  private era = 0;
  private pumping = false;
  private resuming = false;
  private stopping = false;
  private waiters = new Map<string, (accepted: boolean) => void>();

  constructor(connection: Connection, moduleId: string, sessionId?: string) {
    this.connection = connection;
    this.moduleId = moduleId;
    this.sessionId = sessionId;
    this.outbox = new Outbox(`${connection.options.url ?? ""}:${moduleId}`);
    this.http = new HttpFollower(this, connection);
    this.update();
  }

  getSnapshot = (): ChatSnapshot => this.snapshot;
  getStream = (): StreamSnapshot => this.stream;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  subscribeToStream(listener: () => void): () => void {
    this.streamListeners.add(listener);
    return () => this.streamListeners.delete(listener);
  }

  /** Begins to follow. */
  start() {
    const { socket } = this.connection;
    const forUs =
      <E extends { moduleId?: string }>(handle: (event: E) => void) =>
      (event: E) => {
        if (event?.moduleId === this.moduleId)
          handle(event);
      };
    const handlers = {
      "ai:chat:started": forUs<StartedEvent>((event) => this.handleStarted(event)),
      "ai:chat:chunk": forUs<ChunkEvent>((event) => this.handleChunk(event, "text")),
      "ai:chat:reasoning": forUs<ChunkEvent>((event) => this.handleChunk(event, "reasoning")),
      "ai:chat:complete": forUs<CompleteEvent>((event) => this.handleComplete(event)),
      "ai:chat:error": forUs<ErrorEvent>((event) => this.handleError(event)),
      "ai:chat:resync": forUs(() => void this.resume()),
      "module:changed": forUs<Module | { moduleId: string; deleted: true }>((event) => {
        if ("deleted" in event)
          this.handleDeleted();
      }),
    };
    for (const [name, handler] of Object.entries(handlers))
      socket.on(name as keyof typeof handlers, handler as never);
    const unsubscribe = this.connection.subscribe(this.handleConnection);
    this.detach = () => {
      unsubscribe();
      this.http.stop();
      for (const [name, handler] of Object.entries(handlers))
        socket.off(name as keyof typeof handlers, handler as never);
    };
    this.way = null;
    this.handleConnection();
  }

  /** Follows no longer. */
  end() {
    this.detach?.();
    this.detach = undefined;
    this.era++;
    clearTimeout(this.streamTimer);
    if (!this.connection.isHttp)
      this.connection.call("ai:chat:leave", { moduleId: this.moduleId }).catch(() => {});
  }

  /**
   * Asks. The question is in `messages` at once, and is sent when there is a connection, again and
   * again until Confab has decided. Returns whether it was accepted.
   */
  send(content: string): Promise<boolean> {
    if (!content.trim())
      return Promise.resolve(false);
    return this.ask({
      kind: "generate",
      requestId: makeId(),
      userMessageId: makeId(),
      content,
      createdAt: Date.now(),
    });
  }

  /** Has a question answered anew, with another text if there is `content`. */
  regenerate(messageId?: string, content?: string): Promise<boolean> {
    const messages = this.snapshot.messages;
    const question = messages[findQuestion(messages, messageId)];
    if (!question || (content !== undefined && !content.trim()))
      return Promise.resolve(false);
    const isEdited = content !== undefined && content !== question.content;
    const pending: Pending = {
      kind: "regenerate",
      requestId: makeId(),
      userMessageId: isEdited ? makeId() : question.id,
      messageId: question.id,
      createdAt: isEdited ? Date.now() : question.createdAt,
    };
    if (isEdited)
      pending.content = content;
    return this.ask(pending);
  }

  /** Ends the answer that is being written; its text stays. */
  stop() {
    const unsent = this.pumping ? undefined : this.outbox.items[0];
    if (unsent && !this.run) {
      this.settle(unsent, false);
      this.update();
      return;
    }
    this.stopping = true;
    void this.tryStop();
  }

  /** Reads older messages. */
  async loadMore(): Promise<void> {
    const before = this.log[0]?.id;
    if (!this.hasMore || this.loadingMore || before === undefined)
      return;
    this.loadingMore = true;
    this.update();
    try {
      const ack = await this.connection.call("ai:chat:history", {
        moduleId: this.moduleId,
        before,
        limit: PAGE,
      });
      if (ack.ok && this.log[0]?.id === before) {
        this.log = [...ack.messages.map(fromWire), ...this.log];
        this.hasMore = ack.more;
      } else if (!ack.ok)
        this.hasMore = false;
    } catch {
      /* there is no connection; whoever scrolls there again asks again */
    } finally {
      this.loadingMore = false;
      this.update();
    }
  }

  clearError() {
    this.error = null;
    this.update();
  }

  /* ---- what others see ---- */

  private get status(): ChatStatus {
    if (this.run)
      return this.run.text || this.run.reasoning ? "streaming" : "submitted";
    if (this.outbox.items.length > 0)
      return "submitted";
    if (this.error)
      return "error";
    return this.loaded ? "ready" : "loading";
  }

  private update() {
    this.snapshot = {
      messages: withPending(this.log, this.outbox.items),
      status: this.status,
      error: this.error,
      hasMore: this.hasMore,
      isLoadingMore: this.loadingMore,
      isDeleted: this.deleted,
    };
    this.flushStream();
    for (const listener of [...this.listeners])
      listener();
  }

  private flushStream() {
    clearTimeout(this.streamTimer);
    this.streamTimer = undefined;
    const { run, stream } = this;
    if (run ? run.text === stream.text && run.reasoning === stream.reasoning
      && run.generationId === stream.generationId : stream === NO_STREAM)
      return;
    this.stream = run
      ? {
          messageId: run.messageId,
          generationId: run.generationId,
          text: run.text,
          reasoning: run.reasoning,
        }
      : NO_STREAM;
    for (const listener of [...this.streamListeners])
      listener();
  }

  /* Costs the same however long the conversation is. */
  private streamChanged() {
    if (this.snapshot.status !== "streaming") {
      this.update();
      return;
    }
    this.streamTimer ??= setTimeout(() => this.flushStream(), FRAME_MS);
  }

  /* ---- what comes from Confab ---- */

  private handleConnection = () => {
    const { isConnected } = this.connection.getSnapshot();
    const connected = this.connection.isHttp ? "http" : "socket";
    const way = isConnected ? connected : null;
    if (way === this.way)
      return;
    this.way = way;
    this.era++;
    this.resuming = false;
    this.http.stop();
    if (way !== null)
      void this.synchronize();
  };

  /** After every connect: continues what ran, reads what was missed, asks what is pending. */
  private async synchronize() {
    const era = this.era;
    if (this.connection.isHttp) {
      await this.refresh();
      if (era === this.era)
        this.http.start();
    } else {
      const resumed = this.resume();
      const refreshed = this.refresh();
      await Promise.all([resumed, refreshed]);
    }
    if (era !== this.era)
      return;
    void this.tryStop();
    void this.pump();
  }

  /** Follows the module from where we are. */
  private async resume() {
    if (this.resuming || this.connection.isHttp)
      return;
    this.resuming = true;
    const { era, run } = this;
    /* what came over HTTP has no numbers, and is asked for whole */
    const from = run && run.seq >= 0 ? { generationId: run.generationId, seq: run.seq } : {};
    for (let delay = RETRY_MS; era === this.era; delay = Math.min(2 * delay, MAX_RETRY_MS)) {
      try {
        const ack = await this.connection.call("ai:chat:resume", {
          moduleId: this.moduleId,
          ...from,
        });
        if (era !== this.era)
          return;
        this.resuming = false;
        this.applyResume(ack, run);
        return;
      } catch (error) {
        if (error instanceof CallError && error.code === "offline")
          break;
        await sleep(delay);
      }
    }
    if (era === this.era)
      this.resuming = false;
  }

  private applyResume(ack: Ack<ResumeAck>, asked: RunningAnswer | null) {
    if (!ack.ok) {
      /* it is no longer known there: what we have is all there will be */
      if (asked && this.run?.generationId === asked.generationId)
        this.finish({ state: "interrupted", error: { message: ack.error, code: ack.code } });
      this.update();
      return;
    }
    if (ack.state === "idle" && this.run) {
      this.run = null;
      void this.refresh();
    }
    /* what was asked about may have ended by an event meanwhile */
    const isCurrent = asked ? this.run?.generationId === asked.generationId : !isEnded(ack.state);
    if (ack.generationId !== undefined && isCurrent)
      this.applyStand(ack, asked);
    if (ack.active)
      this.run = { ...ack.active };
    this.update();
  }

  /* The ack is a cut: the next event has the number after its own. */
  private applyStand(ack: ResumeAck, base: RunningAnswer | null) {
    const generationId = ack.generationId!;
    const isKnown = base?.generationId === generationId && this.run?.generationId === generationId;
    const run: RunningAnswer = {
      generationId,
      messageId: ack.messageId ?? base?.messageId ?? generationId,
      text: ack.text ?? (isKnown ? this.run!.text : ""),
      reasoning: ack.reasoning ?? (isKnown ? this.run!.reasoning : ""),
      seq: ack.text !== undefined ? (ack.seq ?? 0) : isKnown ? this.run!.seq : 0,
    };
    for (const chunk of ack.chunks ?? []) {
      if (chunk.kind === "reasoning")
        run.reasoning += chunk.chunk;
      else
        run.text += chunk.chunk;
    }
    run.seq = ack.seq ?? run.seq;
    this.run = run;
    if (isEnded(ack.state))
      this.finish({
        state: ack.state,
        ...(ack.message === undefined ? {} : { message: ack.message }),
        finishReason: ack.finishReason ?? null,
        error: ack.code === undefined ? null : { message: ack.error ?? "", code: ack.code },
      });
  }

  /** Reads the newest page of the visible branch. */
  async refresh(): Promise<void> {
    const { era } = this;
    for (let delay = RETRY_MS; era === this.era; delay = Math.min(2 * delay, MAX_RETRY_MS)) {
      try {
        const ack = await this.connection.call("ai:chat:history", {
          moduleId: this.moduleId,
          limit: PAGE,
        });
        if (era === this.era)
          this.applyHistory(ack.ok ? ack.messages.map(fromWire) : [], ack.ok && ack.more);
        return;
      } catch (error) {
        if (error instanceof CallError && error.code === "offline")
          return;
        await sleep(delay);
      }
    }
  }

  private applyHistory(page: ChatMessage[], more: boolean) {
    /* what runs comes as a stream; a run whose end stands here was missed */
    const ended = this.run && page.find(({ id }) => id === this.run!.messageId);
    if (ended && !isRunning(ended))
      this.run = null;
    const { messages, joined } = mergeNewest(
      this.log,
      page.filter((message) => !isRunning(message)),
    );
    this.log = messages;
    if (!joined || !this.loaded || messages.length <= page.length)
      this.hasMore = more;
    this.loaded = true;
    this.update();
  }

  private handleStarted(event: StartedEvent) {
    this.begin(event);
    this.update();
  }

  private begin(event: StartedEvent) {
    const missed = this.run !== null && this.run.generationId !== event.generationId;
    const old = this.log.find(({ id }) => id === event.userMessageId);
    const question = old ?? questionOf(event.userMessageId, event.parentId, event.message);
    if (event.parentId === null) {
      this.log = [question];
      this.hasMore = false;
    } else {
      const index = this.log.findIndex(({ id }) => id === event.parentId);
      this.log = [...(index >= 0 ? this.log.slice(0, index + 1) : this.log), question];
      if (index < 0 || missed)
        void this.refresh();
    }
    this.error = null;
    if (this.run?.generationId !== event.generationId)
      this.run = {
        generationId: event.generationId,
        messageId: event.messageId,
        seq: 0,
        text: "",
        reasoning: "",
      };
  }

  private handleChunk(event: ChunkEvent, kind: "text" | "reasoning") {
    const { run } = this;
    if (this.resuming)
      return;
    const first = event.fromSeq ?? event.seq;
    if (!run || run.generationId !== event.generationId || first > run.seq + 1) {
      void this.resume();
      return;
    }
    if (event.seq <= run.seq)
      return;
    if (first <= run.seq) {
      /* half of it is here already: only Confab can cut it */
      void this.resume();
      return;
    }
    run.seq = event.seq;
    run[kind] += event.chunk;
    this.streamChanged();
  }

  private handleComplete(event: CompleteEvent) {
    if (this.run?.generationId !== event.generationId) {
      void this.refresh();
      return;
    }
    this.finish({
      message: event.message,
      state: event.finishReason === "stopped" ? "stopped" : "completed",
      finishReason: event.finishReason,
      usage: event.usage,
      model: event.model ?? null,
    });
    this.update();
  }

  private handleError(event: ErrorEvent) {
    /* without a generation it is a refusal, which the ack has told already */
    if (event.generationId === undefined)
      return;
    if (this.run?.generationId !== event.generationId) {
      void this.refresh();
      return;
    }
    this.finish({
      ...(event.message === undefined ? {} : { message: event.message }),
      state: INTERRUPTIONS.has(event.code) ? "interrupted" : "failed",
      error: { message: event.error, code: event.code },
    });
    this.update();
  }

  private handleDeleted() {
    this.deleted = true;
    this.run = null;
    this.log = [];
    this.hasMore = false;
    for (const pending of [...this.outbox.items])
      this.settle(pending, false);
    this.update();
  }

  /** Turns the answer that runs into a message. */
  private finish(ending: Ending) {
    const run = this.run!;
    this.run = null;
    this.stopping = false;
    this.error = ending.error ?? null;
    const answer: ChatMessage = {
      ...questionOf(run.messageId, null, ending.message ?? run.text),
      role: "assistant",
      parentId: this.log.findLast(({ role }) => role === "user")?.id ?? null,
      reasoning: run.reasoning,
      state: ending.state,
      generationId: run.generationId,
      finishReason: ending.finishReason ?? null,
      usage: ending.usage ?? null,
      model: ending.model ?? null,
      error: ending.error ?? null,
    };
    this.log = [...this.log.filter(({ id }) => id !== answer.id), answer];
  }

  /* ---- what Confab is asked ---- */

  private ask(pending: Pending): Promise<boolean> {
    this.error = null;
    this.stopping = false;
    this.outbox.add(pending);
    this.update();
    const accepted = new Promise<boolean>((resolve) => {
      this.waiters.set(pending.requestId, resolve);
    });
    void this.pump();
    return accepted;
  }

  private settle(pending: Pending, accepted: boolean) {
    this.outbox.remove(pending);
    this.waiters.get(pending.requestId)?.(accepted);
    this.waiters.delete(pending.requestId);
  }

  /** Sends what is pending, one after the other, until it is decided. */
  private async pump() {
    if (this.pumping)
      return;
    this.pumping = true;
    let refusals = 0;
    let delay = RETRY_MS;
    for (;;) {
      const pending = this.outbox.items[0];
      if (!pending || !this.detach || !this.connection.getSnapshot().isConnected)
        break;
      try {
        const ack = await this.submit(pending);
        if (!ack.ok && PASSING.has(ack.code) && ++refusals < MAX_REFUSALS) {
          await sleep(ack.retryAfterMs ?? delay);
          continue;
        }
        refusals = 0;
        delay = RETRY_MS;
        this.applyDecision(pending, ack);
      } catch (error) {
        if (error instanceof CallError && error.code === "offline")
          break;
        await sleep(delay);
        delay = Math.min(2 * delay, MAX_RETRY_MS);
      }
    }
    this.pumping = false;
  }

  private submit(pending: Pending): Promise<Ack<GenerateAck>> {
    const { moduleId, sessionId } = this;
    const { requestId, userMessageId, content, messageId } = pending;
    if (this.connection.isHttp)
      return this.http.submit(pending);
    if (pending.kind === "generate")
      return this.connection.call("ai:chat:generate", {
        moduleId,
        message: content ?? "",
        requestId,
        userMessageId,
        ...(sessionId === undefined ? {} : { sessionId }),
      });
    return this.connection.call("ai:chat:regenerate", {
      moduleId,
      requestId,
      ...(messageId === undefined ? {} : { messageId }),
      ...(content === undefined ? {} : { message: content }),
    });
  }

  private applyDecision(pending: Pending, ack: Ack<GenerateAck>) {
    if (!ack.ok) {
      this.settle(pending, false);
      this.error = { message: ack.error, code: ack.code };
      this.stopping = false;
      this.update();
      return;
    }
    /* where much arrives at once, its events were here before the ack was looked at */
    if (this.log.some(({ id }) => id === ack.messageId)) {
      this.settle(pending, true);
      this.update();
      return;
    }
    /* the view of it becomes what is so: the event that follows says the same */
    const view = withPending(this.log, [{ ...pending, userMessageId: ack.userMessageId }]);
    const known = this.log.find(({ id }) => id === ack.userMessageId);
    this.log = view.map((message) =>
      message.state === "pending" ? (known ?? { ...message, state: "completed" as const })
        : message);
    this.settle(pending, true);
    if (ack.chunks || ack.text !== undefined)
      this.applyStand(ack, null);
    else if (this.run?.generationId !== ack.generationId && !isEnded(ack.state))
      this.run = {
        generationId: ack.generationId,
        messageId: ack.messageId,
        seq: 0,
        text: "",
        reasoning: "",
      };
    if (isEnded(ack.state))
      void this.refresh();
    this.update();
    void this.tryStop();
  }

  private async tryStop() {
    const { run } = this;
    if (!this.stopping || !run)
      return;
    try {
      await this.connection.call("ai:chat:stop", {
        moduleId: this.moduleId,
        /* over HTTP only the message of an answer is known */
        ...(this.connection.isHttp ? {} : { generationId: run.generationId }),
      });
      this.stopping = false;
    } catch (error) {
      /* when the connection is back it is tried again */
      if (error instanceof CallError && error.code === "timeout")
        void this.tryStop();
    }
  }

  /* ---- for HttpFollower, which has no events ---- */

  get running(): RunningAnswer | null {
    return this.run;
  }

  setRunning(run: RunningAnswer) {
    const isNew = this.run?.messageId !== run.messageId;
    this.run = run;
    if (isNew)
      this.update();
    else
      this.streamChanged();
  }

  endRunning(ending: Ending) {
    if (this.run)
      this.finish(ending);
    this.update();
  }
}
