// SPDX-License-Identifier: GPL-3.0-or-later
// Helpers around processes and ports, and waiting for things to come true.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/* How long the last output of a process may take after its end, in ms. */
const OUTPUT_GRACE = 2000;

/** Waits until `condition()` gives something true, and returns that. */
export async function waitFor(condition, { timeout = 5000, interval = 10, what } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const result = await condition();
    if (result)
      return result;
    if (Date.now() > end)
      throw new Error(`not within ${timeout} ms: ${what ?? condition}`);
    await sleep(interval);
  }
}

/** A folder that goes with the test. */
export async function makeDir(t) {
  const dir = await mkdtemp(join(tmpdir(), 'confab-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, and that the kernel hands to nobody who asks
 * for any: it lies below those.
 */
export async function freePort() {
  for (;;) {
    const port = 15000 + Math.floor(Math.random() * 15000);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Resident memory of a process in bytes: rss is VmRSS, pss its share of shared pages. */
export async function memoryOf(pid) {
  const kilobytes = (text, field) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)[1]) * 1024;
  const [status, rollup] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/smaps_rollup`, 'utf8'),
  ]);
  return { rss: kilobytes(status, 'VmRSS'), pss: kilobytes(rollup, 'Pss') };
}

/** How many file descriptors a process has open. */
export async function countFds(pid) {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/**
 * A child process whose output is kept.
 *
 * `stdout` and `stderr` hold what it said so far; `exited` resolves to `{code, signal}`.
 */
export class Child {
  stdout = '';
  stderr = '';
  hasExited = false;
  #grace = null;

  constructor(command, args, options = {}) {
    this.command = command;
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.process.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    this.process.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    this.exited = new Promise((resolve) => {
      this.process.on('error', (error) => {
        this.stderr += `${error.message}\n`;
        this.hasExited = true;
        resolve({ code: null, signal: null });
      });
      const left = (code, signal) => {
        clearTimeout(this.#grace);
        this.hasExited = true;
        resolve({ code, signal });
      };
      this.process.on('close', left);
      // what it started may have its output open for longer, as services that a bus starts have
      this.process.on('exit', (code, signal) => {
        this.#grace = setTimeout(() => {
          this.process.stdout?.destroy();
          this.process.stderr?.destroy();
          left(code, signal);
        }, OUTPUT_GRACE);
      });
    });
  }

  get pid() {
    return this.process.pid;
  }

  /** Waits for a line on standard output and returns its match. */
  async waitForOutput(pattern, timeout = 10000) {
    const match = await waitFor(() => {
      const found = pattern.exec(this.stdout);
      if (!found && this.hasExited)
        throw new Error(`${this.command} ended early:\n${this.stdout}${this.stderr}`);
      return found;
    }, { timeout, what: `${pattern} from ${this.command}` });
    return match;
  }

  /** Ends it with a signal, in the end with SIGKILL; says whether that was needed. */
  async end(signal = 'SIGTERM', patience = 5000) {
    if (!this.hasExited)
      this.process.kill(signal);
    let killed = false;
    const timer = setTimeout(() => { killed = true; this.process.kill('SIGKILL'); }, patience);
    const exit = await this.exited;
    clearTimeout(timer);
    return { ...exit, killed };
  }
}
