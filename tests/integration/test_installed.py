#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed tree, started on demand: by dbus-daemon alone, and by a real systemd."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
import machine  # noqa: E402
from staged import Staged, can_stage  # noqa: E402

PATIENCE = 30
CALL = ['-d', 'org.confab.Confab', '-o', '/org/confab/Confab', '-m']
GET_VERSION = [*CALL, 'org.freedesktop.DBus.Properties.Get', 'org.confab.Confab1.Manager',
               'Version']
LAUNCH_HELPER = '/usr/lib/dbus-1.0/dbus-daemon-launch-helper'


def setUpModule():
    if not can_stage():
        raise unittest.SkipTest('needs bubblewrap, and a prefix of its own')


class StagedCase(unittest.TestCase):
    parent = None

    @classmethod
    def setUpClass(cls):
        cls.staged = Staged(cls.parent)
        cls.addClassCleanup(cls.staged.close)

    def check_version(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^\(<'\d+\.\d+\.\d+'>,\)$")


class TestFiles(StagedCase):
    def test_manual_and_completions(self):
        for name in ('share/man/man1/confabctl.1', 'share/man/man8/confabd.8',
                     'share/bash-completion/completions/confabctl',
                     'share/bash-completion/completions/confabd',
                     'share/fish/vendor_completions.d/confabctl.fish',
                     'share/zsh/site-functions/_confabctl'):
            self.assertTrue(os.path.exists(self.staged.path(name)), name)


class TestBusAlone(StagedCase):
    """Without systemd the bus runs the program itself."""

    def write(self, name, text):
        path = os.path.join(self.staged.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def run_with_bus(self, kind, bus, options, script):
        """Runs a bus in the tree, and @script beside it when the bus is there."""
        command = ('dbus-daemon --nofork --nopidfile "$@" & '
                   f'while [ ! -S {bus} ]; do sleep 0.05; done; {script}')
        return subprocess.run(
            [*self.staged.sandbox(*options), 'sh', '-c', command, 'sh', kind,
             f'--address=unix:path={bus}'],
            env=dict(self.staged.env, DBUS_SESSION_BUS_ADDRESS=f'unix:path={bus}'),
            capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_session_bus(self):
        bus = os.path.join(self.staged.run_dir, 'bus')
        script = f'gdbus call --session {" ".join(GET_VERSION)} && confabctl chat Hello >&2'
        result = self.run_with_bus('--session', bus, [], script)
        self.check_version(result)
        self.assertIn('Hello', result.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.staged.home,
                                                    '.local/share/confab/confab.db')))

    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists(LAUNCH_HELPER),
                         'needs root and the helper of dbus-daemon')
    def test_system_bus(self):
        """The real helper runs it as the user that the service file names."""
        with open('/usr/share/dbus-1/system.conf', encoding='utf-8') as file:
            text = file.read().replace('<fork/>', '')
        self.assertIn('<user>messagebus</user>', text)
        # One that is set-uid would get no rights here. So it is run by root; but where the bus is
        # told to be root, it gives up the rights that its helper needs.
        config = self.write('bus.conf', text.replace('<user>messagebus</user>', ''))
        helpers = self.write('helper.conf', text.replace('messagebus', 'root'))
        options = ['--tmpfs', '/run', '--dir', '/run/dbus', '--tmpfs', '/var', '--dir', '/var/lib',
                   '--symlink', '/run', '/var/run',
                   '--dir', '/var/lib/confab', '--bind', self.staged.make_etc(), '/etc',
                   '--ro-bind', helpers, '/usr/share/dbus-1/system.conf', '--cap-add', 'ALL']
        # the helper keeps nothing of the environment, so that the library has to be found
        script = ('ldconfig; chown confab: /var/lib/confab; '
                  f'gdbus call --system {" ".join(GET_VERSION)} && '
                  'ps -o user:20= -C confabd >&2 && stat -c %U /var/lib/confab/confab.db >&2')
        result = self.run_with_bus(f'--config-file={config}', '/run/dbus/system_bus_socket',
                                   options, script)
        self.check_version(result)
        self.assertIn('confab\nconfab\n', result.stderr)


@unittest.skipUnless(machine.can_run(), 'needs root, and a machine without systemd')
class MachineCase(StagedCase):
    kind = 'user'
    namespaces = True
    # not in /tmp, of which the services have one of their own
    parent = '/home'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.machine = machine.Machine(cls.staged, cls.kind, cls.namespaces)
        cls.addClassCleanup(cls.machine.close)

    def setUp(self):
        # nobody starts and stops it as often as these tests do; and the first process of a machine
        # hands no environment on
        self.machine.drop_in('confab.service', '[Unit]\nStartLimitIntervalSec=0\n'
                             '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n')
        self.machine.systemctl('stop', 'confab.service')

    def call(self, *command):
        return self.machine.run('gdbus', 'call', f'--{self.bus}', *command)


