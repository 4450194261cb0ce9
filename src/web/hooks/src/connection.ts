// SPDX-License-Identifier: GPL-3.0-or-later
// One connection to a Confab, shared by all that use the same address: a Socket.IO client that
// always tries to be connected, and plain HTTP where it cannot be.
import { io, type Socket } from "socket.io-client";

import { callOverHttp } from "./http.js";
import type {
  CallAck,
  CallName,
  CallPayload,
  ClientToServerEvents,
  Refusal,
  ServerToClientEvents,
} from "./protocol.js";

export type ConfabSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

export interface ConnectionOptions {
  /** Where Confab is, such as `http://127.0.0.1:7420`; default: where the page comes from. */
  url?: string;
  /** The path of Socket.IO there; default `/api/socket`. */
  path?: string;
  /** What to present when connecting, such as `{ token }`. */
  auth?: { token?: string } & Record<string, unknown>;
  /** Which transports of Engine.IO to use; default: polling, then WebSocket if that works. */
  transports?: ("polling" | "websocket")[];
}

export interface ConnectionError {
  /** A sentence for people. */
  message: string;
  /** `unauthorized`: Confab does not know this client; `unreachable`: it did not answer. */
  code: "unauthorized" | "unreachable";
}

export interface ConnectionSnapshot {
  socket: ConfabSocket | null;
  isConnected: boolean;
  /** How Confab is reached now. */
  transport: "websocket" | "polling" | "http" | null;
  /** Why it is not, after the first try. */
  error: ConnectionError | null;
}

/** Thrown by call() where there is no ack to return. */
export class CallError extends Error {
  readonly code: "offline" | "timeout";

  constructor(code: "offline" | "timeout", message: string) {
    super(message);
    this.name = "CallError";
    this.code = code;
  }
}

/** Thrown where Confab has refused what was asked. */
export class RefusalError extends Error {
  readonly code: string;

  constructor({ error, code }: Refusal) {
    super(error);
    this.name = "RefusalError";
    this.code = code;
  }
}

export const NOT_CONNECTED: ConnectionSnapshot = Object.freeze({
  socket: null,
  isConnected: false,
  transport: null,
  error: null,
});

const DEFAULT_PATH = "/api/socket";
const ACK_TIMEOUT_MS = 10000;
/** Somebody may open the printed address in another tab, which signs this one in as well. */
const UNAUTHORIZED_RETRY_MS = 5000;
/** How often plain HTTP is tried again after it failed where nothing else is tried. */
const HTTP_RETRY_MS = 2000;
/** How soon a Confab that had no Socket.IO is asked for it again; then after twice as long. */
const REALTIME_RETRY_MS = 30000;
const MAX_REALTIME_RETRY_MS = 600000;
/** Failures in a row after which plain HTTP is tried. */
const HTTP_AFTER_FAILURES = 2;
/** How long the last user is gone before the connection is closed: longer than any remount. */
const LINGER_MS = 1000;

export type ServerEvent = keyof ServerToClientEvents;

function statusOf(error: Error): number | undefined {
  const { description } = error as { description?: unknown };
  return typeof description === "number" ? description : undefined;
}

export class Connection {
  readonly key: string;
  readonly options: ConnectionOptions;
  readonly socket: ConfabSocket;

  private snapshot: ConnectionSnapshot;
  private listeners = new Set<() => void>();
  private users = 0;
  private failures = 0;
  private overHttp = false;
  private probing = false;
  private closeTimer: ReturnType<typeof setTimeout> | undefined;
  private realtimeDelay = REALTIME_RETRY_MS;
  private realtimeTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(key: string, options: ConnectionOptions) {
    this.key = key;
    this.options = options;
    const settings = {
      path: options.path ?? DEFAULT_PATH,
      auth: options.auth,
      transports: options.transports ?? ["polling", "websocket"],
      autoConnect: false,
      forceNew: true,
      withCredentials: options.url === undefined,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5000,
    };
    this.socket = options.url === undefined ? io(settings) : io(options.url, settings);
    this.snapshot = { ...NOT_CONNECTED, socket: this.socket };
    this.socket.on("connect", this.handleConnect);
    this.socket.on("disconnect", this.handleDisconnect);
    this.socket.on("connect_error", this.handleError);
  }

