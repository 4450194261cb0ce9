// SPDX-License-Identifier: GPL-3.0-or-later
// A session bus of the test's own, and what lives on it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Child, makeDir, waitFor } from './process.mjs';

const run = promisify(execFile);

/**
 * Starts a bus that goes with the test.
 *
 * @returns {Promise<object>} `env`: what its clients need; `run` runs a command on it and gives its
 *   output; `start` starts one that stays; `end` ends the bus
 */
export async function startBus(t) {
  const dir = await makeDir(t);
  await mkdir(join(dir, 'run'), { mode: 0o700 });
  const env = {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: dir,
    XDG_RUNTIME_DIR: join(dir, 'run'),
    XDG_DATA_HOME: join(dir, 'share'),
    XDG_CONFIG_HOME: join(dir, 'etc'),
    XDG_CACHE_HOME: join(dir, 'cache'),
  };
  const daemon = new Child('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { env });
  t.after(() => daemon.end('SIGTERM'));
  [env.DBUS_SESSION_BUS_ADDRESS] = await daemon.waitForOutput(/^\S+$/m);
  return {
    env,
    dir,
    end: () => daemon.end('SIGTERM'),
    run: async (command, ...args) => (await run(command, args, { env, timeout: 20000 })).stdout,
    start: (command, args, options = {}) => {
      const child = new Child(command, args, { ...options, env: { ...env, ...options.env } });
      t.after(() => child.end('SIGTERM'));
      return child;
    },
  };
}

/** Whether somebody owns a name. */
export async function isOwned(bus, name) {
  const answer = await bus.run('gdbus', 'call', '--session', '--dest', 'org.freedesktop.DBus',
    '--object-path', '/', '--method', 'org.freedesktop.DBus.NameHasOwner', name);
  return answer.includes('true');
}

/** Starts the real keyring, open, and waits until it answers; returns its process. */
export async function startKeyring(t, bus, args = []) {
  const keyring = spawn('gnome-keyring-daemon',
    ['--foreground', '--unlock', '--components=secrets', ...args],
    { env: bus.env, stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => { keyring.kill('SIGTERM'); });
  keyring.stdin.end('password');
  await waitFor(() => isOwned(bus, 'org.freedesktop.secrets'), { what: 'a keyring' });
  return keyring;
}

/** Puts a key into the keyring, as confabctl does. */
export async function storeKey(bus, provider, key) {
  const child = spawn('secret-tool', ['store', '--label', `Confab: key of ${provider}`,
    'xdg:schema', 'org.confab.Confab.Key', 'provider', provider], { env: bus.env });
  child.stdin.end(key);
  const [code] = await new Promise((resolve) => { child.on('close', (...args) => resolve(args)); });
  assert.equal(code, 0);
}
