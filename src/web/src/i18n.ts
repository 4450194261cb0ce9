// SPDX-License-Identifier: GPL-3.0-or-later
// Texts for people, from the catalogues that the service has as well (po/ of the tree). The build
// makes a module of each catalogue, and the page loads the one of the reader's language.
import { catalogues } from "virtual:catalogues";

interface Catalogue {
  /** msgid → its translation, or those of its plural forms */
  messages: Record<string, string | string[]>;
  plural: (n: number) => number;
}

let catalogue: Catalogue | null = null;

/** Takes the first of these languages that there is a catalogue for. */
export async function chooseLanguage(languages: readonly string[]): Promise<string> {
  for (const language of languages) {
    const exact = language.replace("-", "_");
    const name = [exact, exact.split("_")[0]!].find((candidate) => candidate in catalogues);
    if (name) {
      catalogue = (await catalogues[name]!()).default;
      return name.replace("_", "-");
    }
    if (exact.split("_")[0] === "en")
      break;
  }
  return "en";
}

export function _(text: string): string {
  const found = catalogue?.messages[text];
  return (Array.isArray(found) ? found[0] : found) ?? text;
}

/** Text with a number, which stands for %d. */
export function ngettext(one: string, many: string, n: number): string {
  const found = catalogue?.messages[one];
  const text = Array.isArray(found) && found[catalogue!.plural(n)];
  return format(text || (n === 1 ? one : many), n.toLocaleString());
}

/** Puts values in the places of %s and %d, in order. */
export function format(text: string, ...values: (string | number)[]): string {
  let i = 0;
  return text.replace(/%[sd]/g, (place) => String(values[i++] ?? place));
}
