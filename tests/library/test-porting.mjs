// SPDX-License-Identifier: GPL-3.0-or-later
// "From the JavaScript server to GLib" has a row for every public member of the JavaScript server,
// and for nothing else.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { disconnectReasons, publicMembers } from './lib/declarations.mjs';

const ROOT = process.env.CONFAB_SOURCE_ROOT;
const MODULES = join(ROOT, 'tests/node_modules');

const text = await readFile(join(ROOT, 'docs/socketio/porting.md'), 'utf8');
const rows = [...text.matchAll(/^\| `([\w.]+)` \| (.*) \|$/gm)].map(([, name, here]) => ({
  name, here,
}));
const members = await publicMembers(MODULES);

test('every public member has its row', () => {
  assert.ok(members.size > 150, `only ${members.size} members were found`);
  const named = new Set(rows.map(({ name }) => name));
  assert.deepEqual([...members].filter((name) => !named.has(name)), []);
});

test('no row is of something that is not there', () => {
  assert.deepEqual(rows.map(({ name }) => name).filter((name) => !members.has(name)), []);
});

test('no member has two rows', () => {
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});

test('every row names a counterpart, or says that it is missing', () => {
  for (const { name, here } of rows)
    assert.match(here, /\[\w+@|`\w+\(?\)?`|^missing\b|^the same\b/, name);
});

test('what the library has stands in a chapter', { skip: !process.env.SOCKETIO_GIR }, async () => {
  const chapters = (await Promise.all(['getting-started', 'overview', 'porting', 'wire-format'].map(
    (name) => readFile(join(ROOT, `docs/socketio/${name}.md`), 'utf8')))).join('\n');
  const gir = await readFile(process.env.SOCKETIO_GIR, 'utf8');
  const missing = [];
  let found = 0;
  for (const [, type, body] of gir.matchAll(
    /<(?:class|record) name="(\w+)"(.*?)<\/(?:class|record)>/gs)) {
    const properties = [...body.matchAll(/<property name="([\w-]+)"/g)].map(([, name]) => name);
    const getters = properties.map((name) => name.replaceAll('-', '_'));
    for (const [, kind, name] of body.matchAll(
      /<(method|constructor|function|property|glib:signal) name="([\w-]+)"/g)) {
      /* a property stands for its getter, and the beginning of what takes time for its end */
      if (/^(?:ref|unref)$|_finish$/.test(name)
        || (kind === 'method' && getters.includes(name.replace(/^(?:get|is)_/, ''))))
        continue;
      found += 1;
      const mark = kind === 'property' ? ':' : kind === 'glib:signal' ? '::' : '.';
      if (!new RegExp(`@${type}${mark}${name}\\b`).test(chapters))
        missing.push(`${type}${mark}${name}`);
    }
  }
  assert.ok(found > 120, `only ${found} were found`);
  assert.deepEqual(missing, []);
});

test('the reasons of a disconnection are those of JavaScript', async () => {
  for (const reason of await disconnectReasons(MODULES))
    assert.ok(text.replaceAll(/\s+/g, ' ').includes(`"${reason}"`), reason);
});
