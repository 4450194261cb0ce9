// SPDX-License-Identifier: GPL-3.0-or-later
// The sessions and their conversations, as the list beside the chat shows them.
import { useSyncExternalStore } from "react";
import type {
  CallAck,
  CallName,
  CallPayload,
  ConfabSocket,
  Module,
  Provider,
  Session,
} from "@confab/react";

import { _, format } from "./i18n";
import { showToast } from "./toasts";

export type Call = <N extends CallName>(
  name: N,
  payload: CallPayload<N>,
) => Promise<CallAck<N>>;

export interface Library {
  sessions: Session[];
  /** By sessionId; what is not there has not been asked for. */
  modules: Record<string, Module[]>;
  providers: Provider[];
  state: "loading" | "ready" | "failed";
}

const PAGE = 200;
const UNDO_MS = 7000;
const RETRY_MS = 1000;

let library: Library = { sessions: [], modules: {}, providers: [], state: "loading" };
/** Ids of what is deleted as soon as it can no longer be taken back. */
const hidden = new Set<string>();
const wanted = new Set<string>();
const listeners = new Set<() => void>();
let call: Call | null = null;

let view = library;

function set(change: Partial<Library>) {
  library = { ...library, ...change };
  const modules = Object.entries(library.modules).map(([sessionId, list]) => [
    sessionId,
    list.filter(({ moduleId }) => !hidden.has(moduleId)),
  ]);
  view = {
    ...library,
    sessions: library.sessions.filter(({ sessionId }) => !hidden.has(sessionId)),
    modules: Object.fromEntries(modules) as Library["modules"],
  };
  for (const listener of listeners)
    listener();
}

export function useLibrary(): Library {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => view,
  );
}

const newestFirst = (a: { updatedAt: number }, b: { updatedAt: number }) =>
  b.updatedAt - a.updatedAt;

/** Takes one object into a list, in place of what was known of it. */
function put<T extends { updatedAt: number }>(list: T[], item: T, is: (other: T) => boolean): T[] {
  return [...list.filter((other) => !is(other)), item].sort(newestFirst);
}

/* What is only read is asked for again where that was too fast. */
async function read<N extends CallName>(name: N, payload: CallPayload<N>): Promise<CallAck<N>> {
  for (;;) {
    const ack = await call!(name, payload);
    if (ack.ok || ack.code !== "rate-limited")
      return ack;
    const { retryAfterMs = RETRY_MS } = ack;
    await new Promise((resolve) => { setTimeout(resolve, retryAfterMs); });
  }
}

