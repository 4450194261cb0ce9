// SPDX-License-Identifier: GPL-3.0-or-later
// What Confab and its clients say to each other, as types: the events of Socket.IO with their
// payloads and acks, and the objects in them.

export type GenerationState =
  | "idle"
  | "queued"
  | "connecting"
  | "streaming"
  | "completed"
  | "stopped"
  | "failed"
  | "interrupted";

export type FinishReason =
  | "stop"
  | "length"
  | "content-filter"
  | "tool-calls"
  | "stopped"
  | "other";

export interface Usage {
  inputTokens: number | null;
  outputTokens: number | null;
  reasoningTokens: number | null;
  cachedInputTokens: number | null;
}

export interface MessagePart {
  type: string;
  text?: string;
}

/** Where a message stands among those that answer, or ask, the same as it: its versions. */
export interface Branches {
  /** From 1, the oldest. */
  index: number;
  count: number;
  previousId: string | null;
  nextId: string | null;
}

/** A message as Confab keeps it. */
export interface WireMessage {
  messageId: string;
  parentId: string | null;
  role: "user" | "assistant";
  content: string;
  parts: MessagePart[] | null;
  state: GenerationState;
  generationId: string | null;
  finishReason: FinishReason | null;
  model: string | null;
  usage: Usage | null;
  createdAt: number;
  code?: string;
  error?: string;
  /** Not there where it is the only version. */
  branches?: Branches;
}

export interface Session {
  sessionId: string;
  title: string;
  createdAt: number;
  updatedAt: number;
  moduleCount: number;
}

