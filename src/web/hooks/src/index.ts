// SPDX-License-Identifier: GPL-3.0-or-later
export { useSocket, type UseSocketResult } from "./useSocket.js";
export {
  useAIChat,
  useAIChatStream,
  type UseAIChatOptions,
  type UseAIChatResult,
} from "./useAIChat.js";
export { CallError, RefusalError } from "./connection.js";
export type { ChatOptions } from "./chats.js";
export type { ChatError, ChatSnapshot, ChatStatus, StreamSnapshot } from "./chat-state.js";
export type { ConfabSocket, ConnectionError, ConnectionOptions } from "./connection.js";
export type { ChatMessage } from "./messages.js";
export type * from "./protocol.js";
export { isEnded } from "./protocol.js";
export { makeId } from "./id.js";
