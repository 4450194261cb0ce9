// SPDX-License-Identifier: GPL-3.0-or-later
// A plugin for Vite: the catalogues of po/ as modules, each loaded only where its language is read,
// with those texts in it that the page has.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { po } from 'gettext-parser';

const ALL = 'virtual:catalogues';
const ONE = 'virtual:catalogue/';

/* The expression of a Plural-Forms header is C; only what such an expression needs is let through,
 * since it becomes code of the page. */
function pluralOf(header = '') {
  const expression = /plural\s*=\s*([^;]+);?/.exec(header)?.[1].trim() ?? 'n != 1';
  if (!/^[n\d\s()?:%<>=!&|]+$/.test(expression))
    throw new Error(`Plural-Forms of a catalogue is no such expression: ${expression}`);
  return expression;
}

async function readCatalogue(path) {
  const { headers, translations } = po.parse(await readFile(path));
  const messages = {};
  for (const { msgid, msgstr, comments } of Object.values(translations['']))
    if (msgid && msgstr.every(Boolean) && /src\/web\//.test(comments?.reference ?? '')
        && !comments?.flag?.includes('fuzzy'))
      messages[msgid] = msgstr.length > 1 ? msgstr : msgstr[0];
  const plural = pluralOf(headers['Plural-Forms']);
  return `export default { messages: ${JSON.stringify(messages)},\n`
    + `  plural: (n) => Number(${plural}) };\n`;
}

export function catalogues(poDir) {
  return {
    name: 'confab-catalogues',
    resolveId: (id) => (id === ALL || id.startsWith(ONE) ? `\0${id}` : null),
    async load(id) {
      if (id.startsWith(`\0${ONE}`))
        return readCatalogue(join(poDir, `${id.slice(ONE.length + 1)}.po`));
      if (id !== `\0${ALL}`)
        return null;
      const names = (await readdir(poDir)).filter((name) => name.endsWith('.po'))
        .map((name) => name.slice(0, -'.po'.length));
      const entries = names.map((name) =>
        `${JSON.stringify(name)}: () => import(${JSON.stringify(ONE + name)})`);
      return `export const catalogues = { ${entries.join(', ')} };\n`;
    },
  };
}
