// SPDX-License-Identifier: GPL-3.0-or-later
// mutants.mjs --source ROOT [--runs N] [--jobs N] [NAME…]
//
// Tests the cut test: builds confabd with each patch of tests/mutants, in a copy of the sources,
// and shows that the cut test fails on it within some seeds. Prints at which seed.
// Exit status: 0 each was noticed; 1 one was not, or does not apply or build; 2 wrong usage.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const MUTANTS = fileURLToPath(new URL('../mutants/', import.meta.url));
const CUT = fileURLToPath(new URL('cut.mjs', import.meta.url));
const BUFFER = 1 << 30;
const TARGET = 'src/confabd/confabd';

/** The names of all patches. */
export async function listMutants() {
  return (await readdir(MUTANTS)).filter((name) => name.endsWith('.patch'))
    .map((name) => name.slice(0, -'.patch'.length)).sort();
}

/** Whether a patch fits the sources as they are, without guessing; throws what is wrong. */
export async function checkMutant(root, name) {
  await run('git', ['apply', '--check', join(MUTANTS, `${name}.patch`)],
    { cwd: root, env: { ...process.env, GIT_DIR: '/nonexistent' } });
}

/** A copy of the sources with a build of its own, in which one file at a time changes. */
class Nursery {
  constructor(root) {
    this.root = root;
  }

  async prepare() {
    this.dir = await mkdtemp(join(tmpdir(), 'confab-mutants-'));
    this.source = join(this.dir, 'source');
    this.build = join(this.dir, 'build');
    await cp(this.root, this.source, { recursive: true, filter: (path) =>
      !/\/(?:_build[^/]*|node_modules|\.git|\.cache)$/.test(path) });
    await symlink(join(this.root, 'src/web/node_modules'),
      join(this.source, 'src/web/node_modules')).catch(() => {});
    await run('meson', ['setup', this.build, this.source, '-Dtests=false', '-Doptimization=1'],
      { maxBuffer: BUFFER });
    await this.#ninja();
  }

  async remove() {
    await rm(this.dir, { recursive: true, force: true });
  }

  async #ninja() {
    await run('ninja', ['-C', this.build, '-j2', TARGET], { maxBuffer: BUFFER });
  }

  async #apply(name, ...options) {
    await run('git', ['apply', ...options, join(MUTANTS, `${name}.patch`)],
      { cwd: this.source, env: { ...process.env, GIT_DIR: '/nonexistent' } });
  }

  /** Returns what the cut test says of it: the seed at which it fails and why, or null. */
  async judge(name, runs, jobs) {
    await this.#apply(name);
    try {
      await this.#ninja();
      await run(process.execPath, [CUT, '--confabd', join(this.build, TARGET), '--runs',
        String(runs), '--jobs', String(jobs), '--patience', '8000'], { maxBuffer: BUFFER });
      return null;
    } catch (error) {
      const match = /^seed (\d+) FAILED:\n(.*)$/m.exec(error.stdout ?? '');
      if (!match)
        throw error;
      return { seed: match[1], why: match[2] };
    } finally {
      await this.#apply(name, '-R');
    }
  }
}

/** Judges those named; `tell` is called with each name and what judge() said. */
export async function judgeMutants({ root, names, runs, jobs }, tell) {
  const nursery = new Nursery(root);
  try {
    await nursery.prepare();
    for (const name of names)
      tell(name, await nursery.judge(name, runs, jobs));
  } finally {
    await nursery.remove();
  }
}

async function main() {
  let values;
  let names;
  try {
    ({ values, positionals: names } = parseArgs({ allowPositionals: true, options: {
      source: { type: 'string' },
      runs: { type: 'string', default: '1000' },
      jobs: { type: 'string', default: '6' },
    } }));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
  if (!values?.source) {
    process.stderr.write('usage: mutants.mjs --source ROOT [--runs N] [--jobs N] [NAME…]\n');
    process.exit(2);
  }

  let survivors = 0;
  await judgeMutants({ root: values.source, names: names.length > 0 ? names : await listMutants(),
    runs: Number(values.runs), jobs: Number(values.jobs) }, (name, verdict) => {
    survivors += verdict ? 0 : 1;
    process.stdout.write(verdict ? `${name}: seed ${verdict.seed}: ${verdict.why.slice(0, 160)}\n`
      : `${name}: NOT NOTICED\n`);
  });
  process.exit(survivors > 0 ? 1 : 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main();
