#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""confabd under systemd's protocols: sockets handed over, notifications, reload, and the units."""

import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

PATIENCE = 20
TROUBLE = re.compile(r'-(?:CRITICAL|WARNING) \*\*|AddressSanitizer|LeakSanitizer|runtime error:')
KEPT = ('PATH', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'UBSAN_OPTIONS', 'LD_LIBRARY_PATH')
CONFABD = os.environ['CONFABD']
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../data/systemd')
UNITS = os.path.join(os.environ['CONFAB_BUILD_ROOT'], 'data/systemd')

# What `systemd-analyze security` still finds open, and how much it minds: it serves and asks model
# servers of any address, from where it is installed, and ProtectClock= grants the clock's device.
NEEDED = {'RestrictAddressFamilies_AF_UNIX': 0.1, 'RestrictAddressFamilies_AF_INET_INET6': 0.3,
          'PrivateNetwork': 0.5, 'IPAddressDeny': 0.2, 'RootDirectoryOrRootImage': 0.1,
          'DeviceAllow': 0.1}
OPEN = {
    'system': NEEDED,
    # what the unit says cannot be had for a user; for whom root is taken, since it is not named
    'user': {**NEEDED, 'UserOrDynamicUser': 0.4, 'ProtectSystem': 0.1, 'ProtectHome': 0.2,
             'ProtectProc': 0.2, 'ProcSubset': 0.1},
}


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f'{what} did not come within {PATIENCE} s')


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class SystemdCase(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix='confab-systemd-')
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.run_dir = os.path.join(self.home, 'run')
        os.mkdir(self.run_dir, 0o700)
        self.config = os.path.join(self.home, 'confab.conf')
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env.update(LANG='C.UTF-8', HOME=self.home, XDG_RUNTIME_DIR=self.run_dir,
                        GSETTINGS_BACKEND='memory', GIO_USE_PROXY_RESOLVER='dummy')

    def write_config(self, text=''):
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nprovider=builtin\n' + text)

    def spawn(self, *command, **env):
        """Runs it until the end of the test; its standard error is in self.log()."""
        with open(os.path.join(self.home, 'stderr'), 'ab') as errors:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(command, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=errors, text=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0, self.log())
        self.assertIsNone(TROUBLE.search(self.log()), self.log())

    def log(self):
        with open(os.path.join(self.home, 'stderr'), encoding='utf-8', errors='replace') as file:
            return file.read()

    def activate(self, names, *addresses, config='', options=(), mode=()):
        """Lets systemd's own tool listen, which starts confabd at the first connection."""
        self.write_config(config)
        listen = [f'--listen={address}' for address in addresses]
        env = [f'--setenv={name}' for name in self.env]
        process = self.spawn('systemd-socket-activate', *mode, *listen, *env,
                             *([f'--fdname={names}'] if names else []),
                             CONFABD, '--config', self.config, *options)
        wait_for(lambda: self.log().count('Listening on') >= len(addresses), 'systemd')
        return process

    def ask(self, port, path='/healthz'):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request('GET', path)
        return connection.getresponse()


class TestActivation(SystemdCase):
    def test_tcp(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}')
        self.assertEqual(self.ask(port).status, 200)
        line = process.stdout.readline()
        self.assertTrue(line.startswith(f'Listening on http://127.0.0.1:{port}/?token='), line)
        self.assertFalse(os.path.exists(os.path.join(self.run_dir, 'confab/socket')),
                         'only what was handed over is served')
        self.stop(process)

    def test_unix(self):
        path = os.path.join(self.home, 'socket')
        process = self.activate('unix', path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n')
            client.settimeout(PATIENCE)
            self.assertTrue(client.recv(100).startswith(b'HTTP/1.1 200'))
        self.assertEqual(process.stdout.readline(), f'Listening on {path}\n')
        self.stop(process)
        self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode), 'what systemd made is left to it')

    def test_both(self):
        port = free_port()
        path = os.path.join(self.home, 'socket')
        process = self.activate('http:unix', f'127.0.0.1:{port}', path)
        self.assertEqual(self.ask(port).status, 200)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n')
            client.settimeout(PATIENCE)
            self.assertTrue(client.recv(100).startswith(b'HTTP/1.1 200'))
        self.stop(process)

    def assert_refused(self, process, pattern):
        self.assertEqual(process.wait(PATIENCE), 2, self.log())
        self.assertRegex(self.log(), pattern)
        self.assertEqual(process.stdout.read(), '')

    def poke(self, *address, kind=socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX if len(address) == 1 else socket.AF_INET, kind) as client:
            target = address[0] if len(address) == 1 else address
            client.connect(target)
            if kind == socket.SOCK_DGRAM:
                client.send(b'x')

    def test_wrong_name(self):
        port = free_port()
        process = self.activate('https', f'127.0.0.1:{port}')
        self.poke('127.0.0.1', port)
        self.assert_refused(process, r'confabd: systemd .*“https”.*http and unix')

    def test_no_name(self):
        port = free_port()
        process = self.activate('', f'127.0.0.1:{port}')
        self.poke('127.0.0.1', port)
        self.assert_refused(process, r'confabd: systemd .*FileDescriptorName=http')

    def test_wrong_kind(self):
        path = os.path.join(self.home, 'socket')
        process = self.activate('http', path)
        self.poke(path)
        self.assert_refused(process, r'confabd: .*“http”.* is no TCP socket')

    def test_datagrams(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}', mode=['--datagram'])
        self.poke('127.0.0.1', port, kind=socket.SOCK_DGRAM)
        self.assert_refused(process, r'confabd: .*“http” is no socket that listens')

    def test_two_ports(self):
        one, two = free_port(), free_port()
        process = self.activate('http:http', f'127.0.0.1:{one}', f'127.0.0.1:{two}')
        self.poke('127.0.0.1', one)
        self.assert_refused(process, r'confabd: .*different ports')

    def test_dev_on_all_addresses(self):
        port = free_port()
        process = self.activate('http', f'0.0.0.0:{port}', options=['--dev'])
        self.poke('127.0.0.1', port)
        self.assert_refused(process, r'confabd: --dev .*only loopback')

    def test_addresses_of_the_command_line(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}', options=['--port', '0'])
        self.poke('127.0.0.1', port)
        self.assert_refused(process, r'confabd: systemd hands over the sockets')

    def test_sockets_of_another_process(self):
        """LISTEN_PID names somebody else, so these are not for us."""
        self.write_config()
        process = self.spawn(CONFABD, '--port', '0', '--config', self.config,
                             LISTEN_PID='1', LISTEN_FDS='1', LISTEN_FDNAMES='http')
        self.assertRegex(process.stdout.readline(), r'^Listening on ')
        self.stop(process)


