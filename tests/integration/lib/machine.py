# SPDX-License-Identifier: GPL-3.0-or-later
"""A real systemd, for the machine or for a user, in namespaces of its own, where no other runs."""

import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import time

PATIENCE = 30
SYSTEMD = '/lib/systemd/systemd'
# whose manager it is that is not the machine's: somebody without any rights, as on a desktop
USER = 'nobody'
# what D-Bus needs of the machine, and nothing else of it
UNITS = {
    'system': ('basic.target', 'dbus.service', 'dbus.socket', 'shutdown.target', 'sockets.target',
               'sysinit.target'),
    'user': ('basic.target', 'dbus.service', 'dbus.socket', 'shutdown.target', 'sockets.target'),
}


def find_hierarchies():
    """The folders of our own control group in which systemd keeps its own."""
    mounts, own = {}, {}
    with open('/proc/self/mounts', encoding='utf-8') as file:
        for line in file:
            _, path, kind, options = line.split()[:4]
            if kind == 'cgroup2':
                mounts[''] = path
            elif kind == 'cgroup' and 'name=systemd' in options.split(','):
                mounts['name=systemd'] = path
    with open('/proc/self/cgroup', encoding='utf-8') as file:
        for line in file:
            _, name, path = line.rstrip('\n').split(':', 2)
            own[name] = path
    return [os.path.join(path, own[name].strip('/')) for name, path in mounts.items()
            if name in own]


def can_run():
    """Only root can, and only where there is no systemd whose groups could be taken for ours."""
    return (os.geteuid() == 0 and os.path.exists(SYSTEMD)
            and not os.path.exists('/run/systemd/system') and find_hierarchies()
            and all(os.access(path, os.W_OK) for path in find_hierarchies()))


