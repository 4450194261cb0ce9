// SPDX-License-Identifier: GPL-3.0-or-later
// Where the keys of model servers come from: a real keyring, systemd's credentials, variables.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { isOwned, startBus, startKeyring, storeKey } from './lib/bus.mjs';
import { connect, statsOf } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { makeDir, waitFor } from './lib/process.mjs';
import { startRawUpstream } from './lib/upstreams.mjs';

const SECRETS = 'org.freedesktop.secrets';

const lock = (bus) => bus.run('gdbus', 'call', '--session', '--dest', SECRETS, '--object-path',
  '/org/freedesktop/secrets', '--method', 'org.freedesktop.Secret.Service.Lock',
  '["/org/freedesktop/secrets/aliases/default"]');

async function start(t, { bus, env, variable, allow, model = 'raw:plain' } = {}) {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, ['--verbose'], {
    env: { ...(bus && { DBUS_SESSION_BUS_ADDRESS: bus.env.DBUS_SESSION_BUS_ADDRESS }), ...env },
    allow,
    config: `[confab]\nprovider=work\n[providers/work]\ntype=openai\nmodel=${model}\n`
      + `base-url=${upstream.baseUrl}\n${variable ? `api-key-env=${variable}\n` : ''}`,
  });
  const chat = await connect(t, confabd);
  /* The key that the next question carries; its end, if it carries none. */
  const ask = async () => {
    const { event, end } = await chat.ask({ moduleId: 'm', message: 'Hello' });
    const posts = (await statsOf(upstream)).requests.filter(({ method }) => method === 'POST');
    return { event, end, authorization: posts.at(-1)?.headers.authorization };
  };
  return { confabd, ask };
}

test('a key of the keyring is used from the next question on, and is never logged', async (t) => {
  const bus = await startBus(t);
  await startKeyring(t, bus);
  const { confabd, ask } = await start(t, { bus });
  assert.equal((await ask()).authorization, undefined);
  await storeKey(bus, 'other', 'sk-other');
  assert.equal((await ask()).authorization, undefined);
  await storeKey(bus, 'work', 'sk-of-the-keyring');
  assert.equal((await ask()).authorization, 'Bearer sk-of-the-keyring');
  assert.ok(!confabd.stderr.includes('sk-of'), confabd.stderr);
});

test('the keyring comes before the variable, and the variable is used without it', async (t) => {
  const bus = await startBus(t);
  await startKeyring(t, bus);
  const { ask } = await start(t, { bus, variable: 'WORK_KEY', env: { WORK_KEY: 'sk-variable' } });
  assert.equal((await ask()).authorization, 'Bearer sk-variable');
  await storeKey(bus, 'work', 'sk-keyring');
  assert.equal((await ask()).authorization, 'Bearer sk-keyring');
});

test('a locked keyring is told at once, and nobody is asked', async (t) => {
  const bus = await startBus(t);
  await startKeyring(t, bus);
  await storeKey(bus, 'work', 'sk-keyring');
  await lock(bus);
  const { ask } = await start(t, { bus });
  const { event, end, authorization } = await ask();
  assert.equal(event, 'error');
  assert.equal(end.code, 'upstream-auth');
  assert.match(end.error, /“work”.*locked/);
  assert.equal(authorization, undefined);
});

test('a keyring that was not opened yet is told as locked, if it may have the key', async (t) => {
  const bus = await startBus(t);
  const keyring = await startKeyring(t, bus);
  await storeKey(bus, 'work', 'sk-keyring');
  const { ask } = await start(t, { bus });
  await keyring.end('SIGKILL');
  // the bus starts another that nobody opens, as after a login without a password
  const { end, authorization } = await ask();
  assert.equal(end.code, 'upstream-auth');
  assert.match(end.error, /“work”.*locked/);
  assert.equal(authorization, undefined);

  await startKeyring(t, bus);
  assert.equal((await ask()).authorization, 'Bearer sk-keyring');
});

