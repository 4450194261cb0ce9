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

const SECRETS = 'org.freedesktop.secrets';

/** The process that owns a name, or 0. */
async function ownerOf(bus, name) {
  const answer = await bus.run('gdbus', 'call', '--session', '--dest', 'org.freedesktop.DBus',
    '--object-path', '/', '--method', 'org.freedesktop.DBus.GetConnectionUnixProcessID', name)
    .catch(() => '0');
  return Number(/(\d+),?\)?\s*$/.exec(answer)?.[1] ?? 0);
}

/**
 * Starts the real keyring, open, and waits until it answers; returns it. Whoever asks while none is
 * there makes the bus start one that is locked, which this one replaces.
 */
export async function startKeyring(t, bus) {
  for (let left = 5; ; left -= 1) {
    const keyring = bus.start('gnome-keyring-daemon',
      ['--foreground', '--unlock', '--components=secrets', '--replace'], { stdio: 'pipe' });
    keyring.process.stdin.on('error', () => {}).end('password');
    try {
      await waitFor(async () => {
        assert.ok(!keyring.hasExited, keyring.stderr);
        return await ownerOf(bus, SECRETS) === keyring.pid;
      }, { what: 'a keyring' });
      return keyring;
    } catch (error) {
      if (left === 0)
        throw error;
      await keyring.end('SIGTERM');
    }
  }
}

/** Puts a key into the keyring, as confabctl does, or as another program that has a schema. */
export async function storeKey(bus, provider, key, schema = 'org.confab.Confab.Key') {
  const child = spawn('secret-tool', ['store', '--label', `Confab: key of ${provider}`,
    'xdg:schema', schema, 'provider', provider], { env: bus.env });
  child.stdin.end(key);
  const [code] = await new Promise((resolve) => { child.on('close', (...args) => resolve(args)); });
  assert.equal(code, 0);
}
