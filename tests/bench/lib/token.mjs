// SPDX-License-Identifier: GPL-3.0-or-later
// A token of the bench's upstream is the time of its birth, in microseconds of the system's
// monotonic clock, which all processes share. All tokens are of one length, so that a chunk tells
// how many it holds.
const DIGITS = 9;

/** With the blank at its end. */
export const TOKEN_LENGTH = DIGITS + 1;

export const now = () => Number(process.hrtime.bigint() / 1000n);

export function makeToken() {
  return `${now().toString(36).padStart(DIGITS, '0')} `;
}

/** The time of birth of the token that begins at `index` of `text`. */
export function readToken(text, index) {
  return Number.parseInt(text.slice(index, index + DIGITS), 36);
}
