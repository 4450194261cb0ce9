// SPDX-License-Identifier: GPL-3.0-or-later
// Colours of code. The languages are loaded when the first code appears; until then it is plain.
import type { HLJSApi } from "highlight.js";

let api: HLJSApi | null = null;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

/* What is longer is shown plain: colouring it would take longer than a frame. */
const MAX_LENGTH = 50000;

function load() {
  loading ??= import("./languages").then((module) => {
    api = module.default;
    for (const listener of listeners)
      listener();
  }, () => {
    /* plain code is readable too; the next code tries again */
    loading = null;
  });
}

/** HTML of code with its parts named by classes, or null if it is to be shown plain. */
export function highlight(language: string, text: string): string | null {
  if (!language || text.length > MAX_LENGTH)
    return null;
  if (!api) {
    load();
    return null;
  }
  return api.getLanguage(language) ? api.highlight(text, { language }).value : null;
}

export const colours = {
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
  areLoaded: () => api !== null,
};