class TestIdle(SystemdCase):
    def test_ends_when_nobody_needs_it(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}', config='idle-timeout=1\n')
        self.assertEqual(self.ask(port).status, 200)
        self.assertEqual(process.wait(PATIENCE), 0, self.log())
        self.assertIn('Nobody has needed Confab for 1 seconds', self.log())

    def test_stays_while_somebody_is_connected(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}', config='idle-timeout=1\n',
                                options=['--dev'])
        # long-polling keeps an Engine.IO connection
        opened = self.ask(port, '/api/socket/?EIO=4&transport=polling')
        self.assertEqual(opened.status, 200)
        time.sleep(2.5)
        self.assertIsNone(process.poll(), self.log())
        self.stop(process)

    def test_zero_is_never_and_a_change_applies(self):
        port = free_port()
        process = self.activate('http', f'127.0.0.1:{port}', config='idle-timeout=0\n')
        self.assertEqual(self.ask(port).status, 200)
        time.sleep(1.5)
        self.assertIsNone(process.poll(), self.log())
        self.write_config('idle-timeout=1\n')
        self.assertEqual(process.wait(PATIENCE), 0, self.log())

    def test_by_hand_it_stays(self):
        self.write_config('idle-timeout=1\n')
        process = self.spawn(CONFABD, '--port', '0', '--config', self.config)
        process.stdout.readline()
        time.sleep(2.5)
        self.assertIsNone(process.poll(), self.log())
        self.stop(process)


class TestNotify(SystemdCase):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.settimeout(PATIENCE)
        self.messages = []

    def start(self, address, **env):
        self.socket.bind(address.replace('@', '\0'))
        process = self.spawn(CONFABD, '--port', '0', '--config', self.config,
                             NOTIFY_SOCKET=address, **env)
        return process

    def wait_for_message(self, pattern):
        while True:
            message = self.socket.recv(4096).decode()
            self.messages.append(message)
            if re.search(pattern, message):
                return message

    def test_life(self):
        process = self.start(os.path.join(self.home, 'notify'))
        self.wait_for_message(r'^READY=1$')
        self.assertRegex(process.stdout.readline(), r'^Listening on ')
        self.wait_for_message(r'^STATUS=Ready$')

        self.write_config('max-running=0\n')
        process.send_signal(signal.SIGHUP)
        message = self.wait_for_message(r'^RELOADING=1')
        self.assertRegex(message, r'\nMONOTONIC_USEC=[0-9]+$')
        self.wait_for_message(r'^READY=1$')
        self.assertIn('Settings stay as they were', self.log())

        process.send_signal(signal.SIGTERM)
        self.wait_for_message(r'^STOPPING=1$')
        self.assertEqual(process.wait(PATIENCE), 0, self.log())

    def test_status_tells_what_runs(self):
        process = self.start('@confab-test-' + os.path.basename(self.home))
        url = process.stdout.readline().split()[2]
        port, token = int(re.search(r':(\d+)/', url).group(1)), url.partition('token=')[2]
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request('POST', '/api/call/ai:chat:generate',
                           '{"moduleId": "m", "message": "Hello"}',
                           {'Authorization': f'Bearer {token}', 'Content-Type': 'application/json'})
        self.assertEqual(connection.getresponse().status, 200)
        self.wait_for_message(r'^STATUS=1 answer is running$')
        self.wait_for_message(r'^STATUS=Ready$')
        self.stop(process)

    def test_watchdog(self):
        process = self.start(os.path.join(self.home, 'notify'), WATCHDOG_USEC='200000')
        for _ in range(3):
            self.wait_for_message(r'^WATCHDOG=1$')
        self.stop(process)

    def test_watchdog_of_another_process(self):
        process = self.start(os.path.join(self.home, 'notify'), WATCHDOG_USEC='20000',
                             WATCHDOG_PID='1')
        self.wait_for_message(r'^STATUS=Ready$')
        time.sleep(0.5)
        self.stop(process)
        self.wait_for_message(r'^STOPPING=1$')
        self.assertNotIn('WATCHDOG=1', self.messages)