export interface Module {
  moduleId: string;
  sessionId: string;
  title: string;
  instructions: string | null;
  provider: string | null;
  model: string | null;
  parameters: Record<string, unknown> | null;
  state: GenerationState;
  messageCount: number;
  /** The newest message of the visible branch. */
  headId: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface Provider {
  name: string;
  default: boolean;
  /** Which model answers where a module names none; not there if that is not known. */
  model?: string;
  models: string[];
  error?: string;
}

export interface SearchResult {
  sessionId: string;
  moduleId?: string;
  messageId?: string;
  title: string;
  snippet: string;
  createdAt: number;
}

/** A refusal: a sentence for people, and a code for programs. */
export interface Refusal {
  ok: false;
  error: string;
  code: string;
  retryable?: boolean;
  retryAfterMs?: number;
}

export type Ack<T> = ({ ok: true } & T) | Refusal;

export interface ReplayedChunk {
  chunk: string;
  kind: "text" | "reasoning";
  seq: number;
  fromSeq?: number;
}

export interface ActiveGeneration {
  generationId: string;
  messageId: string;
  seq: number;
  text: string;
  reasoning: string;
}

/** Where a generation stands: the ack of resume, and of a repeated request. */
export interface ResumeAck {
  state: GenerationState;
  generationId?: string;
  messageId?: string;
  userMessageId?: string;
  seq?: number;
  chunks?: ReplayedChunk[];
  text?: string;
  reasoning?: string;
  message?: string;
  finishReason?: FinishReason;
  code?: string;
  error?: string;
  active?: ActiveGeneration;
  /** The newest message of the visible branch; not there if the module is not known. */
  headId?: string | null;
}

export interface GenerateAck extends ResumeAck {
  generationId: string;
  messageId: string;
  userMessageId: string;
}

interface ModuleSettings {
  title?: string | null;
  instructions?: string | null;
  provider?: string | null;
  model?: string | null;
  parameters?: Record<string, unknown> | null;
}

interface Page {
  limit?: number;
  cursor?: string;
}

/** What can be asked of Confab: the payload of each event, and what its ack adds. */
export interface Calls {
  "ai:chat:generate": [
    {
      moduleId: string;
      message: string;
      sessionId?: string;
      requestId?: string;
      userMessageId?: string;
    },
    GenerateAck,
  ];
  "ai:chat:regenerate": [
    { moduleId: string; messageId?: string; message?: string; requestId?: string },
    GenerateAck,
  ];
  "ai:chat:stop": [{ moduleId: string; generationId?: string }, { stopped: number }];
  "ai:chat:resume": [{ moduleId: string; generationId?: string; seq?: number }, ResumeAck];
  "ai:chat:leave": [{ moduleId: string }, object];
  "ai:chat:history": [
    { moduleId: string; before?: string; limit?: number },
    { messages: WireMessage[]; more: boolean },
  ];
  "ai:chat:branch": [
    { moduleId: string; messageId: string },
    { headId: string; messageCount: number },
  ];
  "ai:chat:search": [{ query: string; limit?: number }, { results: SearchResult[] }];
  "session:list": [Page, { sessions: Session[]; cursor?: string }];
  "session:create": [{ title?: string; sessionId?: string }, { session: Session }];
  "session:update": [{ sessionId: string; title: string }, { session: Session }];
  "session:delete": [{ sessionId: string }, { session: Session }];
  "module:list": [{ sessionId: string } & Page, { modules: Module[]; cursor?: string }];
  "module:create": [{ sessionId: string; moduleId?: string } & ModuleSettings, { module: Module }];
  "module:update": [{ moduleId: string } & ModuleSettings, { module: Module }];
  "module:delete": [{ moduleId: string }, { module: Module }];
  "provider:list": [object, { providers: Provider[] }];
  "server:info": [
    object,
    {
      version: string;
      protocol: number;
      features: string[];
      limits: Record<string, number>;
    },
  ];
}

export type CallName = keyof Calls;
export type CallPayload<N extends CallName> = Calls[N][0];
export type CallAck<N extends CallName> = Ack<Calls[N][1]>;

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of socket.io-client. */
export type ClientToServerEvents = {
  [N in CallName]: (payload: CallPayload<N>, ack?: (ack: CallAck<N>) => void) => void;
};

export interface StartedEvent {
  moduleId: string;
  generationId: string;
  messageId: string;
  userMessageId: string;
  parentId: string | null;
  message: string;
  /** Of the answer and of the question, where there are other versions. */
  branches?: Branches;
  userBranches?: Branches;
}

/** Another branch is visible: what was shown after `parentId` no longer is. */
export interface BranchEvent {
  moduleId: string;
  /** What was asked for; it is on the branch, and follows `parentId`. */
  messageId: string;
  parentId: string | null;
  headId: string;
  messageCount: number;
}

export interface ChunkEvent {
  moduleId: string;
  generationId: string;
  chunk: string;
  seq: number;
  fromSeq?: number;
}

export interface CompleteEvent {
  moduleId: string;
  generationId: string;
  messageId: string;
  message: string;
  finishReason: FinishReason;
  usage: Usage | null;
  model?: string | null;
}

export interface ErrorEvent {
  error: string;
  code: string;
  retryable: boolean;
  retryAfterMs?: number;
  moduleId?: string;
  generationId?: string;
  messageId?: string;
  requestId?: string;
  message?: string;
  model?: string;
}

export interface ResyncEvent {
  moduleId: string;
  generationId: string;
  seq: number;
}

export interface ServerToClientEvents {
  "ai:chat:started": (event: StartedEvent) => void;
  "ai:chat:chunk": (event: ChunkEvent) => void;
  "ai:chat:reasoning": (event: ChunkEvent) => void;
  "ai:chat:complete": (event: CompleteEvent) => void;
  "ai:chat:error": (event: ErrorEvent) => void;
  "ai:chat:resync": (event: ResyncEvent) => void;
  "ai:chat:branch": (event: BranchEvent) => void;
  "session:changed": (event: Session | { sessionId: string; deleted: true }) => void;
  "module:changed": (event: Module | { moduleId: string; deleted: true }) => void;
}

/** Whether a generation in this state says nothing more. */
export function isEnded(state: GenerationState): boolean {
  return (
    state === "completed" || state === "stopped" || state === "failed" || state === "interrupted"
  );
}