async function loadModules(sessionId: string) {
  const modules: Module[] = [];
  let cursor: string | undefined;
  do {
    const ack = await read("module:list", {
      sessionId,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    /* one that nobody has written in yet */
    if (!ack.ok && ack.code === "unknown-session")
      break;
    if (!ack.ok)
      throw new Error(ack.error);
    modules.push(...ack.modules);
    ({ cursor } = ack);
  } while (cursor !== undefined);
  set({ modules: { ...library.modules, [sessionId]: modules.sort(newestFirst) } });
}

/** Has the conversations of a session in the list, now and after every reconnect. */
export function wantModules(sessionId: string) {
  if (wanted.has(sessionId))
    return;
  wanted.add(sessionId);
  if (call)
    loadModules(sessionId).catch(() => {});
}

async function loadSessions() {
  const sessions: Session[] = [];
  let cursor: string | undefined;
  do {
    const ack = await read("session:list", {
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    if (!ack.ok)
      throw new Error(ack.error);
    sessions.push(...ack.sessions);
    ({ cursor } = ack);
  } while (cursor !== undefined);
  set({ sessions: sessions.sort(newestFirst), state: "ready" });
}

export async function loadProviders() {
  const ack = call ? await read("provider:list", {}) : null;
  if (ack?.ok)
    set({ providers: ack.providers });
}

async function loadAll() {
  try {
    await loadSessions();
    await Promise.all([...wanted].map((sessionId) => loadModules(sessionId)));
    await loadProviders();
  } catch {
    if (library.state === "loading")
      set({ state: "failed" });
  }
}

/** Keeps the library in step as long as there is a connection; call after every connect. */
export function followLibrary(socket: ConfabSocket, callNow: Call, isHttp: boolean): () => void {
  const handleSession = (event: Session | { sessionId: string; deleted: true }) => {
    const { sessionId } = event;
    const is = (other: Session) => other.sessionId === sessionId;
    if (!("deleted" in event)) {
      set({ sessions: put(library.sessions, event, is) });
      return;
    }
    const { [sessionId]: _gone, ...modules } = library.modules;
    set({ sessions: library.sessions.filter((other) => !is(other)), modules });
  };
  const handleModule = (event: Module | { moduleId: string; deleted: true }) => {
    const is = (other: Module) => other.moduleId === event.moduleId;
    const without = Object.entries(library.modules).map(([id, list]) => [
      id,
      list.some(is) ? list.filter((other) => !is(other)) : list,
    ]);
    const modules = Object.fromEntries(without) as Library["modules"];
    if (!("deleted" in event) && wanted.has(event.sessionId))
      modules[event.sessionId] = put(modules[event.sessionId] ?? [], event, is);
    set({ modules });
  };

  call = callNow;
  void loadAll();
  socket.on("session:changed", handleSession);
  socket.on("module:changed", handleModule);
  const timer = isHttp ? setInterval(() => void loadAll(), 5000) : undefined;
  return () => {
    clearInterval(timer);
    socket.off("session:changed", handleSession);
    socket.off("module:changed", handleModule);
  };
}

/** Asks, and tells the reader if it was refused or could not be asked. */
export async function ask<N extends CallName>(
  name: N,
  payload: CallPayload<N>,
): Promise<Extract<CallAck<N>, { ok: true }> | null> {
  try {
    const ack = await call!(name, payload);
    if (ack.ok)
      return ack as Extract<CallAck<N>, { ok: true }>;
    showToast(ack.error);
  } catch {
    showToast(_("There is no connection to Confab. Try again in a moment."));
  }
  return null;
}

export function titleOf(module: { title: string } | undefined): string {
  return module?.title || _("New chat");
}

export function sessionTitleOf(session: { sessionId: string; title: string }): string {
  return session.title || (session.sessionId === "default" ? _("Chats") : _("Untitled session"));
}

/** Sends what a page that goes still has to say: the browser delivers it after its end. */
function sendLast<N extends CallName>(name: N, payload: CallPayload<N>) {
  void fetch(`/api/call/${name}`, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(payload),
  }).catch(() => {});
}

/** Hides it at once, and deletes it when nobody has taken that back for a while. */
function deleteLater<N extends "module:delete" | "session:delete">(
  name: N,
  payload: CallPayload<N>,
  id: string,
  title: string,
) {
  const show = () => {
    hidden.delete(id);
    set({});
  };
  hidden.add(id);
  set({});
  showToast(format(_("“%s” deleted"), title), {
    duration: UNDO_MS,
    action: { label: _("Undo"), run: show },
    onEnd: (isLeaving) => {
      if (isLeaving) {
        sendLast(name, payload);
        return;
      }
      void ask(name, payload).then((ack) => {
        if (!ack)
          show();
      });
    },
  });
}

export function deleteModule(module: Module) {
  const { moduleId } = module;
  deleteLater("module:delete", { moduleId }, moduleId, titleOf(module));
}

export function deleteSession(session: Session) {
  const { sessionId } = session;
  deleteLater("session:delete", { sessionId }, sessionId, sessionTitleOf(session));
}

export type ModuleSettings = Omit<CallPayload<"module:update">, "moduleId">;

/** Changes settings of a conversation, which may not be there yet. */
export async function changeModule(
  place: { sessionId: string; moduleId: string },
  settings: ModuleSettings,
): Promise<boolean> {
  const { sessionId, moduleId } = place;
  const known = library.modules[sessionId]?.some((module) => module.moduleId === moduleId);
  if (known)
    return (await ask("module:update", { moduleId, ...settings })) !== null;
  if (!library.sessions.some((session) => session.sessionId === sessionId)
      && !(await ask("session:create", { sessionId })))
    return false;
  const made = await ask("module:create", { sessionId, moduleId });
  return made !== null && (await ask("module:update", { moduleId, ...settings })) !== null;
}
