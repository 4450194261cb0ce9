// SPDX-License-Identifier: GPL-3.0-or-later
// What the parts of a chat tell each other, and what a component sees of it.
import type { ChatMessage } from "./messages.js";
import type { FinishReason, GenerationState, Usage } from "./protocol.js";

export type ChatStatus = "loading" | "ready" | "submitted" | "streaming" | "error";

export interface ChatError {
  message: string;
  code: string;
}

export interface ChatSnapshot {
  /** The visible branch, without the answer that is being written. */
  messages: ChatMessage[];
  status: ChatStatus;
  /** Why the last request was refused, or how the last answer failed. */
  error: ChatError | null;
  /** The newest messages were read. If not, and with an `error`, reading them was refused. */
  isLoaded: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** The conversation was deleted. */
  isDeleted: boolean;
}

/** The answer that is being written. */
export interface StreamSnapshot {
  messageId: string | null;
  generationId: string | null;
  text: string;
  reasoning: string;
}

export const NO_CHAT: ChatSnapshot = Object.freeze({
  messages: [],
  status: "loading",
  error: null,
  isLoaded: false,
  hasMore: false,
  isLoadingMore: false,
  isDeleted: false,
});

export const NO_STREAM: StreamSnapshot = Object.freeze({
  messageId: null,
  generationId: null,
  text: "",
  reasoning: "",
});

/** The answer that is being written, as Transcript keeps it. */
export interface RunningAnswer extends StreamSnapshot {
  messageId: string;
  generationId: string;
  /** The last that is in it; -1 if it came without numbers. */
  seq: number;
}

/** How an answer ended. */
export interface Ending {
  /** Its whole text, if that is known better than from its pieces. */
  message?: string;
  state: GenerationState;
  finishReason?: FinishReason | null;
  usage?: Usage | null;
  model?: string | null;
  error?: ChatError | null;
}