class MachineTests:
    """What is the same for a user and for the machine."""

    def test_a_call_starts_it(self):
        self.check_version(self.call(*GET_VERSION))
        show = self.machine.show
        self.assertEqual(show('confab.service', 'Type'), 'dbus')
        self.assertEqual(show('confab.service', 'ActiveState'), 'active')
        self.machine.wait_for(lambda: show('confab.service', 'StatusText') == 'Ready', 'a status')
        pid = show('confab.service', 'MainPID')
        self.assertIn(pid, self.call('-d', 'org.freedesktop.DBus', '-o', '/', '-m',
                                     'org.freedesktop.DBus.GetConnectionUnixProcessID',
                                     'org.confab.Confab').stdout)

    def test_it_is_up_when_it_has_its_name(self):
        self.machine.systemctl('start', 'confab.service')
        result = self.call('-d', 'org.freedesktop.DBus', '-o', '/', '-m',
                           'org.freedesktop.DBus.NameHasOwner', 'org.confab.Confab')
        self.assertEqual(result.stdout, '(true,)\n')

    def test_a_connection_starts_it(self):
        self.machine.systemctl('start', 'confab.socket', 'confab-unix.socket')
        for where in (['http://127.0.0.1:7420/healthz'], ['http://[::1]:7420/healthz'],
                      ['--unix-socket', self.socket, 'http://localhost/healthz']):
            with self.subTest(where):
                self.machine.systemctl('stop', 'confab.service')
                result = self.machine.run('curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}',
                                          *where)
                self.assertEqual(result.stdout, '200', result.stderr)
                self.assertEqual(self.machine.show('confab.service', 'ActiveState'), 'active')

    def test_reload_and_stop(self):
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        self.machine.systemctl('reload', 'confab.service')
        self.assertEqual(self.machine.show('confab.service', 'MainPID'), pid)
        self.assertEqual(self.machine.show('confab.service', 'ActiveState'), 'active')
        self.machine.systemctl('stop', 'confab.service')
        self.assertEqual(self.machine.show('confab.service', 'Result'), 'success')
        self.assertEqual(self.machine.show('confab.service', 'ExecMainStatus'), '0')

    def test_the_watchdog_bites(self):
        """A process that hangs is killed and started again."""
        self.machine.drop_in('confab.service', '[Service]\nWatchdogSec=2s\nTimeoutStopSec=1s\n')
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        self.machine.wait_for(lambda: self.machine.show('confab.service', 'StatusText') == 'Ready',
                              'a status')
        self.machine.run('kill', '-STOP', pid)
        self.machine.wait_for(lambda: self.machine.show('confab.service', 'MainPID')
                              not in ('0', pid), 'another process')
        self.machine.wait_for(lambda: self.machine.show('confab.service', 'ActiveState')
                              == 'active', 'a second start')

    def test_it_leaves_nothing_to_others(self):
        """No core, not even to a crash handler's pipe, no file to read, no socket to ask."""
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        self.assertRegex(self.machine.run('cat', f'/proc/{pid}/limits').stdout,
                         r'(?m)^Max core file size +1 +1 ')
        folder = os.path.dirname(self.socket)
        self.assertEqual(self.machine.run('stat', '-c', '%a', folder, self.socket).stdout.split(),
                         ['755' if self.kind == 'system' else '700', '600'])
        # neither is left to confabd, which does as much for itself
        self.assertEqual(self.machine.show('confab.service', 'LimitCORE'), '1')
        self.assertEqual(self.machine.show('confab.service', 'UMask'), '0077')

    def test_whom_a_lower_limit_binds_may_not_be_looked_into(self):
        self.machine.drop_in('confab.service', '[Service]\nLimitCORE=0\n')
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        self.assertRegex(self.machine.run('cat', f'/proc/{pid}/limits').stdout,
                         r'(?m)^Max core file size +0 +0 ')
        self.assertEqual(self.machine.run('stat', '-c', '%U', f'/proc/{pid}/environ').stdout,
                         'root\n')

    def test_chat(self):
        system = ['--system'] if self.bus == 'system' else []
        result = self.machine.run('confabctl', *system, 'chat', 'Hello')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('Hello', result.stdout)


