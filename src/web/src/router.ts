// SPDX-License-Identifier: GPL-3.0-or-later
// The address names the conversation, so that a reload or a bookmark comes back to the same one.
import { useSyncExternalStore } from "react";

import { makeId } from "@confab/react";

export interface Place {
  sessionId: string;
  moduleId: string;
  /** The message to show, of a search result. */
  messageId?: string;
}

const DEFAULT_SESSION = "default";
const PATH = /^\/session\/([^/]+)\/module\/([^/]+)\/?$/;

const listeners = new Set<() => void>();
let place = read();

function read(): Place {
  const match = PATH.exec(location.pathname);
  if (!match) {
    const fresh = { sessionId: DEFAULT_SESSION, moduleId: makeId() };
    history.replaceState(null, "", addressOf(fresh));
    return fresh;
  }
  const messageId = /^#message-(.+)$/.exec(location.hash)?.[1];
  return {
    sessionId: decodeURIComponent(match[1]!),
    moduleId: decodeURIComponent(match[2]!),
    ...(messageId ? { messageId: decodeURIComponent(messageId) } : {}),
  };
}

export function addressOf({ sessionId, moduleId, messageId }: Place): string {
  const path = `/session/${encodeURIComponent(sessionId)}/module/${encodeURIComponent(moduleId)}`;
  return messageId ? `${path}#message-${encodeURIComponent(messageId)}` : path;
}

function reread() {
  place = read();
  for (const listener of listeners)
    listener();
}

window.addEventListener("popstate", reread);

/** The message that the address names was shown: a reload is not to look for it again. */
export function forgetMessage() {
  const { messageId: _shown, ...rest } = place;
  history.replaceState(null, "", addressOf(rest));
  reread();
}

export function navigate(to: Place) {
  history.pushState(null, "", addressOf(to));
  reread();
}

/** An empty conversation, which comes to be with its first question. */
export function navigateToNew(sessionId: string) {
  navigate({ sessionId, moduleId: makeId() });
}

export function usePlace(): Place {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => place,
  );
}
