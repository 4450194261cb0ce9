// SPDX-License-Identifier: GPL-3.0-or-later
// What was typed and not sent, by conversation; and small choices of the reader.

export function load(name: string): string {
  try {
    return localStorage.getItem(`confab:${name}`) ?? "";
  } catch {
    return "";
  }
}

/** An empty value removes it. */
export function keep(name: string, value: string) {
  try {
    if (value)
      localStorage.setItem(`confab:${name}`, value);
    else
      localStorage.removeItem(`confab:${name}`);
  } catch {
    /* full, or forbidden: it lives as long as the page */
  }
}
