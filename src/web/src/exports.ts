// SPDX-License-Identifier: GPL-3.0-or-later
// A conversation as a file of the reader's.
import type { WireMessage } from "@confab/react";

import { _, format } from "./i18n";
import { ask } from "./library";

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

function download(name: string, type: string, content: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export async function exportChat(moduleId: string, title: string, kind: "md" | "json") {
  const messages = await readAll(moduleId);
  if (!messages)
    return;
  const name = title.replace(/[\\/:*?\x22<>|\s]+/g, " ").trim().slice(0, 60) || _("Chat");
  const file = format("%s.%s", name, kind);
  if (kind === "md")
    download(file, "text/markdown", toMarkdown(title, messages));
  else
    download(file, "application/json", JSON.stringify({ moduleId, title, messages }, null, 2));
}
