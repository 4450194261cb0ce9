// SPDX-License-Identifier: GPL-3.0-or-later
// Starts the conformance programs, on the library's own streams or on those of a stock HTTP server,
// and judges what they say until they end.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import nodeTest, { describe } from 'node:test';

import { Child, countFds, waitFor } from './process.mjs';

const PROGRAMS = {
  'engineio-echo': { variable: 'ENGINEIO_ECHO', path: '/engine.io/' },
  'socketio-echo': { variable: 'SOCKETIO_ECHO', path: '/socket.io/' },
  'socketio-door': { variable: 'SOCKETIO_DOOR', path: '/socket.io/' },
  'socketio-flow': { variable: 'SOCKETIO_FLOW', path: '/socket.io/' },
  'socketio-lab': { variable: 'SOCKETIO_LAB', path: '/socket.io/' },
};

/* A sanitizer's report, or what GLib says of a mistake. */
const TROUBLE = /^.*(?:ERROR: |runtime error|CRITICAL|WARNING).*$/gm;

const START_TIMEOUT = 20000;
const STOP_TIMEOUT = 10000;

/** Long programs are run whole. */
export const isLong = process.env.CONFAB_TEST_LONG === '1';

/* No test may hang the whole run. */
const TEST_TIMEOUT = 60000;

/** As of node:test, with a limit of time. */
export function test(name, options, run = options) {
  nodeTest(name, { timeout: TEST_TIMEOUT, ...(run === options ? {} : options) }, run);
}

/** Tests in a group that mostly wait may run side by side. */
const CONCURRENCY = 4;

/**
 * Defines the same tests for each kind of stream, or for the one that CONFAB_STREAMS names.
 *
 * @param {(mode: 'own'|'stock') => void} define
 */
export function inBothModes(define) {
  for (const mode of process.env.CONFAB_STREAMS?.split(',') ?? ['own', 'stock']) {
    assert.ok(['own', 'stock'].includes(mode), 'CONFAB_STREAMS is own or stock');
    describe(`${mode} streams`, { concurrency: CONCURRENCY }, () => define(mode));
  }
}

class Echo extends Child {
  #stopped = null;

  constructor(program, mode, args, { maxFds }) {
    const { variable, path } = PROGRAMS[program];
    const file = process.env[variable];
    assert.ok(file, `${variable} names the ${program} to test`);
    const line = [file, '--port', '0', ...(mode === 'stock' ? ['--stock'] : []), ...args];
    // libsoup 3.2's own listener leaks a GSocket for every connection, with or without us; what
    // leaks of ours shows on our own streams, where all but the accepting is the same
    const asan = [process.env.ASAN_OPTIONS, mode === 'stock' ? 'detect_leaks=0' : '']
      .filter(Boolean).join(':');
    const env = { ...process.env, ASAN_OPTIONS: asan };
    if (maxFds)
      super('/bin/sh', ['-c', `ulimit -n ${maxFds} && exec "$@"`, 'sh', ...line], { env });
    else
      super(line[0], line.slice(1), { env });
    this.file = file;
    this.path = path;
    this.mode = mode;
  }

  /** Whether figures of memory mean nothing, as a sanitizer keeps what was freed. */
  get isSanitized() {
    return /__[at]san_init/.test(readFileSync(this.file, 'latin1'));
  }

  async waitUntilListening() {
    const [, port] = await this.waitForOutput(/^Listening on http:\/\/127\.0\.0\.1:(\d+)\/$/m,
      START_TIMEOUT);
    this.port = Number(port);
    this.origin = `http://127.0.0.1:${port}`;
    this.idleFds = await countFds(this.pid);
  }

  /** Milliseconds of processor time that it has used. */
  async cpuTime() {
    const fields = (await readFile(`/proc/${this.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Waits until it has no more file descriptors than when it was idle, but `extra`. */
  waitForIdleFds({ timeout = 10000, extra = 0 } = {}) {
    return waitFor(async () => await countFds(this.pid) <= this.idleFds + extra,
      { timeout, interval: 50, what: `at most ${this.idleFds + extra} fds of ${this.file}` });
  }

  /** Stops it; throws if it had gone by itself, hung, complained or leaked. */
  stop() {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop() {
    const early = this.hasExited;
    const { code, signal, killed } = await this.end('SIGTERM', STOP_TIMEOUT);
    assert.ok(!early, `it ended by itself (${code ?? signal}):\n${this.stderr}`);
    assert.ok(!killed, `it did not end within ${STOP_TIMEOUT} ms of SIGTERM:\n${this.stderr}`);
    assert.deepEqual(this.stderr.match(TROUBLE) ?? [], [], this.stderr);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.stderr);
  }
}

/**
 * Starts a conformance program on a free port and waits until it serves.
 *
 * @param {object} t the test that owns it: at its end the program is stopped and judged
 * @param {string} program one of PROGRAMS
 * @param {'own'|'stock'} mode
 * @param {string[]} args
 * @param {{maxFds?: number}} options `maxFds`: the most file descriptors that it may open
 */
export async function startEcho(t, program, mode, args = [], options = {}) {
  const echo = new Echo(program, mode, args, options);
  t.after(() => echo.stop());
  await echo.waitUntilListening();
  return echo;
}
