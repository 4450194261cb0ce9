// SPDX-License-Identifier: GPL-3.0-or-later
// Starts the confabd that was built, in a home of its own, and watches what it says.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Child } from './process.mjs';

/* A sanitizer's or valgrind's build is slower than its users would bear. */
const START_TIMEOUT = 20000;
const STOP_TIMEOUT = 10000;

const TROUBLE = [
  /^.*-(?:CRITICAL|WARNING) \*\*.*$/gm,
  /^.*(?:(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:).*$/gm,
];

/* Nothing of the caller's desktop or keys gets in, but what the sanitizers are told does. */
const KEPT_VARIABLES = ['PATH', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'TSAN_OPTIONS',
  'UBSAN_OPTIONS', 'G_SLICE', 'MALLOC_PERTURB_', 'LD_LIBRARY_PATH'];

function makeEnvironment(home, env) {
  const kept = KEPT_VARIABLES.filter((name) => process.env[name] !== undefined)
    .map((name) => [name, process.env[name]]);
  return {
    ...Object.fromEntries(kept),
    LANG: 'C.UTF-8',
    HOME: home,
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    GSETTINGS_BACKEND: 'memory',
    GIO_USE_PROXY_RESOLVER: 'dummy',
    ...env,
  };
}

/** The program under test, as meson.build names it. */
export function confabdPath() {
  assert.ok(process.env.CONFABD, 'CONFABD names the confabd to test');
  return process.env.CONFABD;
}

class Confabd extends Child {
  #home;
  #allow;

  constructor(home, args, { env, allow = [], ulimit, prefix = [] }) {
    const line = ulimit ? ['/bin/sh', '-c', `ulimit ${ulimit} && exec "$@"`, 'sh'] : prefix;
    const [command, ...rest] = [...line, confabdPath(), ...args];
    super(command, rest, { env: makeEnvironment(home, env) });
    this.#home = home;
    this.#allow = allow;
  }

  /** Its XDG_RUNTIME_DIR. */
  get runtimeDir() {
    return join(this.#home, 'run');
  }

  /** The UNIX socket where it listens unless told otherwise. */
  get unixPath() {
    return join(this.runtimeDir, 'confab', 'socket');
  }

  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  async waitUntilListening() {
    const [, url] = await this.waitForOutput(/^Listening on (\S+)\r?\n/m, START_TIMEOUT);
    const parsed = new URL(url);
    this.url = url;
    this.port = Number(parsed.port);
    this.token = parsed.searchParams.get('token');
  }

  /** Lines of standard error that no healthy run writes. */
  get trouble() {
    return TROUBLE.flatMap((pattern) => this.stderr.match(pattern) ?? [])
      .filter((line) => !this.#allow.some((allowed) => allowed.test(line)));
  }

  /** Stops it as systemd would; throws if it had already gone, hung, or complained. */
  async stop() {
    const early = this.hasExited;
    const { code, signal, killed } = await this.end('SIGTERM', STOP_TIMEOUT);
    await this.removeHome();
    assert.ok(!early, `confabd ended by itself (${code ?? signal}):\n${this.stderr}`);
    assert.ok(!killed, `confabd did not end within ${STOP_TIMEOUT} ms of SIGTERM:\n${this.stderr}`);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.stderr);
    assert.deepEqual(this.trouble, [], this.stderr);
  }

  /** For a confabd that was meant to end by itself; checks its complaints only. */
  async waitForExit() {
    const exit = await this.exited;
    await this.removeHome();
    assert.deepEqual(this.trouble, [], this.stderr);
    return exit;
  }

  async removeHome() {
    await rm(this.#home, { recursive: true, force: true });
  }
}

async function makeHome() {
  const home = await mkdtemp(join(tmpdir(), 'confab-test-'));
  await mkdir(join(home, 'run'), { mode: 0o700 });
  await chmod(join(home, 'run'), 0o700);
  return home;
}

/**
 * Runs confabd with just these arguments, without waiting for it to serve.
 *
 * @param {string[]} args
 * @param {{env?: object, allow?: RegExp[], config?: string, ulimit?: string, prefix?: string[]}}
 *   options `allow`: complaints that this test provokes; `config`: what a file of settings says,
 *   which is then given; `ulimit`: options of the shell's command of that name; `prefix`: a command
 *   that ends in becoming confabd
 */
export async function spawnConfabd(args, options = {}) {
  const home = await makeHome();
  if (options.config === undefined)
    return new Confabd(home, args, options);
  const path = join(home, 'confab.ini');
  await writeFile(path, options.config);
  return new Confabd(home, [...args, '--config', path], options);
}

/**
 * Starts confabd on a free port and waits until it serves.
 *
 * @param {object} t the test that owns it: at its end confabd is stopped and judged; or null, then
 *   the caller calls `stop()`
 * @param {string[]} args more arguments, such as `['--provider', 'builtin']`
 * @param {{env?: object, allow?: RegExp[], config?: string, port?: null}} options as of
 *   spawnConfabd(); `port` null: that of the settings
 * @returns {Promise<Confabd>} with `url`, `origin`, `port`, `token`, `pid`, `stderr`, `stop()`
 */
export async function startConfabd(t, args, options = {}) {
  const port = options.port === null ? [] : ['--port', '0'];
  const confabd = await spawnConfabd([...port, ...args], options);
  let stopped = null;
  const stop = confabd.stop.bind(confabd);
  confabd.stop = () => (stopped ??= stop());
  t?.after(() => confabd.stop());
  try {
    await confabd.waitUntilListening();
  } catch (error) {
    await confabd.end('SIGKILL');
    await confabd.removeHome();
    throw error;
  }
  return confabd;
}
