#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""confabd on a private system bus with its policy, the real polkitd, and another user."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (DATA, MANAGER, MODULE, ROOT, SESSION, Bus, Client, Confabd,  # noqa: E402
                 Failure, Gio, GLib, Upstream, wait_for)

POLKITD = '/usr/lib/polkit-1/polkitd'

# what Debian's own system.conf says about those who are not named
CONFIG = """<busconfig>
  <type>system</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>{data}/dbus-1/org.confab.Confab.conf</include>
</busconfig>
"""

RULE = """polkit.addRule(function(action, subject) {
  if (action.id == 'org.confab.Confab1.use' && subject.user == 'nobody')
    return polkit.Result.YES;
});
"""


def can_run():
    """It takes a second user, and polkitd in a view of the file system of its own."""
    return os.geteuid() == 0 and os.path.exists(POLKITD) and subprocess.run(
        ['bwrap', '--dev-bind', '/', '/', '--tmpfs', '/etc/polkit-1/rules.d', 'true'],
        capture_output=True, check=False).returncode == 0


@unittest.skipUnless(can_run(), 'needs root, polkitd and bubblewrap')
class SystemBus(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix='confab-bus-')
        cls.addClassCleanup(shutil.rmtree, folder, True)
        config = os.path.join(folder, 'system.conf')
        shutil.copytree(os.path.join(DATA, 'dbus-1'), os.path.join(folder, 'dbus-1'))
        with open(config, 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(data=folder))
        cls.rules = os.path.join(folder, 'rules.d')
        os.mkdir(cls.rules)
        with open(os.path.join(cls.rules, '10-test.rules'), 'w', encoding='utf-8') as file:
            file.write(RULE)
        for root, _, files in os.walk(folder):
            os.chmod(root, 0o755)
            for name in files:
                os.chmod(os.path.join(root, name), 0o644)
        cls.bus = Bus(f'--config-file={config}')
        cls.addClassCleanup(cls.bus.close)
        cls.start_polkitd()
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)
        settings = os.path.join(folder, 'confab.conf')
        with open(settings, 'w', encoding='utf-8') as file:
            file.write('[confab]\nprovider=builtin\n[providers/openai]\nretries=0\n'
                       f'base-url={cls.upstream.args[-1]}\n')
        cls.confabd = Confabd(cls.bus, '--system', '--config', settings,
                              variable='DBUS_SYSTEM_BUS_ADDRESS')
        cls.addClassCleanup(cls.confabd.stop)

    @classmethod
    def start_polkitd(cls):
        actions = '/usr/share/polkit-1/actions'
        # pylint: disable-next=consider-using-with
        polkitd = subprocess.Popen(
            ['bwrap', '--die-with-parent', '--dev-bind', '/', '/', '--tmpfs', actions,
             '--ro-bind',
             os.path.join(os.environ['CONFAB_BUILD_ROOT'], 'data/org.confab.Confab.policy'),
             f'{actions}/org.confab.Confab.policy', '--ro-bind', cls.rules,
             '/etc/polkit-1/rules.d', POLKITD, '--no-debug'],
            env={'PATH': os.environ['PATH'], 'DBUS_SYSTEM_BUS_ADDRESS': cls.bus.address})
        cls.addClassCleanup(polkitd.wait)
        cls.addClassCleanup(polkitd.terminate)
        wait_for(lambda: subprocess.run(
            ['gdbus', 'call', '--address', cls.bus.address, '-d', 'org.freedesktop.DBus', '-o', '/',
             '-m', 'org.freedesktop.DBus.GetNameOwner', 'org.freedesktop.PolicyKit1'],
            capture_output=True, check=False).returncode == 0, 'polkitd')

    def as_nobody(self, path, method, *args, user='nobody'):
        call = ' '.join(['gdbus', 'call', '--address', self.bus.address, '-d', 'org.confab.Confab',
                         '-o', path, '-m', method, *(f"'{arg}'" for arg in args)])
        return subprocess.run(['su', user, '-s', '/bin/sh', '-c', call], capture_output=True,
                              text=True, check=False)

    def check_unauthorized(self, result):
        self.assertNotEqual(result.returncode, 0, result.stdout)
        self.assertIn('org.confab.Confab1.Error.Unauthorized', result.stderr)

    def test_root_may_do_all(self):
        client = Client(self.bus)
        module = client.make_module(client.make_session())
        self.assertEqual(client.get(module, MODULE, 'State'), 'idle')
        self.assertEqual(client.call(module, MODULE, 'Watch'), ('', 0, ''))
        with tempfile.TemporaryFile() as file:
            fds = Gio.UnixFDList.new()
            fds.append(file.fileno())
            client.call(ROOT, MANAGER, 'Export', [], 0, fds=fds)
            self.assertGreater(file.seek(0, os.SEEK_END), 100)
        client.close()

    def test_another_user_may_chat_by_a_rule(self):
        client = Client(self.bus)
        module = client.make_module(client.make_session(), 'Shared')
        result = self.as_nobody(module, f'{MODULE}.Generate', 'Hello', '{}')
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.as_nobody(module, f'{MODULE}.GetHistory', '0', '')
        self.assertIn('Hello', result.stdout, result.stderr)
        question = client.call(module, MODULE, 'GetHistory', 0, '')[0]['messageId']
        client.call(module, MODULE, 'Stop')
        wait_for(lambda: client.get(module, MODULE, 'State') == 'idle', 'idle')
        result = self.as_nobody(module, f'{MODULE}.SwitchBranch', question)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.as_nobody(module, 'org.freedesktop.DBus.Properties.Get', MODULE, 'Title')
        self.assertIn('Shared', result.stdout, result.stderr)
        client.call(module, MODULE, 'Stop')
        client.close()

    def test_another_user_may_not_manage(self):
        client = Client(self.bus)
        module = client.make_module(client.make_session(), 'Kept')
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.CreateSession', 'x', '{}'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.CreateLink'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.GetToken'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.RotateToken'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.Export', '@ao []', '0'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.Import', '0'))
        self.check_unauthorized(self.as_nobody(ROOT, f'{MANAGER}.ImportWithOptions', '0', '{}'))
        self.check_unauthorized(self.as_nobody(module, f'{MODULE}.Delete'))
        self.check_unauthorized(self.as_nobody(
            module, 'org.freedesktop.DBus.Properties.Set', MODULE, 'Title', '<"Gone">'))
        self.assertEqual(client.get(module, MODULE, 'Title'), 'Kept')
        client.close()

    def test_who_has_no_rule_may_nothing(self):
        """Each method of each object, as introspection tells them."""
        client = Client(self.bus)
        session = client.make_session('Kept')
        module = client.make_module(session, 'Kept')
        samples = {'s': '', 'u': '0', 'h': '0', 'ao': '@ao []', 'a{sv}': '@a{sv} {}', 'v': '<0>'}
        n = 0
        for path in (ROOT, session, module):
            for interface in client.introspect(path).interfaces:
                if interface.name in ('org.freedesktop.DBus.Peer',
                                      'org.freedesktop.DBus.Introspectable'):
                    continue
                for method in interface.methods:
                    args = [samples[arg.signature] for arg in method.in_args]
                    if interface.name == 'org.freedesktop.DBus.Properties':
                        kind = {ROOT: MANAGER, session: SESSION, module: MODULE}[path]
                        args[0] = kind
                        if method.name != 'GetAll':
                            args[1] = 'Title' if path != ROOT else 'Version'
                        if method.name == 'Set':
                            args[2] = '<"Gone">'
                        if method.name == 'Set' and path == ROOT:
                            continue
                    with self.subTest(f'{interface.name}.{method.name}'):
                        self.check_unauthorized(self.as_nobody(
                            path, f'{interface.name}.{method.name}', *args, user='daemon'))
                        n += 1
        self.assertGreater(n, 25)
        self.assertEqual(client.get(module, MODULE, 'Title'), 'Kept')
        self.assertEqual(len(client.call(module, MODULE, 'GetHistory', 0, '')), 0)
        client.close()

    def test_there_is_nothing_for_a_desktop(self):
        """Search, which polkit is not asked about, is for the bus of a session: titles, text."""
        client = Client(self.bus)
        client.make_module(client.make_session(), 'Kept from search')
        for interface, method, arguments in (
                ('org.gnome.Shell.SearchProvider2', 'GetInitialResultSet', (['search'],)),
                ('org.gnome.Shell.SearchProvider2', 'GetResultMetas', (['ask/x'],)),
                ('org.freedesktop.Application', 'Activate', ({},))):
            types = '(a{sv})' if method == 'Activate' else '(as)'
            with self.assertRaises(Failure) as caught:
                client.raw_call(ROOT, interface, method, GLib.Variant(types, arguments))
            self.assertEqual(caught.exception.name, 'org.freedesktop.DBus.Error.UnknownMethod')
        result = self.as_nobody(ROOT, 'org.gnome.Shell.SearchProvider2.GetInitialResultSet',
                                '["search"]')
        self.assertNotEqual(result.returncode, 0, result.stdout)
        client.close()

    def test_what_all_hear_holds_no_text(self):
        """Whoever is on the bus: nobody, here."""
        # pylint: disable-next=consider-using-with
        monitor = subprocess.Popen(
            ['su', 'nobody', '-s', '/bin/sh', '-c',
             f'exec gdbus monitor --address {self.bus.address} -d org.confab.Confab'],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(monitor.stdout.close)
        self.addCleanup(monitor.wait)
        self.addCleanup(monitor.terminate)
        heard = iter(monitor.stdout.readline, '')
        for line in heard:
            if 'is owned by' in line:
                break
        client = Client(self.bus)
        session = client.make_session('A title in private')
        module = client.make_module(session, 'In private', instructions='Be private',
                                    provider='openai', model='raw:http-500')
        client.call(module, MODULE, 'Watch')
        client.ask(module, 'Said in private')
        answer = wait_for(lambda: [message for message in client.call(module, MODULE, 'GetHistory',
                                                                      10, '')
                                   if message['state'] == 'failed'], 'the end')[0]
        self.assertIn('The engine fell over', answer['error'])
        client.set(module, MODULE, 'Model', GLib.Variant('s', 'raw:echo'))
        generation = client.ask(module, 'Said in private')
        client.end_of(module, generation)
        self.assertIn('private', ''.join(args[3] for _, args in client.heard(module, 'Chunk')))
        client.call(session, SESSION, 'Delete')
        told = ''
        for line in heard:
            told += line
            if 'InterfacesRemoved' in line and session in line:
                break
        for signal in ('GenerationStarted', 'GenerationFailed', 'upstream-error',
                       'GenerationCompleted', 'PropertiesChanged'):
            self.assertIn(signal, told)
        self.assertNotRegex(told, 'rivate|fell over')
        client.close()

    def test_another_user_cannot_take_the_name(self):
        result = subprocess.run(
            ['su', 'nobody', '-s', '/bin/sh', '-c',
             f'gdbus call --address {self.bus.address} -d org.freedesktop.DBus -o /'
             ' -m org.freedesktop.DBus.RequestName org.confab.Confab 2'],
            capture_output=True, text=True, check=False)
        self.assertIn('AccessDenied', result.stderr)


if __name__ == '__main__':
    unittest.main()
