// SPDX-License-Identifier: GPL-3.0-or-later
// Shows a conversation to components, as snapshots of two kinds: the messages, which change rarely,
// and the answer that is being written, which grows with every picture.
import {
  NO_CHAT,
  NO_STREAM,
  type ChatSnapshot,
  type ChatStatus,
  type StreamSnapshot,
} from "./chat-state.js";
import { withPending } from "./messages.js";
import type { Outbox } from "./outbox.js";
import type { Transcript } from "./transcript.js";

/** As long as a screen shows one picture: what comes faster is shown together. */
const FRAME_MS = 16;

export class Publisher {
  snapshot: ChatSnapshot = NO_CHAT;
  stream: StreamSnapshot = NO_STREAM;

  private readonly transcript: Transcript;
  private readonly outbox: Outbox;
  private listeners = new Set<() => void>();
  private streamListeners = new Set<() => void>();
  private streamTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(transcript: Transcript, outbox: Outbox) {
    this.transcript = transcript;
    this.outbox = outbox;
    this.update();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  subscribeToStream(listener: () => void): () => void {
    this.streamListeners.add(listener);
    return () => this.streamListeners.delete(listener);
  }

  /** After anything but a new piece of an answer. */
  update() {
    const { transcript, outbox } = this;
    this.snapshot = {
      messages: withPending(transcript.log, outbox.items),
      status: this.status,
      error: transcript.error,
      isLoaded: transcript.isLoaded,
      hasMore: transcript.hasMore,
      isLoadingMore: transcript.isLoadingMore,
      isDeleted: transcript.isDeleted,
    };
    this.flushStream();
    for (const listener of [...this.listeners])
      listener();
  }

  /** After a new piece of an answer. Costs the same however long the conversation is. */
  updateStream() {
    if (this.snapshot.status !== "streaming") {
      this.update();
      return;
    }
    this.streamTimer ??= setTimeout(() => this.flushStream(), FRAME_MS);
  }

  end() {
    clearTimeout(this.streamTimer);
  }

  private get status(): ChatStatus {
    const { run, error, isLoaded } = this.transcript;
    if (run)
      return run.text || run.reasoning ? "streaming" : "submitted";
    if (this.outbox.items.length > 0)
      return "submitted";
    if (error)
      return "error";
    return isLoaded ? "ready" : "loading";
  }

  private flushStream() {
    clearTimeout(this.streamTimer);
    this.streamTimer = undefined;
    const { stream } = this;
    const { run } = this.transcript;
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
}
