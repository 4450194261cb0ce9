// SPDX-License-Identifier: GPL-3.0-or-later
// Questions that Confab has not accepted yet. They outlive a reload, and their requestId sees to it
// that none is asked twice.

export interface Pending {
  kind: "generate" | "regenerate";
  requestId: string;
  /** Of the question; made here for a new one. */
  userMessageId: string;
  /** What is asked; of a regeneration, absent if the question stays as it is. */
  content?: string;
  /** Of a regeneration: the question, or the answer to it. */
  messageId?: string;
  createdAt: number;
}

const PREFIX = "confab:outbox:";

function storage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

function isPending(value: unknown): value is Pending {
  const { kind, requestId, userMessageId } = (value ?? {}) as Record<string, unknown>;
  return (
    (kind === "generate" || kind === "regenerate") &&
    typeof requestId === "string" &&
    typeof userMessageId === "string"
  );
}

export class Outbox {
  readonly items: Pending[];
  private readonly name: string;

  constructor(name: string) {
    this.name = PREFIX + name;
    this.items = this.read();
  }

  add(pending: Pending) {
    this.items.push(pending);
    this.write();
  }

  remove(pending: Pending) {
    const index = this.items.indexOf(pending);
    if (index >= 0)
      this.items.splice(index, 1);
    this.write();
  }

  private read(): Pending[] {
    try {
      const items: unknown = JSON.parse(storage()?.getItem(this.name) ?? "[]");
      return Array.isArray(items) ? items.filter(isPending) : [];
    } catch {
      return [];
    }
  }

  /* Where nothing can be stored, a reload forgets; all else works. */
  private write() {
    try {
      if (this.items.length > 0)
        storage()?.setItem(this.name, JSON.stringify(this.items));
      else
        storage()?.removeItem(this.name);
    } catch {
      /* full, or forbidden */
    }
  }
}
