// SPDX-License-Identifier: GPL-3.0-or-later
// Asking again what got no answer, with growing pauses.
import { CallError } from "./connection.js";

export const RETRY_MS = 1000;
const MAX_RETRY_MS = 15000;

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const nextDelay = (delay: number) => Math.min(2 * delay, MAX_RETRY_MS);

/** There is no connection; what was asked is asked anew when there is one. */
export function isOffline(error: unknown): boolean {
  return error instanceof CallError && error.code === "offline";
}

/**
 * Asks until there is an answer, as long as it `isWanted`. Resolves to undefined where there is
 * none: the connection is gone, or nobody waits any more.
 */
export async function askUntilAnswered<T>(
  ask: () => Promise<T>,
  isWanted: () => boolean,
): Promise<T | undefined> {
  for (let delay = RETRY_MS; isWanted(); delay = nextDelay(delay)) {
    try {
      const answer = await ask();
      return isWanted() ? answer : undefined;
    } catch (error) {
      if (isOffline(error))
        return undefined;
      await sleep(delay);
    }
  }
  return undefined;
}
