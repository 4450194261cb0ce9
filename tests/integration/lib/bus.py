# SPDX-License-Identifier: GPL-3.0-or-later
"""A private D-Bus, the confabd that was built on it, and clients by introspection alone."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(os.path.dirname(TESTS), 'data')

NAME = 'org.confab.Confab'
ROOT = '/org/confab/Confab'
MANAGER = 'org.confab.Confab1.Manager'
SESSION = 'org.confab.Confab1.Session'
MODULE = 'org.confab.Confab1.Module'
PROPERTIES = 'org.freedesktop.DBus.Properties'
OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager'
ERROR = 'org.confab.Confab1.Error.'

PATIENCE = 20
TROUBLE = re.compile(r'-(?:CRITICAL|WARNING) \*\*|(?:Address|Leak|Thread)Sanitizer|runtime error:')
KEPT = ('PATH', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'TSAN_OPTIONS', 'UBSAN_OPTIONS', 'G_SLICE',
        'LD_LIBRARY_PATH')


def wait_for(condition, what='it', timeout=PATIENCE):
    """Runs the main loop until condition() is true, and returns what it said."""
    context = GLib.MainContext.default()
    end = time.monotonic() + timeout
    while True:
        while context.iteration(False):
            pass
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come within {timeout} s')
        time.sleep(0.005)


def make_home():
    """A folder of its own, with a runtime directory in it."""
    home = tempfile.mkdtemp(prefix='confab-bus-')
    os.mkdir(os.path.join(home, 'run'), 0o700)
    return home


def environment(home, **more):
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env.update(LANG='C.UTF-8', HOME=home, XDG_RUNTIME_DIR=os.path.join(home, 'run'),
               XDG_DATA_HOME=os.path.join(home, 'data'),
               XDG_CONFIG_HOME=os.path.join(home, 'config'),
               XDG_CACHE_HOME=os.path.join(home, 'cache'),
               GSETTINGS_BACKEND='memory', GIO_USE_PROXY_RESOLVER='dummy', NO_AT_BRIDGE='1')
    env.update(more)
    return env


class Bus:
    """dbus-daemon at an address that outlives it."""

    def __init__(self, config='--session', env=None, wrapper=()):
        self.folder = tempfile.mkdtemp(prefix='confab-bus-')
        os.chmod(self.folder, 0o755)
        self.path = os.path.join(self.folder, 'bus')
        self.address = f'unix:path={self.path}'
        self.config = config
        self.env = env
        self.wrapper = wrapper
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [*self.wrapper, 'dbus-daemon', self.config, '--nofork', '--nopidfile',
                 '--print-address', f'--address={self.address}'],
                env=self.env, stdout=subprocess.PIPE, stderr=log, text=True)
        self.process.stdout.readline()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        connection = Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        connection.set_exit_on_close(False)
        return connection


class Confabd:
    """The program under test; judged when it is stopped."""

    def __init__(self, bus, *args, home=None, variable='DBUS_SESSION_BUS_ADDRESS', env=None):
        self.home = home or make_home()
        self.env = environment(self.home, **{variable: bus.address}, **(env or {}))
        self.errors = os.path.join(self.home, f'stderr-{time.monotonic_ns()}')
        with open(self.errors, 'wb') as errors:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [os.environ['CONFABD'], '--port', '0', *args], env=self.env,
                stdout=subprocess.PIPE, stderr=errors, text=True)
        self.line = self.process.stdout.readline().strip()

    def log(self):
        with open(self.errors, encoding='utf-8') as file:
            return file.read()

    def has_sanitizer(self):
        with open(f'/proc/{self.process.pid}/maps', encoding='utf-8') as file:
            return re.search('lib[at]san', file.read()) is not None

    def main_thread_ms(self):
        """How long its main thread has had a processor."""
        pid = self.process.pid
        with open(f'/proc/{pid}/task/{pid}/schedstat', encoding='utf-8') as file:
            return int(file.read().split()[0]) / 1e6

    def wait(self, timeout=PATIENCE):
        try:
            code = self.process.wait(timeout)
        finally:
            self.process.kill()
            self.process.stdout.close()
        return code

    def stop(self, keep=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait()
        log = self.log()
        if not keep:
            shutil.rmtree(self.home, ignore_errors=True)
        assert not TROUBLE.search(log), log
        assert code == 0, f'exit status {code}:\n{log}'


class Upstream:
    """The raw model server: a module's Model chooses what it does."""

    def __init__(self):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            ['node', os.path.join(TESTS, 'upstream/raw-upstream.mjs'), '0'],
            stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().split()[1]
        self.args = ['--provider', 'openai', '--base-url', f'http://127.0.0.1:{port}/v1']

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Failure(Exception):
    """An error of D-Bus, by its name."""

    def __init__(self, error):
        self.name = Gio.DBusError.get_remote_error(error) or error.domain
        Gio.DBusError.strip_remote_error(error)
        super().__init__(f'{self.name}: {error.message}')
        self.sentence = error.message


