// SPDX-License-Identifier: GPL-3.0-or-later
// Conversations that are in use, each once however many components show it.
import { Chat } from "./chat.js";
import { connectionKey, takeConnection, type ConnectionOptions } from "./connection.js";

export interface ChatOptions extends ConnectionOptions {
  /** Which conversation. One that does not exist is made by its first question. */
  moduleId: string;
  /** In which session a new one is made; default: `default`. */
  sessionId?: string | undefined;
}

interface Entry {
  chat: Chat;
  users: number;
  release: () => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A component that is mounted anew soon finds everything as it was. */
const LINGER_MS = 1000;

const chats = new Map<string, Entry>();

export function chatKey(options: ChatOptions): string {
  return `${connectionKey(options)} ${options.moduleId}`;
}

export function peekChat(key: string): Chat | undefined {
  return chats.get(key)?.chat;
}

/** The conversation of these options; it is let go when all who took it have released it. */
export function takeChat(options: ChatOptions): { chat: Chat; release: () => void } {
  const key = chatKey(options);
  let entry = chats.get(key);
  if (!entry) {
    const { connection, release } = takeConnection(options);
    const chat = new Chat(connection, options.moduleId, options.sessionId);
    entry = { chat, users: 0, release, timer: undefined };
    chats.set(key, entry);
    chat.start();
  }
  const taken = entry;
  clearTimeout(taken.timer);
  taken.users++;
  taken.chat.sessionId = options.sessionId;
  let held = true;
  const release = () => {
    if (!held)
      return;
    held = false;
    if (--taken.users > 0)
      return;
    taken.timer = setTimeout(() => {
      chats.delete(key);
      taken.chat.end();
      taken.release();
    }, LINGER_MS);
  };
  return { chat: taken.chat, release };
}
