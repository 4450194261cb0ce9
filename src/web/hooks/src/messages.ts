// SPDX-License-Identifier: GPL-3.0-or-later
// The visible branch of a conversation, as arrays that are only ever replaced.
import type { Pending } from "./outbox.js";
import {
  isEnded,
  type Branches,
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
  /** Where it stands among its versions; null: there is no other. */
  branches: Branches | null;
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
    branches: null,
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
    branches: wire.branches ?? null,
  };
}

function areSameBranches(a: Branches | null, b: Branches | null): boolean {
  return (
    a?.index === b?.index &&
    a?.count === b?.count &&
    a?.previousId === b?.previousId &&
    a?.nextId === b?.nextId
  );
}

function isSame(a: ChatMessage, b: ChatMessage): boolean {
  return (
    a.content === b.content &&
    a.state === b.state &&
    a.model === b.model &&
    a.reasoning === b.reasoning &&
    a.parentId === b.parentId &&
    a.createdAt === b.createdAt &&
    (a.usage === null) === (b.usage === null) &&
    areSameBranches(a.branches, b.branches)
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
  const end = findJoint(known, page[0]);
  return { messages: [...known.slice(0, Math.max(end, 0)), ...kept], joined: end >= 0 };
}

/** How many of those that are known come before `first`; -1: that cannot be told from them. */
export function findJoint(known: ChatMessage[], first: ChatMessage | undefined): number {
  if (!first)
    return -1;
  const index = known.findIndex(({ id }) => id === first.id);
  if (index >= 0 || first.parentId === null)
    return index;
  const parent = known.findIndex(({ id }) => id === first.parentId);
  return parent < 0 ? -1 : parent + 1;
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
    let branches: Branches | null = null;
    if (item.kind === "regenerate") {
      const index = findQuestion(view, item.messageId);
      if (index < 0)
        continue;
      const question = view[index]!;
      view = view.slice(0, index);
      parent = question.parentId;
      content = item.content ?? question.content;
      /* of another text it is another version, which has no place yet */
      branches = question.id === item.userMessageId ? question.branches : null;
    }
    const question = questionOf(item.userMessageId, parent, content);
    view = [...view, { ...question, createdAt: item.createdAt, state: "pending", branches }];
  }
  return view;
}
