// SPDX-License-Identifier: GPL-3.0-or-later
// Asking again what got no answer, with growing pauses.
import { CallError } from "./connection.js";
import type { Ack } from "./protocol.js";

export const RETRY_MS = 1000;
const MAX_RETRY_MS = 15000;

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const nextDelay = (delay: number) => Math.min(2 * delay, MAX_RETRY_MS);

/** There is no connection; what was asked is asked anew when there is one. */
export function isOffline(error: unknown): boolean {
  return error instanceof CallError && error.code === "offline";
}

const PASSING = new Set(["rate-limited", "shutting-down"]);

/** For how long to wait after a refusal that passes by itself; undefined: this one does not. */
export function passesAfter(ack: Ack<unknown>): number | undefined {
  return ack.ok || !PASSING.has(ack.code) ? undefined : (ack.retryAfterMs ?? RETRY_MS);
}

/**
 * Asks until that is decided, as long as it `isWanted`. Resolves to undefined where it is not: the
 * connection is gone, or nobody waits any more.
 */
export async function askUntilDecided<T>(
  ask: () => Promise<Ack<T>>,
  isWanted: () => boolean,
): Promise<Ack<T> | undefined> {
  for (let delay = RETRY_MS; isWanted(); delay = nextDelay(delay)) {
    let pause = delay;
    try {
      const ack = await ask();
      const passing = passesAfter(ack);
      if (passing === undefined)
        return isWanted() ? ack : undefined;
      pause = passing;
    } catch (error) {
      if (isOffline(error))
        return undefined;
    }
    await sleep(pause);
  }
  return undefined;
}
