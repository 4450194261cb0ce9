// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of one conversation: what was said, and the answer that is being written. Every
// method is one thing that Confab told us. It asks nothing itself: where something is missing, the
// return value says so.
import type { ChatError, Ending, RunningAnswer } from "./chat-state.js";
import {
  findJoint,
  isRunning,
  mergeNewest,
  questionOf,
  withPending,
  type ChatMessage,
} from "./messages.js";
import type { Pending } from "./outbox.js";
import {
  isEnded,
  type Ack,
  type Branches,
  type ChunkEvent,
  type CompleteEvent,
  type ErrorEvent,
  type GenerateAck,
  type ResumeAck,
  type StartedEvent,
} from "./protocol.js";

/** Ends that are nobody's fault up there: Confab itself went away. */
const INTERRUPTIONS = new Set(["interrupted", "shutting-down"]);

function newRun({ generationId, messageId }: { generationId: string; messageId: string }) {
  return { generationId, messageId, seq: 0, text: "", reasoning: "" };
}

export class Transcript {
  /** The visible branch as far as it was read, oldest first; replaced, never changed. */
  log: ChatMessage[] = [];
  run: RunningAnswer | null = null;
  isLoaded = false;
  /** There are older messages that were not read. */
  hasMore = false;
  isLoadingMore = false;
  isDeleted = false;
  error: ChatError | null = null;
  /** The answer that runs, or is about to, is to be stopped. */
  isStopWanted = false;
  /** Grows with whatever is told but by history: what was read before that may be without it. */
  changes = 0;
  /** Of the answer that is being written, or of the last one: its versions. */
  private versions: { messageId: string; branches: Branches | null } | null = null;

  /* ---- history ---- */

  /** The newest page of the visible branch. */
  applyNewest(page: ChatMessage[], more: boolean) {
    /* what runs comes as a stream; a run whose end stands here was missed */
    const ended = this.run && page.find(({ id }) => id === this.run!.messageId);
    if (ended && !isRunning(ended))
      this.run = null;
    const running = page.find(isRunning);
    if (running)
      this.versions = { messageId: running.id, branches: running.branches };
    const { messages, joined } = mergeNewest(
      this.log,
      page.filter((message) => !isRunning(message)),
    );
    this.log = messages;
    if (!joined || !this.isLoaded || messages.length <= page.length)
      this.hasMore = more;
    this.isLoaded = true;
  }

  /** The page before `before`, which was the oldest when it was asked for. */
  applyOlder(before: string, page: ChatMessage[], more: boolean) {
    /* of another branch by now, or cut where this one left it */
    if (this.log[0]?.id !== before || (page.length > 0 && findJoint(page, this.log[0]) < 0))
      return;
    this.log = [...page, ...this.log];
    this.hasMore = more;
  }

  /** Whether the visible branch, as far as it is known, ends with this message. */
  endsWith(headId: string | null): boolean {
    return headId === (this.run?.messageId ?? this.log.at(-1)?.id ?? null);
  }

  /* ---- events; false: something was missed, the history has it ---- */

  begin(event: StartedEvent): boolean {
    this.changes++;
    const missedEnd = this.run !== null && this.run.generationId !== event.generationId;
    const old = this.log.find(({ id }) => id === event.userMessageId)
      ?? questionOf(event.userMessageId, event.parentId, event.message);
    const question = event.userBranches ? { ...old, branches: event.userBranches } : old;
    let isWhole = true;
    if (event.parentId === null) {
      this.log = [question];
      this.hasMore = false;
    } else {
      const index = this.log.findIndex(({ id }) => id === event.parentId);
      this.log = [...(index >= 0 ? this.log.slice(0, index + 1) : this.log), question];
      isWhole = index >= 0 && !missedEnd;
    }
    this.error = null;
    this.versions = { messageId: event.messageId, branches: event.branches ?? null };
    if (this.run?.generationId !== event.generationId)
      this.run = newRun(event);
    return isWhole;
  }

  /** `gap`: pieces before this one are missing, or only a part of it is new. */
  append(event: ChunkEvent, kind: "text" | "reasoning"): "added" | "known" | "gap" {
    const { run } = this;
    const first = event.fromSeq ?? event.seq;
    if (!run || run.generationId !== event.generationId || first > run.seq + 1)
      return "gap";
    if (event.seq <= run.seq)
      return "known";
    /* half of it is here already: only Confab can cut it */
    if (first <= run.seq)
      return "gap";
    run.seq = event.seq;
    run[kind] += event.chunk;
    return "added";
  }

  complete(event: CompleteEvent): boolean {
    if (this.run?.generationId !== event.generationId)
      return false;
    this.finish({
      message: event.message,
      state: event.finishReason === "stopped" ? "stopped" : "completed",
      finishReason: event.finishReason,
      usage: event.usage,
      model: event.model ?? null,
    });
    return true;
  }

  fail(event: ErrorEvent): boolean {
    if (this.run?.generationId !== event.generationId)
      return false;
    this.finish({
      ...(event.message === undefined ? {} : { message: event.message }),
      state: INTERRUPTIONS.has(event.code) ? "interrupted" : "failed",
      model: event.model ?? null,
      error: { message: event.error, code: event.code },
    });
    return true;
  }

  delete() {
    this.changes++;
    this.isDeleted = true;
    this.run = null;
    this.log = [];
    this.hasMore = false;
  }

  /* ---- answers to what we asked ---- */

  /** How it stands with the run that was `asked` about; false: its end was missed. */
  applyResume(ack: Ack<ResumeAck>, asked: RunningAnswer | null): boolean {
    if (!ack.ok) {
      /* it is no longer known there: what we have is all there will be */
      if (asked && this.run?.generationId === asked.generationId)
        this.finish({ state: "interrupted", error: { message: ack.error, code: ack.code } });
      return true;
    }
    const missedEnd = ack.state === "idle" && this.run !== null;
    if (missedEnd)
      this.run = null;
    /* what was asked about may have ended by an event meanwhile */
    const isCurrent = asked ? this.run?.generationId === asked.generationId : !isEnded(ack.state);
    if (ack.generationId !== undefined && isCurrent)
      this.applyStand(ack, asked);
    if (ack.active)
      this.run = { ...ack.active };
    return !missedEnd;
  }

  /** A question was taken. The event that follows says the same. */
  accept(pending: Pending, ack: GenerateAck) {
    this.changes++;
    /* the view of it becomes what is so */
    const view = withPending(this.log, [{ ...pending, userMessageId: ack.userMessageId }]);
    const known = this.log.find(({ id }) => id === ack.userMessageId);
    this.log = view.map((message) =>
      message.state === "pending" ? (known ?? { ...message, state: "completed" as const })
        : message);
    if (ack.chunks || ack.text !== undefined)
      this.applyStand(ack, null);
    else if (this.run?.generationId !== ack.generationId && !isEnded(ack.state))
      this.run = newRun(ack);
  }

  refuse(error: ChatError) {
    this.error = error;
    this.isStopWanted = false;
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

  /** Turns the answer that runs into a message. */
  finish(ending: Ending) {
    const run = this.run!;
    this.changes++;
    this.run = null;
    this.isStopWanted = false;
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
      branches: this.versions?.messageId === run.messageId ? this.versions.branches : null,
    };
    this.log = [...this.log.filter(({ id }) => id !== answer.id), answer];
  }
}
