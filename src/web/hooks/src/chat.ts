// SPDX-License-Identifier: GPL-3.0-or-later
// One conversation, kept in step with Confab. It knows no React. Its parts:
//   Transcript      what is known of it, changed by what Confab tells
//   SocketFollower  hears that over Socket.IO, HttpFollower over plain HTTP
//   Requests        asks questions until they are decided, and stops answers
//   Publisher       shows it all to components
// Here is what people do with it, and what happens when the connection comes or goes.
import type { ChatSnapshot, StreamSnapshot } from "./chat-state.js";
import { RefusalError, type Connection } from "./connection.js";
import { HttpFollower } from "./http-follower.js";
import { makeId } from "./id.js";
import { findJoint, findQuestion, fromWire, type ChatMessage } from "./messages.js";
import { Outbox, type Pending } from "./outbox.js";
import { Publisher } from "./publisher.js";
import { Requests } from "./requests.js";
import { askUntilDecided } from "./retry.js";
import { SocketFollower } from "./socket-follower.js";
import { Transcript } from "./transcript.js";

const PAGE = 50;
/** As many as Confab sends at once. */
const MAX_PAGE = 200;

export class Chat {
  readonly moduleId: string;
  /** Where a new module is made. */
  sessionId: string | undefined;

  /** These are for the other parts. */
  readonly transcript = new Transcript();
  readonly http: HttpFollower;

  private readonly connection: Connection;
  private readonly publisher: Publisher;
  private readonly requests: Requests;
  private readonly follower: SocketFollower;

  private detach: (() => void) | undefined;
  /** How Confab was reached when we last looked. */
  private way: "socket" | "http" | null = null;
  /** Counts connections; what was asked on an older one is no longer waited for. */
  private era = 0;
  /** Counts readings of the newest page: what was asked for earlier than another is older. */
  private lastAsked = 0;
  private lastApplied = 0;

  constructor(connection: Connection, moduleId: string, sessionId?: string) {
    this.connection = connection;
    this.moduleId = moduleId;
    this.sessionId = sessionId;
    const outbox = new Outbox(`${connection.options.url ?? ""}:${moduleId}`);
    this.publisher = new Publisher(this.transcript, outbox);
    this.requests = new Requests(this, connection, outbox);
    this.follower = new SocketFollower(this, connection);
    this.http = new HttpFollower(this, connection);
  }

  getSnapshot = (): ChatSnapshot => this.publisher.snapshot;
  getStream = (): StreamSnapshot => this.publisher.stream;

  subscribe(listener: () => void): () => void {
    return this.publisher.subscribe(listener);
  }

  subscribeToStream(listener: () => void): () => void {
    return this.publisher.subscribeToStream(listener);
  }

  /** Begins to follow. */
  start() {
    const silence = this.follower.listen();
    const unsubscribe = this.connection.subscribe(this.handleConnection);
    this.detach = () => {
      unsubscribe();
      this.http.stop();
      silence();
    };
    this.way = null;
    this.handleConnection();
  }

  /** Follows no longer. */
  end() {
    this.detach?.();
    this.detach = undefined;
    this.era++;
    this.publisher.end();
    if (!this.connection.isHttp)
      this.connection.call("ai:chat:leave", { moduleId: this.moduleId }).catch(() => {});
  }

  /* ---- what people do ---- */

  /**
   * Asks. The question is in `messages` at once, and is sent when there is a connection, again and
   * again until Confab has decided. Returns whether it was accepted.
   */
  send(content: string): Promise<boolean> {
    if (!content.trim())
      return Promise.resolve(false);
    return this.requests.add({
      kind: "generate",
      requestId: makeId(),
      userMessageId: makeId(),
      content,
      createdAt: Date.now(),
    });
  }

  /** Has a question answered anew, with another text if there is `content`. */
  regenerate(messageId?: string, content?: string): Promise<boolean> {
    const { messages } = this.getSnapshot();
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
    return this.requests.add(pending);
  }

  /**
   * Makes the branch visible that runs through this message, for all who follow the conversation.
   * Resolves when it is in `messages`; rejects with the code of the refusal.
   */
  async switchBranch(messageId: string): Promise<void> {
    const { moduleId } = this;
    const ack = await this.connection.call("ai:chat:branch", { moduleId, messageId });
    if (!ack.ok)
      throw new RefusalError(ack);
    /* what was asked for before may tell of the branch that was left */
    this.lastApplied = ++this.lastAsked;
    await this.refresh(messageId);
  }

