// SPDX-License-Identifier: GPL-3.0-or-later
// Short notes at the foot of the page, some of which can be taken back.
import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void } | undefined;
}

const SHORT_MS = 4000;

let toasts: Toast[] = [];
let lastId = 0;
/** `isLeaving`: the page goes, and waits for nothing any more. */
type EndFunc = (isLeaving: boolean) => void;

const timers = new Map<number, { timer: ReturnType<typeof setTimeout>; end?: EndFunc }>();
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const listener of listeners)
    listener();
}

/** Shows a note; `onEnd` is called when it goes without its action having been taken. */
export function showToast(
  text: string,
  { action, onEnd, duration = SHORT_MS }: {
    action?: Toast["action"];
    onEnd?: EndFunc;
    duration?: number;
  } = {},
) {
  const id = ++lastId;
  const timer = setTimeout(() => dismiss(id), duration);
  timers.set(id, { timer, ...(onEnd ? { end: onEnd } : {}) });
  set([...toasts, { id, text, action }].slice(-3));
}

export function dismiss(id: number, taken = false, isLeaving = false) {
  const entry = timers.get(id);
  timers.delete(id);
  clearTimeout(entry?.timer);
  set(toasts.filter((toast) => toast.id !== id));
  if (!taken)
    entry?.end?.(isLeaving);
}

/** Ends all of them, as when the page goes. */
export function endToasts() {
  for (const id of [...timers.keys()])
    dismiss(id, false, true);
}

export function useToasts(): Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
