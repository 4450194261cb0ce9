// SPDX-License-Identifier: GPL-3.0-or-later
// Confab without Socket.IO: calls by POST, and answers as server-sent events.
import type { ConnectionOptions } from "./connection.js";
import type { CallAck, CallName, CallPayload } from "./protocol.js";

function addressOf(options: ConnectionOptions, path: string): string {
  return options.url === undefined ? path : new URL(path, options.url).href;
}

function headersOf(options: ConnectionOptions): Record<string, string> {
  const token = options.auth?.token;
  return {
    "Content-Type": "application/json",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
}

/** Sends a request; where pages of other origins ask, no cookies go along. */
export function fetchFrom(
  options: ConnectionOptions,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  return fetch(addressOf(options, path), {
    ...init,
    headers: headersOf(options),
    credentials: options.url === undefined ? "same-origin" : "omit",
    cache: "no-store",
  });
}

/** `POST /api/call/EVENT`; throws where there is no answer of Confab's. */
export async function callOverHttp<N extends CallName>(
  options: ConnectionOptions,
  name: N,
  payload: CallPayload<N>,
  timeoutMs: number,
): Promise<CallAck<N>> {
  const response = await fetchFrom(options, `/api/call/${name}`, {
    method: "POST",
    body: JSON.stringify(payload),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const body: unknown = await response.json();
  if (typeof body === "object" && body !== null && "ok" in body)
    return body as CallAck<N>;
  if (typeof body === "object" && body !== null && "error" in body)
    return { ok: false, code: "internal", ...body } as CallAck<N>;
  throw new Error(`HTTP ${response.status}`);
}