  /** Ends the answer that is being written; its text stays. */
  stop() {
    if (!this.transcript.run && this.requests.takeBack()) {
      this.update();
      return;
    }
    this.transcript.isStopWanted = true;
    void this.requests.sendStop();
  }

  /** Reads older messages. */
  async loadMore(): Promise<void> {
    const { transcript, moduleId } = this;
    const before = transcript.log[0]?.id;
    if (!transcript.hasMore || transcript.isLoadingMore || before === undefined)
      return;
    transcript.isLoadingMore = true;
    this.update();
    try {
      const ack = await this.connection.call("ai:chat:history", { moduleId, before, limit: PAGE });
      if (ack.ok)
        transcript.applyOlder(before, ack.messages.map(fromWire), ack.more);
      else if (transcript.log[0]?.id === before)
        transcript.hasMore = false;
    } catch {
      /* there is no connection; whoever scrolls there again asks again */
    } finally {
      transcript.isLoadingMore = false;
      this.update();
    }
  }

  /** Reads the newest messages again, such as after that was refused. */
  reload(): Promise<void> {
    this.clearError();
    return this.refresh();
  }

  clearError() {
    this.transcript.error = null;
    this.update();
  }

  /* ---- the connection ---- */

  private handleConnection = () => {
    const { isConnected } = this.connection.getSnapshot();
    const connected = this.connection.isHttp ? "http" : "socket";
    const way = isConnected ? connected : null;
    if (way === this.way)
      return;
    this.way = way;
    this.era++;
    this.follower.reset();
    this.http.stop();
    if (way !== null)
      void this.synchronize();
  };

  /** After every connect: continues what ran, reads what was missed, asks what is pending. */
  private async synchronize() {
    const isCurrent = this.sameEra();
    if (this.connection.isHttp) {
      await this.refresh();
      if (isCurrent())
        this.http.start();
    } else
      await Promise.all([this.follower.resume(), this.refresh()]);
    if (!isCurrent())
      return;
    void this.requests.sendStop();
    void this.requests.send();
  }

  /* ---- for the other parts ---- */

  get isFollowing(): boolean {
    return this.detach !== undefined;
  }

  /** A question that is true as long as this connection lasts. */
  sameEra(): () => boolean {
    const { era } = this;
    return () => era === this.era;
  }

  update() {
    this.publisher.update();
  }

  updateStream() {
    this.publisher.updateStream();
  }

  /** Reads the newest page of the visible branch, and on until there is the message `downTo`. */
  async refresh(downTo?: string): Promise<void> {
    const asked = ++this.lastAsked;
    const { changes } = this.transcript;
    const first = await this.readPage(PAGE);
    if (!first)
      return undefined;
    let page = first.ok ? first.messages.map(fromWire) : [];
    let more = first.ok && first.more;
    while (more && downTo !== undefined && !this.reaches(page, downTo)) {
      const older = await this.readPage(MAX_PAGE, page[0]!.id);
      if (!older?.ok || older.messages.length === 0)
        break;
      page = [...older.messages.map(fromWire), ...page];
      ({ more } = older);
    }
    if (asked < this.lastApplied)
      return undefined;
    /* acks are looked at after the events that arrived with them */
    if (changes !== this.transcript.changes)
      return this.refresh(downTo);
    this.lastApplied = asked;
    if (first.ok || first.code === "unknown-module")
      this.transcript.applyNewest(page, more);
    else
      this.transcript.refuse({ message: first.error, code: first.code });
    this.update();
    return undefined;
  }

  /** Whether these have that message and join up with what is shown before them. */
  private reaches(page: ChatMessage[], messageId: string): boolean {
    const { log } = this.transcript;
    return page.some(({ id }) => id === messageId)
      && (log.length === 0 || findJoint(log, page[0]) >= 0);
  }

  private readPage(limit: number, before?: string) {
    const payload = { moduleId: this.moduleId, limit, ...(before === undefined ? {} : { before }) };
    return askUntilDecided(
      () => this.connection.call("ai:chat:history", payload),
      this.sameEra(),
    );
  }

  applyDeletion() {
    this.transcript.delete();
    this.requests.dropAll();
    this.update();
  }
}
