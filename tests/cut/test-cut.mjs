// SPDX-License-Identifier: GPL-3.0-or-later
// The cut test as one of the suite: a few seeds, or 1,000 with CONFAB_TEST_LONG.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

import { Child } from '../integration/lib/process.mjs';

const PROGRAM = fileURLToPath(new URL('cut.mjs', import.meta.url));
const RUNS = process.env.CONFAB_TEST_LONG ? 1000 : 25;

test(`${RUNS} seeds`, async () => {
  const child = new Child(process.execPath,
    [PROGRAM, '--confabd', process.env.CONFABD, '--runs', String(RUNS), '--jobs', '6']);
  const { code } = await child.exited;
  /* the counts, or the log of what failed */
  process.stderr.write(child.stdout.slice(-20000));
  assert.equal(code, 0, child.stderr);
  assert.match(child.stdout, new RegExp(`^runs: ${RUNS}$`, 'm'));
});

test('wrong usage is exit 2', async () => {
  for (const args of [[], ['--confabd', 'x', '--seed', 'y'], ['--nonsense']])
    assert.equal((await new Child(process.execPath, [PROGRAM, ...args]).exited).code, 2);
});