class Machine:
    def __init__(self, staged, kind, namespaces=True):
        self.staged = staged
        self.user = ['--user'] if kind == 'user' else []
        self.become = ['setpriv', f'--reuid={USER}', '--regid=nogroup', '--clear-groups',
                       '--inh-caps=-all'] if self.user else []
        self.groups = [os.path.join(path, f'confab-test-{os.getpid()}-{kind}')
                       for path in find_hierarchies()]
        self.env = dict(staged.env, SYSTEMD_UNIT_PATH=self.lay_out(kind),
                        SYSTEMD_GENERATOR_PATH=f'{staged.prefix}/lib/systemd/{kind}-generators')
        options = ['--tmpfs', '/run', '--ro-bind', '/sys', '/sys',
                   '--bind', '/sys/fs/cgroup', '/sys/fs/cgroup',
                   # as the machine's systemd makes them
                   *(['--dir', '/run/systemd/system', '--dir', '/run/systemd/unit-root',
                      '--bind', self.make_runtime_dir(), '/run/user'] if self.user else
                     ['--tmpfs', '/var', '--symlink', '/run', '/var/run',
                      '--bind', staged.make_etc(), '/etc'])]
        if self.user:
            self.env['DBUS_SESSION_BUS_ADDRESS'] = f'unix:path={staged.run_dir}/bus'
            subprocess.run(['chown', '-R', f'{USER}:', staged.folder], check=True)
        else:
            del self.env['XDG_RUNTIME_DIR']
        enter = []
        if not namespaces:
            # the kernel lets nobody make user namespaces whose root is not the root of its mounts
            options += ['--cap-add', 'ALL', '--dir', '/run/root']
            enter = ['sh', '-c', 'mount --rbind / /run/root; exec chroot /run/root "$@"', 'sh']
        self.start(options, enter, kind)

    def make_runtime_dir(self):
        """What a login leaves for the user's manager: nodes that cover what is out of reach."""
        folder = os.path.join(self.staged.folder, 'run-user')
        nodes = os.path.join(folder, str(pwd.getpwnam(USER).pw_uid), 'systemd/inaccessible')
        os.makedirs(nodes)
        os.mkdir(os.path.join(nodes, 'dir'), 0)
        for name, kind in (('reg', stat.S_IFREG), ('fifo', stat.S_IFIFO), ('sock', stat.S_IFSOCK)):
            os.mknod(os.path.join(nodes, name), kind)
        return folder

    def lay_out(self, kind):
        folder = self.units = os.path.join(self.staged.folder, f'units-{kind}')
        os.mkdir(folder)
        for name in UNITS[kind]:
            shutil.copy(os.path.join('/usr/lib/systemd', kind, name), folder)
        with open(os.path.join(folder, 'default.target'), 'w', encoding='utf-8') as file:
            file.write('[Unit]\nRequires=dbus.socket\n')
        return ':'.join([folder, *([f'{self.staged.run_dir}/systemd/generator']
                                   if kind == 'user' else []),
                         f'{self.staged.prefix}/lib/systemd/{kind}'])

    def start(self, options, enter_root, kind):
        for group in self.groups:
            os.makedirs(group)
        if self.user:
            subprocess.run(['chown', '-R', f'{USER}:', *self.groups], check=True)
        enter = ' '.join(f'echo $$ > {group}/cgroup.procs;' for group in self.groups)
        read_end, write_end = os.pipe()
        self.log_path = os.path.join(self.staged.folder, f'{kind}.log')
        with open(self.log_path, 'wb') as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                ['sh', '-c', f'{enter} exec "$@"', 'sh',
                 *self.staged.sandbox('--info-fd', str(write_end), *options,
                                      as_pid_1=not self.user),
                 *enter_root, *self.become, SYSTEMD, f'--{kind}', '--log-target=console',
                 '--show-status=no'],
                env=dict(self.env, container='bwrap'), pass_fds=[write_end],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(write_end)
        with os.fdopen(read_end, encoding='utf-8') as info:
            self.pid = json.load(info)['child-pid']
        self.wait_for(lambda: self.run('systemctl', *self.user, 'is-active', 'dbus.socket')
                      .returncode == 0, 'systemd')

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f'{what} did not come within {PATIENCE} s:\n{self.log()}')
            time.sleep(0.05)

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()

    def run(self, *command):
        """Runs a command on that machine, as its user if it is one's."""
        return subprocess.run(['nsenter', '-t', str(self.pid), '-m', '-p', '-n', '-i',
                               *self.become, *command],
                              env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def run_as_root(self, *command):
        return subprocess.run(['nsenter', '-t', str(self.pid), '-m', '-p', *command],
                              env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def run_inside(self, pid, *command):
        """Runs a command as its user where the service is that has this number there."""
        return self.run_as_root('nsenter', '-t', pid, '-m', *self.become, *command)

    def systemctl(self, *args):
        result = self.run('systemctl', *self.user, *args)
        assert result.returncode == 0, result.stderr + self.log()
        return result.stdout

    def show(self, unit, name):
        return self.systemctl('show', '--value', '-p', name, unit).strip()

    def drop_in(self, unit, text):
        """Changes a unit, as an administrator does."""
        folder = os.path.join(self.units, f'{unit}.d')
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, 'test.conf')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        self.systemctl('daemon-reload')

    def close(self):
        self.process.kill()
        self.process.wait()
        # the processes are gone with their first one, and their groups are empty soon
        with open('/proc/self/mounts', encoding='utf-8') as file:
            roots = [path for _, path, kind in (line.split()[:3] for line in file)
                     if re.fullmatch('cgroup2?', kind)]
        name = os.path.basename(self.groups[0])
        end = time.monotonic() + PATIENCE
        while any(list(self.remove_groups(root, name)) for root in roots):
            if time.monotonic() > end:
                raise AssertionError('control groups remain')
            time.sleep(0.05)

    @staticmethod
    def remove_groups(root, name):
        for folder, _, _ in os.walk(root, topdown=False):
            if f'{folder}/'.find(f'/{name}/') >= 0:
                try:
                    os.rmdir(folder)
                except OSError:
                    yield folder