class Client:
    """A connection that calls by introspection and keeps all signals, in order."""

    def __init__(self, bus):
        self.connection = bus.connect()
        self.signals = []
        self.types = {}
        self.connection.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                         self._heard)

    def _heard(self, _connection, _sender, path, _interface, name, parameters):
        self.signals.append((path, name, parameters.unpack()))

    def heard(self, path, *names):
        return [(name, args) for at, name, args in self.signals
                if at == path and (not names or name in names)]

    def raw_call(self, path, interface, method, parameters, fds=None, timeout=30000):
        try:
            reply, _ = self.connection.call_with_unix_fd_list_sync(
                NAME, path, interface, method, parameters, None, Gio.DBusCallFlags.NONE, timeout,
                fds, None)
        except GLib.Error as error:
            raise Failure(error) from None
        return reply.unpack()

    def introspect(self, path):
        xml, = self.raw_call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect', None)
        return Gio.DBusNodeInfo.new_for_xml(xml)

    def call(self, path, interface, method, *args, fds=None):
        """Calls a method by the signature that introspection tells."""
        if interface not in self.types:
            self.types[interface] = self.introspect(path).lookup_interface(interface)
        info = self.types[interface].lookup_method(method)
        signature = '(' + ''.join(arg.signature for arg in info.in_args) + ')'
        result = self.raw_call(path, interface, method, GLib.Variant(signature, args), fds)
        return result[0] if len(result) == 1 else result

    def get(self, path, interface, name):
        return self.raw_call(path, PROPERTIES, 'Get', GLib.Variant('(ss)', (interface, name)))[0]

    def set(self, path, interface, name, value):
        self.raw_call(path, PROPERTIES, 'Set', GLib.Variant('(ssv)', (interface, name, value)))

    def objects(self):
        return self.raw_call(ROOT, OBJECT_MANAGER, 'GetManagedObjects', None)[0]

    def make_session(self, title='', **options):
        options = {key: GLib.Variant('s', value) for key, value in options.items()}
        return self.call(ROOT, MANAGER, 'CreateSession', title, options)

    def make_module(self, session, title='', **options):
        options = {key: GLib.Variant('s', value) for key, value in options.items()}
        return self.call(session, SESSION, 'CreateModule', title, options)

    def ask(self, module, message='Go', **options):
        options = {key: GLib.Variant('s', value) for key, value in options.items()}
        return self.call(module, MODULE, 'Generate', message, options)

    def end_of(self, module, generation):
        return wait_for(lambda: next(((name, args) for name, args in self.heard(
            module, 'GenerationCompleted', 'GenerationFailed') if args[0] == generation), None),
            f'the end of {generation}')

    def close(self):
        self.connection.close_sync(None)


class BusCase(unittest.TestCase):
    """One confabd on a bus for all tests of a class, with `args`, and a client for each."""

    args = ()

    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)
        cls.confabd = Confabd(cls.bus, '--session', '--dev', *cls.args, *cls.upstream.args)
        cls.addClassCleanup(cls.confabd.stop)

    def setUp(self):
        self.client = Client(self.bus)
        self.addCleanup(self.client.close)

    def confabctl(self, *args, code=0, **kwargs):
        """What it prints; of a refusal one line is told."""
        if 'input' not in kwargs:
            kwargs['stdin'] = subprocess.DEVNULL
        kwargs.setdefault('env', self.confabd.env)
        result = subprocess.run([os.environ['CONFABCTL'], *args], text=True, capture_output=True,
                                timeout=PATIENCE, check=False, **kwargs)
        self.assertEqual(result.returncode, code, result.stderr)
        if code != 0:
            self.assertRegex(result.stderr, r'^confabctl: [^\n]+\n$')
        return result.stdout
