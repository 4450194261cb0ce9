// SPDX-License-Identifier: GPL-3.0-or-later
// Follows a conversation without Socket.IO: questions by POST /api/chat, answers as the server-sent
// events of the AI SDK's UI message stream. A stream that breaks is asked for again, and comes
// again from its start.
import { CallError, type Connection } from "./connection.js";
import type { Chat } from "./chat.js";
import type { Ending, RunningAnswer } from "./chat-state.js";
import { fetchFrom } from "./http.js";
import type { Pending } from "./outbox.js";
import type { Ack, GenerateAck, GenerationState } from "./protocol.js";
import { RETRY_MS } from "./retry.js";
import { readEvents } from "./sse.js";

/** Those parts of the stream that are of use here. */
interface StreamPart {
  type: string;
  messageId?: string;
  delta?: string;
  errorText?: string;
}

/** How often to look whether others have asked something. */
const POLL_MS = 4000;

export class HttpFollower {
  private readonly chat: Chat;
  private readonly connection: Connection;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private reading = false;

  constructor(chat: Chat, connection: Connection) {
    this.chat = chat;
    this.connection = connection;
  }

  start() {
    this.abort ??= new AbortController();
    void this.poll();
  }

  stop() {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.abort = null;
  }

  /** Asks; resolves as soon as Confab has decided, and reads the answer on the side. */
  async submit(pending: Pending): Promise<Ack<GenerateAck>> {
    this.abort ??= new AbortController();
    const { moduleId, sessionId } = this.chat;
    const { userMessageId, requestId, content = "", messageId } = pending;
    const anew = pending.kind === "regenerate" && pending.content === undefined;
    const response = await this.fetch("/api/chat", {
      method: "POST",
      body: JSON.stringify({
        id: moduleId,
        requestId,
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(messageId === undefined ? {} : { messageId }),
        trigger: anew ? "regenerate-message" : "submit-message",
        messages: [
          { id: anew ? messageId : userMessageId, role: "user",
            parts: [{ type: "text", text: content }] },
        ],
      }),
    });
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      const refusal = await response.json();
      if (refusal.code === "unauthorized") {
        this.connection.reportUnauthorized(refusal.error);
        throw new CallError("offline", refusal.error);
      }
      return { ok: false, error: refusal.error, code: refusal.code ?? "internal" };
    }
    const answerId = await this.read(response);
    return {
      ok: true,
      generationId: answerId,
      messageId: answerId,
      userMessageId,
      state: "streaming",
    };
  }

  private async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    try {
      const signal = this.abort?.signal;
      const response = await fetchFrom(this.connection.options, path, {
        ...init,
        ...(signal ? { signal } : {}),
      });
      /* the calls that follow tell that this client is not let in */
      if (response.status !== 401)
        this.connection.reportHttp(true);
      return response;
    } catch {
      if (this.abort && !this.abort.signal.aborted)
        this.connection.reportHttp(false);
      throw new CallError("timeout", "Confab cannot be reached.");
    }
  }

  private async poll() {
    clearTimeout(this.timer);
    const { abort } = this;
    let pause = POLL_MS;
    if (!abort)
      return;
    try {
      if (!this.reading && document.visibilityState !== "hidden") {
        const id = encodeURIComponent(this.chat.moduleId);
        const response = await this.fetch(`/api/chat/${id}/stream`);
        if (response.status === 200)
          await this.read(response);
        else
          await this.chat.refresh();
      }
    } catch {
      pause = RETRY_MS;
    }
    if (this.abort === abort)
      this.timer = setTimeout(() => void this.poll(), pause);
  }

  /** Reads a stream on the side; resolves to the id of its answer as soon as that is known. */
  private read(response: Response): Promise<string> {
    this.reading = true;
    return new Promise((resolve, reject) => {
      this.readAll(response, resolve)
        .catch(() => {})
        .finally(() => {
          this.reading = false;
          reject(new CallError("timeout", "The answer broke off."));
          clearTimeout(this.timer);
          if (this.abort)
            this.timer = setTimeout(() => void this.poll(), this.chat.transcript.run ? 0 : POLL_MS);
        });
    });
  }

  private async readAll(response: Response, onStart: (id: string) => void) {
    let text = "";
    let reasoning = "";
    let messageId = "";
    let state: GenerationState = "completed";
    const ending: Ending = { state };
    for await (const data of readEvents(response)) {
      if (data === "[DONE]")
        break;
      const part = JSON.parse(data) as StreamPart;
      if (part.type === "start") {
        messageId = part.messageId ?? messageId;
        onStart(messageId);
      } else if (part.type === "text-delta")
        text += part.delta ?? "";
      else if (part.type === "reasoning-delta")
        reasoning += part.delta ?? "";
      else if (part.type === "error") {
        state = "failed";
        ending.error = { message: part.errorText ?? "", code: "upstream-error" };
      } else if (part.type === "abort")
        state = "stopped";
      if (!messageId)
        continue;
      if (part.type === "finish" || part.type === "error" || part.type === "abort") {
        await Promise.resolve();
        this.show({ messageId, generationId: messageId, text, reasoning, seq: -1 });
        this.chat.transcript.finish({ ...ending, state });
        this.chat.update();
        /* what it cost, and how it ended exactly, stands in the history */
        await this.chat.refresh();
        return;
      }
      this.show({ messageId, generationId: messageId, text, reasoning, seq: -1 });
    }
  }

  private show(run: RunningAnswer) {
    const { transcript } = this.chat;
    const isNew = transcript.run?.messageId !== run.messageId;
    transcript.run = run;
    if (isNew)
      this.chat.update();
    else
      this.chat.updateStream();
  }
}
