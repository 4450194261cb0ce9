// SPDX-License-Identifier: GPL-3.0-or-later
// A conversation as a file of the reader's.
import type { Module, Session, WireMessage } from "@confab/react";

import { _, format } from "./i18n";
import { ask, titleOf } from "./library";

const PAGE = 200;

async function readAll(moduleId: string): Promise<WireMessage[] | null> {
  let messages: WireMessage[] = [];
  for (;;) {
    const before = messages[0]?.messageId;
    const ack = await ask("ai:chat:history", {
      moduleId,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    if (!ack)
      return null;
    messages = [...ack.messages, ...messages];
    if (!ack.more)
      return messages;
  }
}

function toMarkdown(title: string, messages: WireMessage[]): string {
  const turns = messages.map(({ role, content, createdAt, model }) => {
    const who = role === "user" ? _("You") : (model ?? _("Answer"));
    return `## ${who}\n\n*${new Date(createdAt).toLocaleString()}*\n\n${content.trim()}\n`;
  });
  return [`# ${title}\n`, ...turns].join("\n");
}

/** What is on the page in the format of docs/export-format.md, so that Confab can import it. */
function toJson(session: Session | undefined, module: Module, messages: WireMessage[]): string {
  const { moduleId, sessionId, title, instructions, provider, model, parameters } = module;
  const { createdAt, updatedAt } = module;
  const records = [
    {
      type: "session",
      sessionId,
      title: session?.title ?? "",
      createdAt: session?.createdAt ?? createdAt,
      updatedAt: session?.updatedAt ?? updatedAt,
    },
    {
      type: "module",
      moduleId,
      sessionId,
      title,
      titleIsAuto: title === "",
      instructions,
      provider,
      model,
      parameters,
      headId: messages.at(-1)?.messageId ?? null,
      createdAt,
      updatedAt,
    },
    // one by one: what the protocol adds is not in the format
    ...messages.map((message) => ({
      type: "message",
      messageId: message.messageId,
      parentId: message.parentId,
      role: message.role,
      parts: message.parts ?? [{ type: "text", text: message.content }],
      state: message.state,
      finishReason: message.finishReason,
      code: message.code ?? null,
      error: message.error ?? null,
      generationId: message.generationId,
      model: message.model,
      usage: message.usage,
      createdAt: message.createdAt,
    })),
  ];
  return JSON.stringify(
    { format: "confab-export", version: 1, exportedAt: Date.now(), records }, null, 2);
}

function download(name: string, type: string, content: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export async function exportChat(
  session: Session | undefined,
  module: Module,
  kind: "md" | "json",
) {
  const title = titleOf(module);
  const messages = await readAll(module.moduleId);
  if (!messages)
    return;
  const name = title.replace(/[\\/:*?\x22<>|\s]+/g, " ").trim().slice(0, 60) || _("Chat");
  const file = format("%s.%s", name, kind);
  if (kind === "md")
    download(file, "text/markdown", toMarkdown(title, messages));
  else
    download(file, "application/json", toJson(session, module, messages));
}
