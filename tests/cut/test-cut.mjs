// SPDX-License-Identifier: GPL-3.0-or-later
// The cut test as one of the suite: a few seeds, or 1,000 with CONFAB_TEST_LONG.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

import { Child } from '../integration/lib/process.mjs';

const PROGRAM = fileURLToPath(new URL('cut.mjs', import.meta.url));
const RUNS = process.env.CONFAB_TEST_LONG ? 1000 : 25;
const CLOCK_RUNS = process.env.CONFAB_TEST_LONG ? 200 : 8;

async function cut(runs, ...options) {
  const child = new Child(process.execPath, [PROGRAM, '--confabd', process.env.CONFABD,
    '--runs', String(runs), '--jobs', '6', ...options]);
  const { code } = await child.exited;
  /* the counts, or the log of what failed */
  process.stderr.write(child.stdout.slice(-20000));
  assert.equal(code, 0, child.stderr);
  assert.match(child.stdout, new RegExp(`^runs: ${runs}$`, 'm'));
  return child.stdout;
}

test(`${RUNS} seeds`, () => cut(RUNS));

test(`${CLOCK_RUNS} seeds while the time of day jumps`,
  { skip: !process.env.CONFAB_CLOCK && 'nothing can be preloaded here' }, async () => {
    const counts = await cut(CLOCK_RUNS, '--seed', '100001', '--clock', process.env.CONFAB_CLOCK);
    assert.ok(/^backwards: [1-9]/m.test(counts), 'the clock did jump');
  });

test('wrong usage is exit 2', async () => {
  for (const args of [[], ['--confabd', 'x', '--seed', 'y'], ['--nonsense']])
    assert.equal((await new Child(process.execPath, [PROGRAM, ...args]).exited).code, 2);
});
