// SPDX-License-Identifier: GPL-3.0-or-later
// Chance that can be had again: every name under a seed has a stream of its own, so that what one
// part draws does not depend on when another part draws.

function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1)
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value ^= value >>> 15;
  return value >>> 0;
}

export class Random {
  #state;

  constructor(...names) {
    this.#state = hash(names.join('\u0000'));
  }

  /** From 0 to 1, exclusive: mulberry32. */
  real() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 0x100000000;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min, max) {
    return min + Math.floor(this.real() * (max - min + 1));
  }

  chance(probability) {
    return this.real() < probability;
  }

  pick(list) {
    return list[this.int(0, list.length - 1)];
  }

  /** A key of `{key: weight}`. */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.real() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0)
        return key;
    }
    return entries.at(-1)[0];
  }
}