  getSnapshot = (): ConnectionSnapshot => this.snapshot;

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Connects with the first user, and closes a moment after the last. */
  acquire(): () => void {
    clearTimeout(this.closeTimer);
    if (this.users++ === 0 && !this.socket.connected && !this.overHttp) {
      this.socket.connect();
      if (typeof window !== "undefined") {
        window.addEventListener("online", this.hurry);
        document.addEventListener("visibilitychange", this.hurry);
      }
    }
    let held = true;
    return () => {
      if (!held)
        return;
      held = false;
      if (--this.users === 0)
        this.closeTimer = setTimeout(() => this.close(), LINGER_MS);
    };
  }

  /** Whether Confab is asked over plain HTTP, without events. */
  get isHttp(): boolean {
    return this.overHttp;
  }

  /** Asks Confab, once. Throws CallError where no ack comes. */
  async call<N extends CallName>(
    name: N,
    payload: CallPayload<N>,
    timeoutMs = ACK_TIMEOUT_MS,
  ): Promise<CallAck<N>> {
    if (this.overHttp)
      return this.callHttp(name, payload, timeoutMs);
    if (!this.socket.connected)
      throw new CallError("offline", "There is no connection to Confab.");
    const emitter = this.socket.timeout(timeoutMs) as unknown as {
      emitWithAck(event: string, argument: unknown): Promise<CallAck<N>>;
    };
    try {
      return await emitter.emitWithAck(name, payload);
    } catch {
      if (!this.socket.connected)
        throw new CallError("offline", "The connection to Confab was lost.");
      this.renew();
      throw new CallError("timeout", "Confab did not answer in time.");
    }
  }

  private async callHttp<N extends CallName>(
    name: N,
    payload: CallPayload<N>,
    timeoutMs: number,
  ): Promise<CallAck<N>> {
    let ack: CallAck<N>;
    try {
      ack = await callOverHttp(this.options, name, payload, timeoutMs);
    } catch {
      this.reportHttp(false);
      throw new CallError("offline", "Confab cannot be reached.");
    }
    if (!ack.ok && ack.code === "unauthorized") {
      this.reportUnauthorized(ack.error);
      throw new CallError("offline", ack.error);
    }
    return ack;
  }

  private set(change: Partial<ConnectionSnapshot>) {
    const next = { ...this.snapshot, ...change };
    const same = (Object.keys(next) as (keyof ConnectionSnapshot)[]).every(
      (name) => next[name] === this.snapshot[name],
    );
    if (same)
      return;
    this.snapshot = next;
    for (const listener of [...this.listeners])
      listener();
  }

  /* A connection that was cut amid its upgrade looks whole until its ping is missed, after 45 s:
   * one that does not answer is not waited for so long. */
  private renew() {
    if (this.users > 0 && !this.overHttp)
      this.socket.disconnect().connect();
  }

  private get engineTransport(): "websocket" | "polling" {
    return this.socket.io.engine?.transport.name === "websocket" ? "websocket" : "polling";
  }

  private handleConnect = () => {
    this.failures = 0;
    this.overHttp = false;
    this.realtimeDelay = REALTIME_RETRY_MS;
    clearTimeout(this.realtimeTimer);
    this.set({ isConnected: true, transport: this.engineTransport, error: null });
    this.socket.io.engine.once("upgrade", () => {
      if (this.snapshot.isConnected && !this.overHttp)
        this.set({ transport: this.engineTransport });
    });
  };

  private handleDisconnect = () => {
    this.set({ isConnected: false, transport: null });
    /* after a DISCONNECT of the server the client does not come back on its own */
    if (!this.socket.active)
      this.retryIn(500);
  };

  private handleError = (error: Error & { data?: { code?: string } }) => {
    const status = statusOf(error);
    const refused = error.data?.code === "unauthorized" || status === 401 || status === 403;
    this.failures++;
    if (refused) {
      this.set({
        isConnected: false,
        transport: null,
        error: { code: "unauthorized", message: error.data ? error.message : "Not authorised." },
      });
      if (!this.socket.active)
        this.retryIn(UNAUTHORIZED_RETRY_MS);
      return;
    }
    if (!this.overHttp)
      this.set({
        isConnected: false,
        transport: null,
        error: { code: "unreachable", message: "Confab cannot be reached." },
      });
    if (!this.socket.active)
      this.retryIn(UNAUTHORIZED_RETRY_MS);
    if (this.overHttp && status === 404)
      this.restFromRealtime();
    /* 404 is how a Confab says that it has no Socket.IO */
    if (status === 404 || this.failures >= HTTP_AFTER_FAILURES)
      void this.probeHttp(status === 404);
  };

