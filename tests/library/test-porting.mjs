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

test('the reasons of a disconnection are those of JavaScript', async () => {
  for (const reason of await disconnectReasons(MODULES))
    assert.ok(text.replaceAll(/\s+/g, ' ').includes(`"${reason}"`), reason);
});
