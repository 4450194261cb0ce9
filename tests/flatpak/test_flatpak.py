#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Flatpak, built by its manifest and run in its sandbox, as a desktop would."""

import http.client
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT_FOLDER = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'integration/lib')]
# pylint: disable=wrong-import-position
import runtime  # noqa: E402
from bus import (MANAGER, MODULE, NAME, ROOT, Bus, Client, Failure, Gio, GLib,  # noqa: E402
                 make_home, wait_for)

MANIFEST = os.path.join(ROOT_FOLDER, 'build-aux/flatpak/org.confab.Confab.yml')
TOOLS = ('appstream-compose', 'bwrap', 'eu-strip', 'flatpak', 'flatpak-builder', 'git', 'meson',
         'ostree')
# a cold start, on a machine that is busy
PATIENCE = 60

# All that the sandbox has more than an empty one; each is explained in the manifest.
PERMISSIONS = '[Context]\nshared=network;\nfilesystems=xdg-run/confab:create;\n'

PORTAL = '''<node>
<interface name="org.freedesktop.portal.OpenURI">
<method name="OpenURI"><arg type="s"/><arg type="s"/><arg type="a{sv}"/>
<arg type="o" direction="out"/></method>
</interface>
<interface name="org.freedesktop.portal.Notification">
<method name="AddNotification"><arg type="s"/><arg type="a{sv}"/></method>
</interface>
<interface name="org.freedesktop.portal.Inhibit">
<method name="Inhibit"><arg type="s"/><arg type="u"/><arg type="a{sv}"/>
<arg type="o" direction="out"/></method>
</interface>
</node>'''


def why_not():
    """The reason why the Flatpak cannot be built here, or None."""
    if not os.environ.get('CONFAB_TEST_LONG'):
        return 'only with CONFAB_TEST_LONG'
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return 'not installed: ' + ' '.join(missing)
    if not os.path.exists(os.path.join(ROOT_FOLDER, '.git')):
        return 'not a clone of the repository, so there is no tarball to make'
    try:
        runtime.close(runtime.RUNTIME + runtime.SDK)
    except (LookupError, OSError) as error:
        return str(error)
    sandbox = subprocess.run(
        ['bwrap', '--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc',
         'true'], capture_output=True, text=True, check=False)
    if sandbox.returncode != 0:
        return f'no user namespaces: {sandbox.stderr.strip()}'
    if not os.path.isdir(f'/run/user/{os.getuid()}') and os.getuid() != 0:
        return f'/run/user/{os.getuid()} is missing'
    return None