class TestUser(MachineTests, MachineCase):
    kind = 'user'
    bus = 'session'

    @property
    def socket(self):
        return os.path.join(self.staged.run_dir, 'confab/socket')

    def namespaces_of(self, pid):
        return self.machine.run('readlink', *(f'/proc/{pid}/ns/{name}' for name in (
            'mnt', 'user', 'uts'))).stdout.split()

    def test_it_is_shut_in(self):
        """What the unit promises holds, for a manager that has no rights itself."""
        for folder in ('.gnupg', '.local/share/keyrings', '.ssh'):
            path = os.path.join(self.staged.home, folder)
            os.makedirs(path, exist_ok=True)
            self.machine.run_as_root('chown', '-R', machine.USER, os.path.dirname(path), path)
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        for ours, theirs in zip(self.namespaces_of('self'), self.namespaces_of(pid)):
            self.assertNotEqual(ours, theirs)
        with self.subTest('capabilities'):
            status = self.machine.run('cat', f'/proc/{pid}/status').stdout
            self.assertRegex(status, r'(?m)^CapBnd:\s+0+$')
            self.assertRegex(status, r'(?m)^NoNewPrivs:\s+1$')
            self.assertRegex(status, r'(?m)^Seccomp:\s+2$')

        def see(*command):
            return self.machine.run_inside(pid, *command)

        for folder in ('.gnupg', '.local/share/keyrings', '.ssh'):
            with self.subTest(folder):
                result = see('ls', os.path.join(self.staged.home, folder))
                self.assertIn('Permission denied', result.stderr)
        devices = see('ls', '/dev').stdout.split()
        self.assertIn('urandom', devices)
        self.assertFalse({'fuse', 'kmsg', 'kvm', 'snd', 'dri', 'input'} & set(devices), devices)
        self.assertEqual(see('ls', '/tmp').stdout, '')
        for path in ('/usr', '/etc', '/sys/fs/cgroup'):
            mount = see('findmnt', '-n', '-o', 'OPTIONS', '--target', path).stdout
            # the one on top is told last
            self.assertIn('ro', mount.splitlines()[-1].split(','), path)
        self.assertEqual(see('touch', os.path.join(self.staged.home, 'touched')).returncode, 0)


class TestUserWithoutNamespaces(MachineTests, MachineCase):
    """The kernels of some distributions let users have none."""
    kind = 'user'
    bus = 'session'
    namespaces = False

    @property
    def socket(self):
        return os.path.join(self.staged.run_dir, 'confab/socket')

    def test_it_is_told_to_do_without(self):
        self.machine.systemctl('start', 'confab.service')
        self.assertIn('50-no-namespaces.conf', self.machine.systemctl('cat', 'confab.service'))
        pid = self.machine.show('confab.service', 'MainPID')
        for name in ('mnt', 'user'):
            self.assertEqual(self.machine.run('readlink', f'/proc/{pid}/ns/{name}').stdout,
                             self.machine.run('readlink', f'/proc/self/ns/{name}').stdout)
        for name in ('PrivateMounts', 'PrivateTmp', 'PrivateUsers', 'ProtectSystem'):
            self.assertEqual(self.machine.show('confab.service', name), 'no', name)
        self.assertRegex(self.machine.run('cat', f'/proc/{pid}/status').stdout,
                         r'(?m)^Seccomp:\s+2$')

    def test_without_that_it_would_not_start(self):
        """So this machine is what it is said to be."""
        self.machine.drop_in('confab.service', '[Service]\nPrivateUsers=yes\nRestart=no\n')
        self.assertNotEqual(self.machine.run('systemctl', '--user', 'start', 'confab.service')
                            .returncode, 0)
        self.assertEqual(self.machine.show('confab.service', 'ExecMainStatus'), '217')


class TestSystem(MachineTests, MachineCase):
    kind = 'system'
    bus = 'system'
    socket = '/run/confab/socket'

    def test_it_is_shut_in(self):
        """Of that the score tells nothing."""
        self.machine.systemctl('start', 'confab.service')
        pid = self.machine.show('confab.service', 'MainPID')
        self.assertNotEqual(*(self.machine.run('readlink', f'/proc/{where}/ns/ipc').stdout
                              for where in ('self', pid)))

    def test_it_is_its_own_user(self):
        self.check_version(self.call(*GET_VERSION))
        pid = self.machine.show('confab.service', 'MainPID')
        self.assertEqual(self.machine.run('stat', '-c', '%U', f'/proc/{pid}').stdout, 'confab\n')
        result = self.machine.run('stat', '-c', '%U %a', '/var/lib/confab',
                                  '/var/lib/confab/confab.db', self.socket)
        self.assertEqual(result.stdout.splitlines(), ['confab 700', 'confab 600', 'confab 600'])

    def test_nobody_is_let_in_without_a_rule(self):
        result = self.machine.run('setpriv', '--reuid=nobody', '--clear-groups', 'gdbus', 'call',
                                  '--system', *CALL, 'org.confab.Confab1.Manager.CreateSession',
                                  'x', '{}')
        self.assertIn('org.confab.Confab1.Error.Unauthorized', result.stderr)


if __name__ == '__main__':
    unittest.main()
