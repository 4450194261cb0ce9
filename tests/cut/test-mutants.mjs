// SPDX-License-Identifier: GPL-3.0-or-later
// Whether the cut test would notice what it is for: the patches fit the sources, and with
// CONFAB_TEST_LONG each of them, built, makes it fail.
import assert from 'node:assert/strict';
import test from 'node:test';

import { checkMutant, judgeMutants, listMutants } from './mutants.mjs';

const root = process.env.CONFAB_SOURCE_ROOT;
const names = await listMutants();

test('there are enough of them', () => assert.ok(names.length >= 10));

for (const name of names)
  test(`${name} applies`, () => checkMutant(root, name));

test('each is noticed', { skip: !process.env.CONFAB_TEST_LONG && 'with CONFAB_TEST_LONG only' },
  async () => {
    const survivors = [];
    await judgeMutants({ root, names, runs: 1000, jobs: 6 }, (name, verdict) => {
      process.stderr.write(`${name}: ${verdict ? `seed ${verdict.seed}` : 'not noticed'}\n`);
      if (!verdict)
        survivors.push(name);
    });
    assert.deepEqual(survivors, []);
  });