class Portal:
    """What the desktop offers to sandboxes; keeps what it is asked for."""

    def __init__(self, bus):
        self.connection = bus.connect()
        self.opened = []
        self.notifications = []
        self.inhibited = 0
        for interface in Gio.DBusNodeInfo.new_for_xml(PORTAL).interfaces:
            self.connection.register_object('/org/freedesktop/portal/desktop', interface,
                                            self.called, None, None)
        Gio.bus_own_name_on_connection(self.connection, 'org.freedesktop.portal.Desktop', 0, None,
                                       None)

    def called(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        if method == 'AddNotification':
            self.notifications.append(parameters.unpack())
            invocation.return_value(None)
            return
        if method == 'OpenURI':
            self.opened.append(parameters.unpack()[1])
        else:
            self.inhibited += 1
        invocation.return_value(GLib.Variant('(o)', ('/org/freedesktop/portal/desktop/request',)))


@unittest.skipIf(why_not(), why_not())
class TestFlatpak(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = make_home()
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        user_dir = os.path.join(cls.home, 'flatpak')
        # Inside it has this name always, so outside it must have it, too: as a mount of our own.
        run_dir = f'/run/user/{os.getuid()}'
        if not os.path.exists(run_dir):
            cls.addClassCleanup(os.rmdir, run_dir)
        cls.wrapper = ['bwrap', '--dev-bind', '/', '/', '--die-with-parent', '--bind',
                       os.path.join(cls.home, 'run'), run_dir]
        cls.env = {
            'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8', 'HOME': cls.home,
            'FLATPAK_USER_DIR': user_dir, 'XDG_RUNTIME_DIR': run_dir,
            'XDG_DATA_DIRS': os.path.join(user_dir, 'exports/share') + ':/usr/share',
        }
        cls.build()
        # as it is on a desktop: the bus finds the services that Flatpak exports
        cls.bus = Bus(env=cls.env, wrapper=cls.wrapper)
        cls.addClassCleanup(cls.bus.close)
        cls.env['DBUS_SESSION_BUS_ADDRESS'] = cls.bus.address
        cls.addClassCleanup(cls.kill)
        cls.portal = Portal(cls.bus)
        # any free port, so that it does not matter what else runs here
        cls.in_sandbox('gsettings', 'set', NAME, 'port', '0')

    @classmethod
    def build(cls):
        with open(MANIFEST, encoding='utf-8') as file:
            manifest = file.read()
        branch = re.search(r"^runtime-version: '(.+)'$", manifest, re.MULTILINE).group(1)
        prefix = re.search(r'^runtime: (.+)\.Platform$', manifest, re.MULTILINE).group(1)
        out = os.path.join(cls.home, 'out')
        runtime.install(prefix, branch, cls.home, cls.env)
        cls.run_tool(os.path.join(ROOT_FOLDER, 'build-aux/flatpak/build'), out, '--user',
                     '--disable-download', '--disable-rofiles-fuse')
        cls.run_tool('flatpak', '--user', 'remote-add', '--no-gpg-verify', 'confab',
                     f'file://{out}/repo')
        cls.run_tool('flatpak', '--user', 'install', '-y', '--noninteractive', 'confab', NAME)

    @classmethod
    def run_tool(cls, *command, check=True):
        done = subprocess.run([*cls.wrapper, *command], env=cls.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=600, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f'{command}: {done.returncode}\n{done.stdout}{done.stderr}')
        return done.stdout

    @classmethod
    def in_sandbox(cls, command, *args, check=True):
        return cls.run_tool('flatpak', '--user', 'run', f'--command={command}', NAME, *args,
                            check=check)

    @classmethod
    def kill(cls):
        cls.run_tool('flatpak', 'kill', NAME, check=False)

    def setUp(self):
        self.client = Client(self.bus)
        self.addCleanup(self.client.close)

    def is_running(self):
        return self.client.connection.call_sync(
            'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner',
            GLib.Variant('(s)', (NAME,)), None, 0, -1, None).unpack()[0]

    def call_later(self, interface, method, parameters):
        """Calls without waiting: the portal of this program has to answer meanwhile."""
        self.client.connection.call(NAME, ROOT, interface, method, parameters, None, 0, -1, None,
                                    None)

    def open_page(self):
        """Launches the app, and returns the address that the browser is given."""
        count = len(self.portal.opened)
        self.call_later('org.freedesktop.Application', 'Activate', GLib.Variant('(a{sv})', ({},)))
        wait_for(lambda: len(self.portal.opened) > count, 'the page', PATIENCE)
        return self.portal.opened[-1]

    def ask(self, message):
        module = self.client.make_module(self.client.make_session('Kept'))
        generation = self.client.ask(module, message)
        self.assertEqual(self.client.end_of(module, generation)[0], 'GenerationCompleted')
        return module

    def test_started_by_the_bus(self):
        self.kill()
        wait_for(lambda: not self.is_running(), 'the end')
        self.assertTrue(self.client.get(ROOT, MANAGER, 'Version'))
        self.assertIn(NAME, self.run_tool('flatpak', 'ps', '--columns=application').split())

    def test_page(self):
        url = urllib.parse.urlsplit(self.open_page())
        self.assertEqual((url.hostname, url.path), ('127.0.0.1', '/'))
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
        connection.request('GET', f'/?{url.query}')
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 303)
        cookie = answer.getheader('Set-Cookie').partition(';')[0]
        connection.request('GET', '/', headers={'Cookie': cookie})
        answer = connection.getresponse()
        page = answer.read().decode()
        self.assertEqual(answer.status, 200)
        script, = re.findall(r'<script[^>]* src="([^"]+)"', page)
        connection.request('GET', script, headers={'Cookie': cookie})
        answer = connection.getresponse()
        self.assertEqual((answer.status, len(answer.read()) > 10000), (200, True))
        connection.request('GET', '/api/call/session:list')
        self.assertEqual(connection.getresponse().status, 401, 'the token holds outside as well')
        connection.close()

    def test_state_is_kept(self):
        module = self.ask('Hello, are you there?')
        before = self.client.call(module, MODULE, 'GetHistory', 10, '')
        self.assertEqual([message['role'] for message in before], ['user', 'assistant'])
        self.kill()
        wait_for(lambda: not self.is_running(), 'the end')
        self.assertEqual(self.client.call(module, MODULE, 'GetHistory', 10, ''), before)
        self.assertTrue(os.path.exists(os.path.join(self.home, '.var/app', NAME,
                                                    'data/confab/confab.db')))

    def test_ends_when_nobody_needs_it(self):
        self.client.get(ROOT, MANAGER, 'Version')
        self.in_sandbox('gsettings', 'set', NAME, 'idle-timeout', '1')
        self.addCleanup(self.in_sandbox, 'gsettings', 'reset', NAME, 'idle-timeout')
        wait_for(lambda: not self.is_running(), 'the end', PATIENCE)
        self.assertTrue(self.client.get(ROOT, MANAGER, 'Version'), 'and starts again')

    def test_socket_of_the_user(self):
        self.client.get(ROOT, MANAGER, 'Version')
        path = os.path.join(self.home, 'run/confab/socket')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.settimeout(PATIENCE)
            connection.sendall(b'POST /api/call/session:list HTTP/1.1\r\nHost: localhost\r\n'
                               b'Content-Type: application/json\r\nContent-Length: 2\r\n'
                               b'Connection: close\r\n\r\n{}')
            answer = b''
            while chunk := connection.recv(65536):
                answer += chunk
        self.assertTrue(answer.startswith(b'HTTP/1.1 200 '), answer)
        self.assertIn(b'"ok":true', answer.replace(b' ', b''))

    def test_notification_by_the_portal(self):
        count = len(self.portal.notifications)
        module = self.ask('Hello')
        wait_for(lambda: len(self.portal.notifications) > count, 'a notification', PATIENCE)
        _name, note = self.portal.notifications[-1]
        module_id = self.client.get(module, MODULE, 'Id')
        self.assertEqual(note['default-action-target'], module_id)
        self.assertGreater(self.portal.inhibited, 0)
        # what the desktop does on a click, even when the app has ended by then
        self.kill()
        wait_for(lambda: not self.is_running(), 'the end')
        self.call_later('org.freedesktop.Application', 'ActivateAction', GLib.Variant(
            '(sava{sv})', (note['default-action'].removeprefix('app.'),
                           [GLib.Variant('s', module_id)], {})))
        wait_for(lambda: any(f'/module/{module_id}?ticket=' in url for url in self.portal.opened),
                 'the page of the chat', PATIENCE)

    def test_command(self):
        self.assertIn('http://127.0.0.1:', self.in_sandbox('confabctl', 'status'))
        self.assertTrue(self.in_sandbox('confabctl', 'chat', 'Hello').strip())
        outside = self.run_tool(os.environ['CONFABCTL'], 'chat', 'Hello')
        self.assertTrue(outside.strip())

    def test_chunks_come_through(self):
        """The proxy of the sandbox lets signals to one client through, if it has a name."""
        Gio.bus_own_name_on_connection(self.client.connection, NAME + '.Watcher.test', 0, None,
                                       None)
        module = self.client.make_module(self.client.make_session('Watched'))
        self.client.call(module, MODULE, 'Watch')
        generation = self.client.ask(module, 'Hello')
        self.client.end_of(module, generation)
        text = ''.join(args[3] for _name, args in self.client.heard(module, 'Chunk'))
        self.assertEqual(text, self.client.call(module, MODULE, 'GetHistory', 1, '')[0]['content'])
        self.assertTrue(text)

    def test_scripts_of_the_readme(self):
        """As they stand there, with the line for a Flatpak."""
        with open(os.path.join(ROOT_FOLDER, 'README.md'), encoding='utf-8') as file:
            section = file.read().partition('## Talk to it over D-Bus')[2].partition('\n## ')[0]
        for language, interpreter, watch in (('python', '/usr/bin/python3', 'module.Watch'),
                                             ('js', 'gjs', "module.call_sync('Watch'")):
            with self.subTest(language):
                script, line = re.findall(rf'```{language}\n(.*?)```', section, re.DOTALL)
                self.assertIn(watch, script)
                path = os.path.join(self.home, f'script-{language}')
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(script.replace(watch, line + watch))
                module = self.client.make_module(self.client.make_session())
                output = self.run_tool(interpreter, path, module)
                answer = self.client.call(module, MODULE, 'GetHistory', 1, '')[0]['content']
                self.assertTrue(answer)
                # it may print each chunk on a line of its own
                self.assertEqual(output.replace('\n', ''), answer.replace('\n', ''))

    def test_monitor(self):
        """From outside: confabctl takes the name that it needs."""
        module = self.client.make_module(self.client.make_session())
        with subprocess.Popen([*self.wrapper, os.environ['CONFABCTL'], 'monitor', '--chunks',
                               '--json'], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as process:
            # it tells of this when it is there
            wait_for(lambda: self.client.make_session() and select.select(
                [process.stdout], [], [], 0.1)[0], 'the monitor', PATIENCE)
            generation = self.client.ask(module, 'Hello')
            self.client.end_of(module, generation)
            events = []
            while not events or events[-1]['event'] not in ('completed', 'failed'):
                events.append(json.loads(process.stdout.readline()))
            process.terminate()
            process.wait(PATIENCE)
        text = ''.join(event['chunk'] for event in events if event['event'] == 'chunk')
        self.assertEqual(text, self.client.call(module, MODULE, 'GetHistory', 1, '')[0]['content'])

    def test_new_chat(self):
        count = len(self.portal.opened)
        self.call_later('org.freedesktop.Application', 'ActivateAction',
                        GLib.Variant('(sava{sv})', ('new-chat', [], {})))
        wait_for(lambda: len(self.portal.opened) > count, 'the page', PATIENCE)
        self.assertIn('/session/default/module/', self.portal.opened[-1])

    def test_permissions(self):
        self.assertEqual(self.run_tool('flatpak', 'info', '--show-permissions', NAME).strip(),
                         PERMISSIONS.strip())

    def test_sandbox_holds(self):
        secret = os.path.join(self.home, 'secret')
        with open(secret, 'w', encoding='utf-8') as file:
            file.write('of the host')
        found = self.in_sandbox('sh', '-c', f'cat {secret}; ls /dev /run/user/* /tmp/.X11-unix; '
                                'env; true', check=False)
        self.assertIn('confab', found)
        self.assertNotIn('of the host', found)
        for other in ('dri', 'snd', 'wayland-0', 'DISPLAY=', 'WAYLAND_DISPLAY=', 'PULSE_SERVER='):
            self.assertNotIn(other, found.split())
        other = Bus.connect(self.bus)
        Gio.bus_own_name_on_connection(other, 'org.example.Other', 0, None, None)
        names = self.in_sandbox('gdbus', 'call', '--session', '-d', 'org.freedesktop.DBus', '-o',
                                '/', '-m', 'org.freedesktop.DBus.ListNames')
        self.assertNotIn('org.example.Other', names)
        self.assertIn('org.freedesktop.portal.Desktop', names)

    def test_exports(self):
        exports = os.path.join(self.home, 'flatpak/exports/share')
        with open(os.path.join(exports, f'dbus-1/services/{NAME}.service'),
                  encoding='utf-8') as file:
            service = file.read()
        self.assertIn('confabd org.confab.Confab --session', service)
        # a unit of that name there is not outside
        self.assertNotIn('SystemdService', service)
        for path in (f'applications/{NAME}.desktop', f'icons/hicolor/scalable/apps/{NAME}.svg',
                     f'icons/hicolor/symbolic/apps/{NAME}-symbolic.svg',
                     f'gnome-shell/search-providers/{NAME}.search-provider.ini'):
            self.assertTrue(os.path.exists(os.path.join(exports, path)), path)
        with self.assertRaises(Failure):
            self.client.call(ROOT, MANAGER, 'GetModule', 'there-is-none')


if __name__ == '__main__':
    unittest.main()
