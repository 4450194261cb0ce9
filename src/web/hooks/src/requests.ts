// SPDX-License-Identifier: GPL-3.0-or-later
// What people want of a conversation: questions, which are sent one after the other and again until
// Confab has decided, and the end of an answer.
import type { Chat } from "./chat.js";
import { CallError, type Connection } from "./connection.js";
import type { Outbox, Pending } from "./outbox.js";
import { isEnded, type Ack, type GenerateAck } from "./protocol.js";
import { isOffline, nextDelay, passesAfter, RETRY_MS, sleep } from "./retry.js";

const MAX_REFUSALS = 5;

export class Requests {
  private readonly chat: Chat;
  private readonly connection: Connection;
  private readonly outbox: Outbox;
  private isSending = false;
  /** Those who wait for whether their question is accepted, by its requestId. */
  private waiters = new Map<string, (accepted: boolean) => void>();

  constructor(chat: Chat, connection: Connection, outbox: Outbox) {
    this.chat = chat;
    this.connection = connection;
    this.outbox = outbox;
  }

  /** Takes a question; resolves to whether Confab accepted it. */
  add(pending: Pending): Promise<boolean> {
    const { transcript } = this.chat;
    transcript.error = null;
    transcript.isStopWanted = false;
    this.outbox.add(pending);
    this.chat.update();
    const accepted = new Promise<boolean>((resolve) => {
      this.waiters.set(pending.requestId, resolve);
    });
    void this.send();
    return accepted;
  }

  /** Takes back the oldest question, if it was not sent yet. */
  takeBack(): boolean {
    const unsent = this.isSending ? undefined : this.outbox.items[0];
    if (unsent)
      this.settle(unsent, false);
    return unsent !== undefined;
  }

  /** Gives up all questions. */
  dropAll() {
    for (const pending of [...this.outbox.items])
      this.settle(pending, false);
  }

  /** Sends what is pending, one after the other, until it is decided. */
  async send() {
    if (this.isSending)
      return;
    this.isSending = true;
    let refusals = 0;
    let delay = RETRY_MS;
    for (;;) {
      const pending = this.outbox.items[0];
      if (!pending || !this.chat.isFollowing || !this.connection.getSnapshot().isConnected)
        break;
      try {
        const ack = await this.submit(pending);
        const pause = passesAfter(ack);
        if (pause !== undefined && ++refusals < MAX_REFUSALS) {
          await sleep(pause);
          continue;
        }
        refusals = 0;
        delay = RETRY_MS;
        this.applyDecision(pending, ack);
      } catch (error) {
        if (isOffline(error))
          break;
        await sleep(delay);
        delay = nextDelay(delay);
      }
    }
    this.isSending = false;
  }

  /** Stops the answer that runs, if that is wanted. */
  async sendStop() {
    const { transcript, moduleId } = this.chat;
    const { run } = transcript;
    if (!transcript.isStopWanted || !run)
      return;
    try {
      await this.connection.call("ai:chat:stop", {
        moduleId,
        /* over HTTP only the message of an answer is known */
        ...(this.connection.isHttp ? {} : { generationId: run.generationId }),
      });
      transcript.isStopWanted = false;
    } catch (error) {
      /* when the connection is back it is tried again */
      if (error instanceof CallError && error.code === "timeout")
        void this.sendStop();
    }
  }

  private settle(pending: Pending, accepted: boolean) {
    this.outbox.remove(pending);
    this.waiters.get(pending.requestId)?.(accepted);
    this.waiters.delete(pending.requestId);
  }

  private submit(pending: Pending): Promise<Ack<GenerateAck>> {
    const { moduleId, sessionId } = this.chat;
    const { requestId, userMessageId, content, messageId } = pending;
    if (this.connection.isHttp)
      return this.chat.http.submit(pending);
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
    const { transcript } = this.chat;
    if (!ack.ok) {
      this.settle(pending, false);
      transcript.refuse({ message: ack.error, code: ack.code });
      this.chat.update();
      return;
    }
    /* where much arrives at once, its events were here before the ack was looked at */
    const isOver = transcript.log.some(({ id }) => id === ack.messageId);
    if (!isOver)
      transcript.accept(pending, ack);
    this.settle(pending, true);
    if (!isOver && isEnded(ack.state))
      void this.chat.refresh();
    this.chat.update();
    if (!isOver)
      void this.sendStop();
  }
}
