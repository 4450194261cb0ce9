// SPDX-License-Identifier: GPL-3.0-or-later
// The visible branch of a conversation, as arrays that are only ever replaced.
import type { Pending } from "./outbox.js";
import {
  isEnded,
  type FinishReason,
  type GenerationState,
  type Usage,
  type WireMessage,
} from "./protocol.js";

export interface ChatMessage {
  id: string;
  parentId: string | null;
  role: "user" | "assistant";
  content: string;
  /** What a reasoning model thought before it answered. */
  reasoning: string;
  /** `pending`: a question that Confab has not accepted yet. */
  state: GenerationState | "pending";
  generationId: string | null;
  finishReason: FinishReason | null;
  model: string | null;
  usage: Usage | null;
  createdAt: number;
  /** Why an answer failed. */
  error: { message: string; code: string } | null;
}

export function questionOf(id: string, parentId: string | null, content: string): ChatMessage {
  return {
    id,
    parentId,
    role: "user",
    content,
    reasoning: "",
    state: "completed",
    generationId: null,
    finishReason: null,
    model: null,
    usage: null,
    createdAt: Date.now(),
    error: null,
  };
}

export function fromWire(wire: WireMessage): ChatMessage {
  const reasoning = (wire.parts ?? []).filter((part) => part.type === "reasoning");
  return {
    id: wire.messageId,
    parentId: wire.parentId,
    role: wire.role,
    content: wire.content,
    reasoning: reasoning.map((part) => part.text ?? "").join(""),
    state: wire.state,
    generationId: wire.generationId,
    finishReason: wire.finishReason,
    model: wire.model,
    usage: wire.usage,
    createdAt: wire.createdAt,
    error: wire.code === undefined ? null : { message: wire.error ?? "", code: wire.code },
  };
}

function isSame(a: ChatMessage, b: ChatMessage): boolean {
  return (
    a.content === b.content &&
    a.state === b.state &&
    a.model === b.model &&
    a.reasoning === b.reasoning &&
    a.parentId === b.parentId &&
    a.createdAt === b.createdAt &&
    (a.usage === null) === (b.usage === null)
  );
}

/** Whether this answer is still being written, so that its text comes as a stream. */
export function isRunning(message: ChatMessage): boolean {
  return message.role === "assistant" && message.state !== "pending" && !isEnded(message.state);
}

/**
 * Puts the newest page of history in place of what was known of it. Older pages stay if they join
 * up; messages that did not change stay the same objects, so that nothing is rendered anew.
 */
export function mergeNewest(
  known: ChatMessage[],
  page: ChatMessage[],
): { messages: ChatMessage[]; joined: boolean } {
  const byId = new Map(known.map((message) => [message.id, message]));
  const kept = page.map((message) => {
    const old = byId.get(message.id);
    return old && isSame(old, message) ? old : message;
  });
  const first = page[0];
  const index = first ? known.findIndex(({ id }) => id === first.id) : -1;
  const older = index > 0 ? known.slice(0, index) : [];
  return { messages: [...older, ...kept], joined: index >= 0 };
}

/** The question that `messageId`, which may be its answer, stands for; default: the last one. */
export function findQuestion(messages: ChatMessage[], messageId?: string): number {
  let index = messages.length - 1;
  if (messageId !== undefined)
    index = messages.findIndex(({ id }) => id === messageId);
  while (index >= 0 && messages[index]!.role !== "user")
    index--;
  return index;
}

/** The branch as it will be when Confab has accepted what is pending. */
export function withPending(messages: ChatMessage[], pending: Pending[]): ChatMessage[] {
  let view = messages;
  for (const item of pending) {
    if (view.some(({ id, state }) => id === item.userMessageId && state !== "pending")
        && item.kind === "generate")
      continue;
    let parent = view.at(-1)?.id ?? null;
    let content = item.content ?? "";
    if (item.kind === "regenerate") {
      const index = findQuestion(view, item.messageId);
      if (index < 0)
        continue;
      const question = view[index]!;
      view = view.slice(0, index);
      parent = question.parentId;
      content = item.content ?? question.content;
    }
    const question = questionOf(item.userMessageId, parent, content);
    view = [...view, { ...question, createdAt: item.createdAt, state: "pending" }];
  }
  return view;
}
