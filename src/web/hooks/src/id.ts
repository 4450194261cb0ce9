// SPDX-License-Identifier: GPL-3.0-or-later

/** An id that nobody else makes. crypto.randomUUID is missing on plain HTTP from elsewhere. */
export function makeId(): string {
  if (crypto.randomUUID)
    return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
