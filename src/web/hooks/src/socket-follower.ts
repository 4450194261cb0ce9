// SPDX-License-Identifier: GPL-3.0-or-later
// Follows a conversation over Socket.IO: the events of its answers, and after a gap or a new
// connection what is missing of the answer that runs, from the last number that is known.
import type { Chat } from "./chat.js";
import type { Connection } from "./connection.js";
import type {
  BranchEvent,
  ChunkEvent,
  CompleteEvent,
  ErrorEvent,
  Module,
  StartedEvent,
} from "./protocol.js";
import { askUntilDecided } from "./retry.js";

export class SocketFollower {
  private readonly chat: Chat;
  private readonly connection: Connection;
  /** Pieces that come meanwhile are in what is asked for. */
  private isResuming = false;

  constructor(chat: Chat, connection: Connection) {
    this.chat = chat;
    this.connection = connection;
  }

  /** Listens; the returned function ends that. */
  listen(): () => void {
    const { socket } = this.connection;
    const { moduleId } = this.chat;
    const forUs =
      <E extends { moduleId?: string }>(handle: (event: E) => void) =>
      (event: E) => {
        if (event?.moduleId === moduleId)
          handle(event);
      };
    const handlers = {
      "ai:chat:started": forUs<StartedEvent>((event) => this.handleStarted(event)),
      "ai:chat:chunk": forUs<ChunkEvent>((event) => this.handleChunk(event, "text")),
      "ai:chat:reasoning": forUs<ChunkEvent>((event) => this.handleChunk(event, "reasoning")),
      "ai:chat:complete": forUs<CompleteEvent>((event) => this.handleComplete(event)),
      "ai:chat:error": forUs<ErrorEvent>((event) => this.handleError(event)),
      "ai:chat:resync": forUs(() => void this.resume()),
      "ai:chat:branch": forUs<BranchEvent>((event) => this.handleBranch(event)),
      "module:changed": forUs<Module | { moduleId: string; deleted: true }>((event) => {
        if ("deleted" in event)
          this.chat.applyDeletion();
      }),
    };
    for (const [name, handler] of Object.entries(handlers))
      socket.on(name as keyof typeof handlers, handler as never);
    return () => {
      for (const [name, handler] of Object.entries(handlers))
        socket.off(name as keyof typeof handlers, handler as never);
    };
  }

  /** What was asked on an older connection is no longer waited for. */
  reset() {
    this.isResuming = false;
  }

  /** Follows the module from where we are. */
  async resume() {
    if (this.isResuming || this.connection.isHttp)
      return;
    this.isResuming = true;
    const { transcript, moduleId } = this.chat;
    const { run } = transcript;
    const isCurrent = this.chat.sameEra();
    /* what came over HTTP has no numbers, and is asked for whole */
    const from = run && run.seq >= 0 ? { generationId: run.generationId, seq: run.seq } : {};
    const ack = await askUntilDecided(
      () => this.connection.call("ai:chat:resume", { moduleId, ...from }),
      isCurrent,
    );
    if (!isCurrent())
      return;
    this.isResuming = false;
    if (!ack)
      return;
    const isWhole = transcript.applyResume(ack, run);
    const isHere = !ack.ok || ack.headId === undefined || transcript.endsWith(ack.headId);
    /* before it is loaded, that is on its way */
    if (!isWhole || (transcript.isLoaded && !isHere))
      void this.chat.refresh();
    this.chat.update();
  }

  private handleStarted(event: StartedEvent) {
    if (!this.chat.transcript.begin(event))
      void this.chat.refresh();
    this.chat.update();
  }

  private handleBranch(event: BranchEvent) {
    /* whoever chose it has read it already */
    if (!this.chat.transcript.endsWith(event.headId))
      void this.chat.refresh(event.messageId);
  }

  private handleChunk(event: ChunkEvent, kind: "text" | "reasoning") {
    if (this.isResuming)
      return;
    const outcome = this.chat.transcript.append(event, kind);
    if (outcome === "gap")
      void this.resume();
    else if (outcome === "added")
      this.chat.updateStream();
  }

  private handleComplete(event: CompleteEvent) {
    if (this.chat.transcript.complete(event))
      this.chat.update();
    else
      void this.chat.refresh();
  }

  private handleError(event: ErrorEvent) {
    /* without a generation it is a refusal, which the ack has told already */
    if (event.generationId === undefined)
      return;
    if (this.chat.transcript.fail(event))
      this.chat.update();
    else
      void this.chat.refresh();
  }
}
