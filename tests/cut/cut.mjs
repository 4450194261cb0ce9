// SPDX-License-Identifier: GPL-3.0-or-later
// cut.mjs --confabd PATH [--seed N] [--runs N] [--jobs N] [--patience MS]
//   [--clock LIB] [--keep-going] [--verbose]
//
// The cut test: runs confabd, clients and an upstream, cuts each of them at random points, and
// checks that nothing was lost, doubled, run twice or left without its end. Prints what happened.
// Exit status: 0 all runs hold; 1 one does not; 2 wrong usage.
import { parseArgs } from 'node:util';

import { newCounts, PATIENCE_MS, Run } from './lib/run.mjs';

const USAGE = `usage: cut.mjs --confabd PATH [--seed N] [--runs N] [--jobs N]
               [--patience MS] [--clock LIB] [--keep-going] [--verbose]

  --confabd PATH  the confabd to test
  --seed N        the first seed (1)
  --runs N        how many seeds from there on (1)
  --jobs N        how many runs at once (4)
  --patience MS   how long something that has to come may take (30000)
  --clock LIB     a library that makes confabd's time of day jump
  --keep-going    run the others when one has failed
  --verbose       the log of every run, not only of those that fail
`;

function parse() {
  try {
    const { values } = parseArgs({ options: {
      confabd: { type: 'string' },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '4' },
      patience: { type: 'string', default: String(PATIENCE_MS) },
      clock: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    } });
    const [seed, runs, jobs, patience] =
      [values.seed, values.runs, values.jobs, values.patience].map(Number);
    if (values.confabd && [seed, runs, jobs, patience].every((n) => Number.isInteger(n) && n > 0))
      return { ...values, seed, runs, jobs, patience };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
  process.stderr.write(USAGE);
  process.exit(2);
}

async function main() {
  const options = parse();
  const totals = { runs: 0, ...newCounts() };
  const failed = [];
  const began = Date.now();
  let next = options.seed;

  async function work() {
    while (next < options.seed + options.runs && (failed.length === 0 || options['keep-going'])) {
      const run = new Run(options.confabd, next, { patience: options.patience,
        clock: options.clock });
      next += 1;
      await run.go();
      totals.runs += 1;
      for (const [name, count] of Object.entries(run.counts))
        totals[name] += count;
      if (run.failures.length > 0)
        failed.push(run.seed);
      if (run.failures.length > 0 || options.verbose)
        process.stdout.write(`seed ${run.seed}:\n${run.lines.join('\n')}\n`);
      if (run.failures.length > 0)
        process.stdout.write(`seed ${run.seed} FAILED:\n${run.failures.join('\n')}\n`);
    }
  }

  await Promise.all(Array.from({ length: Math.min(options.jobs, options.runs) }, work));
  for (const [name, count] of Object.entries(totals))
    process.stdout.write(`${name}: ${count}\n`);
  process.stdout.write(`seconds: ${((Date.now() - began) / 1000).toFixed(1)}\n`);
  process.stdout.write(`failing seeds: ${failed.join(' ') || 'none'}\n`);
  process.exit(failed.length > 0 ? 1 : 0);
}

await main();