  /* Where Socket.IO is not offered, or else while it goes on trying. */
  private async probeHttp(isRefused: boolean) {
    if (this.probing || this.overHttp)
      return;
    this.probing = true;
    try {
      const ack = await callOverHttp(this.options, "server:info", {}, ACK_TIMEOUT_MS);
      if (ack.ok && !this.socket.connected && this.users > 0) {
        this.overHttp = true;
        this.set({ isConnected: true, transport: "http", error: null });
        if (isRefused)
          this.restFromRealtime();
      }
    } catch {
      /* not over HTTP either */
    } finally {
      this.probing = false;
    }
  }

  /* Socket.IO would ask every few seconds; but whoever left it out rarely changes their mind. */
  private restFromRealtime() {
    this.socket.disconnect();
    clearTimeout(this.realtimeTimer);
    this.realtimeTimer = setTimeout(this.tryRealtime, this.realtimeDelay);
    this.realtimeDelay = Math.min(2 * this.realtimeDelay, MAX_REALTIME_RETRY_MS);
  }

  private tryRealtime = () => {
    clearTimeout(this.realtimeTimer);
    if (this.users > 0 && this.overHttp && !this.socket.active)
      this.socket.connect();
  };

  /** What plain HTTP found out: that Confab is gone, or there again. */
  reportHttp(reachable: boolean) {
    if (!this.overHttp)
      return;
    clearTimeout(this.retryTimer);
    if (reachable) {
      const wasGone = !this.snapshot.isConnected;
      this.set({ isConnected: true, error: null });
      /* it may have been started anew, and otherwise */
      if (wasGone)
        this.tryRealtime();
      return;
    }
    this.set({
      isConnected: false,
      error: { code: "unreachable", message: "Confab cannot be reached." },
    });
    this.retryTimer = setTimeout(() => void this.askHttp(), HTTP_RETRY_MS);
  }

  /** Plain HTTP is refused to this client until somebody signs it in. */
  reportUnauthorized(message: string) {
    if (!this.overHttp)
      return;
    clearTimeout(this.retryTimer);
    this.set({ isConnected: false, error: { code: "unauthorized", message } });
    this.retryTimer = setTimeout(() => void this.askHttp(), UNAUTHORIZED_RETRY_MS);
  }

  private async askHttp() {
    const ack = await callOverHttp(this.options, "server:info", {}, ACK_TIMEOUT_MS)
      .catch(() => null);
    if (this.users === 0)
      return;
    if (ack && !ack.ok && ack.code === "unauthorized")
      this.reportUnauthorized(ack.error);
    else
      this.reportHttp(ack !== null);
  }

  private retryIn(delayMs: number) {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      if (this.users > 0 && !this.socket.active && !this.overHttp)
        this.socket.connect();
    }, delayMs);
  }

  /* The network is back, or somebody looks again: no use in waiting any longer. */
  private hurry = () => {
    if (this.users === 0 || this.socket.connected || document.visibilityState === "hidden")
      return;
    if (this.overHttp) {
      this.tryRealtime();
      return;
    }
    this.socket.disconnect().connect();
  };

  private close() {
    if (this.users > 0)
      return;
    clearTimeout(this.retryTimer);
    clearTimeout(this.realtimeTimer);
    if (typeof window !== "undefined") {
      window.removeEventListener("online", this.hurry);
      document.removeEventListener("visibilitychange", this.hurry);
    }
    this.overHttp = false;
    this.socket.disconnect();
    this.set({ isConnected: false, transport: null, error: null });
    connections.delete(this.key);
  }
}

const connections = new Map<string, Connection>();

export function connectionKey(options: ConnectionOptions): string {
  const { url, path, auth, transports } = options;
  return JSON.stringify([url ?? "", path ?? DEFAULT_PATH, auth ?? null, transports ?? null]);
}

export function peekConnection(key: string): Connection | undefined {
  return connections.get(key);
}

/** The connection of these options; it is closed when all who took it have let go. */
export function takeConnection(options: ConnectionOptions): {
  connection: Connection;
  release: () => void;
} {
  const key = connectionKey(options);
  let connection = connections.get(key);
  if (!connection) {
    connection = new Connection(key, options);
    connections.set(key, connection);
  }
  return { connection, release: connection.acquire() };
}