test('what another program keeps in a locked keyring is no key of ours', async (t) => {
  const bus = await startBus(t);
  await startKeyring(t, bus);
  await storeKey(bus, 'work', 'sk-of-another', 'org.example.Other');
  await lock(bus);
  const { ask } = await start(t, { bus });
  assert.equal((await ask()).event, 'complete');
});

test('a keyring that was not opened yet is no matter to a provider without a key', async (t) => {
  const bus = await startBus(t);
  const keyring = await startKeyring(t, bus);
  await storeKey(bus, 'other', 'sk-other');
  const { ask } = await start(t, { bus });
  await keyring.end('SIGKILL');
  assert.equal((await ask()).event, 'complete');
});

test('a keyring that hangs delays no start, and one question for a moment', async (t) => {
  const bus = await startBus(t);
  bus.start('/usr/bin/python3', ['-c', [
    'import gi',
    'gi.require_version("Gio", "2.0")',
    'from gi.repository import Gio, GLib',
    'def method(connection, sender, path, interface, method, parameters, invocation):',
    '    pass',
    'node = Gio.DBusNodeInfo.new_for_xml("""<node><interface',
    '    name="org.freedesktop.Secret.Service"><method name="SearchItems">',
    '    <arg type="a{ss}"/><arg type="ao" direction="out"/><arg type="ao" direction="out"/>',
    '    </method></interface></node>""")',
    'bus = Gio.bus_get_sync(Gio.BusType.SESSION)',
    'bus.register_object("/org/freedesktop/secrets", node.interfaces[0], method, None, None)',
    `Gio.bus_own_name_on_connection(bus, "${SECRETS}", 0, None, None)`,
    'GLib.MainLoop().run()',
  ].join('\n')]);
  await waitFor(() => isOwned(bus, SECRETS));
  const { confabd, ask } = await start(t, { bus, variable: 'WORK_KEY',
    env: { WORK_KEY: 'sk-variable' }, allow: [/keyring does not answer/] });
  assert.equal((await ask()).authorization, 'Bearer sk-variable');
  assert.match(confabd.stderr, /keyring does not answer/);
  const start2 = Date.now();
  assert.equal((await ask()).authorization, 'Bearer sk-variable');
  assert.ok(Date.now() - start2 < 3000, 'it is left alone after that');
});

test('a bus without a keyring is as good as none, and so is one that ends', async (t) => {
  const bus = await startBus(t);
  const { ask } = await start(t, { bus });
  assert.equal((await ask()).event, 'complete');
  await bus.end();
  assert.equal((await ask()).event, 'complete');
});

test('a credential of systemd holds the key of the provider of its name', async (t) => {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'confab.work'), 'sk-credential\n', { mode: 0o400 });
  const { confabd, ask } = await start(t, { env: { CREDENTIALS_DIRECTORY: dir, WORK_KEY: 'sk-v' },
    variable: 'WORK_KEY' });
  assert.equal((await ask()).authorization, 'Bearer sk-credential');
  assert.ok(!confabd.stderr.includes('sk-credential'), confabd.stderr);
});

test('a credential that everybody can read is left out', async (t) => {
  const dir = await makeDir(t);
  const path = join(dir, 'confab.work');
  await writeFile(path, 'sk-credential\n');
  await chmod(path, 0o644);
  const { confabd, ask } = await start(t, { env: { CREDENTIALS_DIRECTORY: dir },
    allow: [/left out: everybody can read it/] });
  assert.equal((await ask()).authorization, undefined);
  assert.match(confabd.stderr, /left out: everybody can read it/);
});

for (const pad of [0, 470, 485])
  test(`a key that a model server repeats is hidden, cut or not, after ${pad} bytes`, async (t) => {
    const { confabd, ask } = await start(t, { variable: 'WORK_KEY', model: `raw:repeats:401:${pad}`,
      env: { WORK_KEY: 'Zk7Xy0-of-a-server-that-repeats-what-it-refuses' } });
    const { end } = await ask();
    assert.equal(end.code, 'upstream-auth');
    assert.match(end.error, /^[^.]*\(HTTP 401\): \.*…/);
    for (const text of [end.error, confabd.stderr])
      assert.ok(!text.includes('Zk7'), text);
  });