class TestDirectories(SystemdCase):
    def test_state_and_runtime(self):
        state, runtime = (os.path.join(self.home, name) for name in ('state', 'runtime'))
        os.mkdir(state)
        os.mkdir(runtime)
        self.write_config()
        process = self.spawn(CONFABD, '--port', '0', '--config', self.config,
                             STATE_DIRECTORY=f'{state}:/nowhere', RUNTIME_DIRECTORY=runtime)
        process.stdout.readline()
        self.assertTrue(os.path.exists(os.path.join(state, 'confab.db')))
        self.assertTrue(stat.S_ISSOCK(os.stat(os.path.join(runtime, 'socket')).st_mode))
        self.stop(process)


class TestUnits(SystemdCase):
    def lay_out(self, kind):
        folder = os.path.join(self.home, kind)
        os.mkdir(folder)
        for path in glob.glob(os.path.join(SOURCES, kind, '*.socket')):
            shutil.copy(path, folder)
        with open(os.path.join(UNITS, f'confab-{kind}.service'), encoding='utf-8') as file:
            text = file.read()
        self.assertIn('/confabd', text)
        path = os.path.join(folder, 'confab.service')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(re.sub(r'(?m)^ExecStart=\S+', f'ExecStart={CONFABD}', text))
        return path, glob.glob(os.path.join(folder, '*'))

    def analyze(self, *args):
        return subprocess.run(['systemd-analyze', *args], env=self.env, text=True, timeout=60,
                              capture_output=True, check=False)

    def test_verify(self):
        for kind in ('system', 'user'):
            with self.subTest(kind):
                _, paths = self.lay_out(kind)
                self.assertEqual(len(paths), 3)
                run = self.analyze(*(['--user'] if kind == 'user' else []), 'verify', *paths)
                self.assertEqual((run.returncode, run.stderr), (0, ''))

    def test_nothing_is_open_but_what_it_needs(self):
        """Not a score, in which most restrictions could get lost: each of them."""
        for kind, still_open in OPEN.items():
            with self.subTest(kind):
                path, _ = self.lay_out(kind)
                run = self.analyze(*(['--user'] if kind == 'user' else []), 'security',
                                   '--offline=true', '--json=short', path)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                # one that is null says nothing about such a service
                found = {item['json_field']: float(item['exposure'])
                         for item in json.loads(run.stdout) if item['set'] is False}
                self.assertEqual(found, still_open)


class TestGenerator(SystemdCase):
    """What tells confab.service to do without namespaces, where users may make none."""

    def generate(self, may_make_namespaces):
        """The settings that it writes, as pairs."""
        tools, units = (os.path.join(self.home, name) for name in ('tools', 'units'))
        os.mkdir(tools)
        os.mkdir(units)
        unshare = os.path.join(tools, 'unshare')
        with open(unshare, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nexit {0 if may_make_namespaces else 1}\n')
        os.chmod(unshare, 0o755)
        subprocess.run([os.path.join(SOURCES, 'user/confab-generator'), units, units, units],
                       env={**self.env, 'PATH': f'{tools}:{self.env["PATH"]}'}, check=True)
        lines = []
        for path in glob.glob(os.path.join(units, '**/*.conf'), recursive=True):
            self.assertEqual(os.path.basename(os.path.dirname(path)), 'confab.service.d')
            with open(path, encoding='utf-8') as file:
                lines += file.read().splitlines()
        return [tuple(line.split('=', 1)) for line in lines if line != '[Service]']

    def test_namespaces_are_left(self):
        self.assertEqual(self.generate(True), [])

    def test_all_that_needs_them_is_taken_back(self):
        """Also what systemd forgives today, as it does PrivateTmp= and PrivateMounts= alone."""
        with open(os.path.join(SOURCES, 'user/confab.service.in'), encoding='utf-8') as file:
            part = re.search(r'(?m)^# In a user namespace (?:.+\n)+', file.read())[0]
        needed = [line.split('=', 1)[0] for line in part.splitlines() if line[0] != '#']
        self.assertIn('PrivateUsers', needed)
        taken_back = self.generate(False)
        self.assertEqual([name for name, _ in taken_back], needed)
        # an empty value takes back a list, and of capabilities none is taken away
        lists = {'CapabilityBoundingSet': '~', 'InaccessiblePaths': ''}
        for name, value in taken_back:
            self.assertEqual(value, lists.get(name, 'no'), name)
