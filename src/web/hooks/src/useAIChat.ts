// SPDX-License-Identifier: GPL-3.0-or-later
import { useCallback, useMemo, useRef, useSyncExternalStore } from "react";

import {
  NO_CHAT,
  NO_STREAM,
  type ChatSnapshot,
  type StreamSnapshot,
} from "./chat-state.js";
import { chatKey, peekChat, takeChat, type ChatOptions } from "./chats.js";
import { useSocket } from "./useSocket.js";

export interface UseAIChatOptions extends ChatOptions {
  /**
   * Whether to render with every piece of an answer; default true. A component with many messages
   * passes false, and shows the answer that is being written by useAIChatStream() in a child.
   */
  stream?: boolean;
}

export interface UseAIChatResult extends ChatSnapshot {
  /**
   * Asks. The question is in `messages` at once; it is sent until Confab has decided, across lost
   * connections and reloads. Resolves to whether it was accepted; if not, `error` says why.
   */
  sendMessage: (content: string) => Promise<boolean>;
  /** Ends the answer that is being written; its text stays. */
  stop: () => void;
  /** Has a question answered anew: of this message, or the last; with another text, if given. */
  regenerate: (messageId?: string, content?: string) => Promise<boolean>;
  /**
   * Makes another version of a message visible, and what followed it: `messageId` is one of
   * `previousId` and `nextId` of its `branches`, or any message of the conversation. Resolves when
   * it is in `messages`. Rejects with an error whose `code` says why not: `busy` while an answer is
   * being written, `unknown-message`, `offline`, and so on; then nothing has changed.
   */
  switchBranch: (messageId: string) => Promise<void>;
  /** Reads older messages, if `hasMore`. */
  loadMore: () => Promise<void>;
  /** Reads the newest messages again; Confab tells of those that come, so nobody has to. */
  reload: () => Promise<void>;
  clearError: () => void;
  /** The answer that is being written. */
  streamingText: string;
  /** What the model has thought so far. */
  reasoning: string;
  isConnected: boolean;
}

const unsubscribed = () => {};

function useChatStore<S>(
  options: ChatOptions,
  which: "subscribe" | "subscribeToStream" | null,
  read: "getSnapshot" | "getStream",
  empty: S,
): S {
  const key = chatKey(options);
  const latest = useRef(options);
  latest.current = options;
  const subscribe = useCallback(
    (listener: () => void) => {
      if (which === null)
        return unsubscribed;
      const { chat, release } = takeChat(latest.current);
      const unsubscribe = chat[which](listener);
      return () => {
        unsubscribe();
        release();
      };
    },
    [key, which],
  );
  const getSnapshot = useCallback(
    () => (which === null ? empty : ((peekChat(key)?.[read]() as S | undefined) ?? empty)),
    [key, which, read, empty],
  );
  return useSyncExternalStore(subscribe, getSnapshot, () => empty);
}

/** The answer that is being written in a conversation; renders as often as it grows. */
export function useAIChatStream(options: ChatOptions): StreamSnapshot {
  return useChatStore(options, "subscribeToStream", "getStream", NO_STREAM);
}

/**
 * A conversation with a model, kept by Confab: it continues where it was after a reload or a lost
 * connection, and shows what other tabs and devices ask in it.
 */
export function useAIChat(options: UseAIChatOptions): UseAIChatResult {
  const key = chatKey(options);
  const { isConnected } = useSocket(options);
  const snapshot = useChatStore<ChatSnapshot>(options, "subscribe", "getSnapshot", NO_CHAT);
  const withStream = options.stream ?? true;
  const stream = useChatStore<StreamSnapshot>(
    options,
    withStream ? "subscribeToStream" : null,
    "getStream",
    NO_STREAM,
  );

  const actions = useMemo(
    () => ({
      sendMessage: async (content: string) => (await peekChat(key)?.send(content)) ?? false,
      stop: () => peekChat(key)?.stop(),
      regenerate: async (messageId?: string, content?: string) =>
        (await peekChat(key)?.regenerate(messageId, content)) ?? false,
      switchBranch: async (messageId: string) => peekChat(key)?.switchBranch(messageId),
      loadMore: async () => peekChat(key)?.loadMore(),
      reload: async () => peekChat(key)?.reload(),
      clearError: () => peekChat(key)?.clearError(),
    }),
    [key],
  );

  return {
    ...snapshot,
    ...actions,
    streamingText: stream.text,
    reasoning: stream.reasoning,
    isConnected,
  };
}
