# SPDX-License-Identifier: GPL-3.0-or-later
"""What `meson install` would install, in a folder, and programs that see it as installed."""

import json
import os
import shutil
import subprocess
import tempfile

BUILD = os.environ['CONFAB_BUILD_ROOT']
KEPT = ('PATH', 'UBSAN_OPTIONS')


def find_prefix():
    with open(os.path.join(BUILD, 'meson-info/intro-buildoptions.json'), encoding='utf-8') as file:
        options = {option['name']: option['value'] for option in json.load(file)}
    return options['prefix']


def can_stage(*more):
    """Bubblewrap lays the folder over the prefix; over /usr it would hide everything else."""
    return find_prefix() != '/usr' and subprocess.run(
        ['bwrap', '--dev-bind', '/', '/', '--unshare-net', '--unshare-pid', *more, 'true'],
        capture_output=True, check=False).returncode == 0


class Staged:
    """The installed tree. Whatever runs in it has a network and processes of its own."""

    def __init__(self, parent=None):
        self.prefix = find_prefix()
        self.folder = tempfile.mkdtemp(prefix='confab-staged-', dir=parent)
        self.tree = os.path.join(self.folder, 'tree')
        self.home = os.path.join(self.folder, 'home')
        self.run_dir = os.path.join(self.home, 'run')
        os.makedirs(self.run_dir)
        for path in (self.home, self.run_dir):
            os.chmod(path, 0o700)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet',
                        '--destdir', self.tree], capture_output=True, check=True)
        libraries = [folder for folder, _, names in os.walk(self.path())
                     if any(name.startswith('libsocketio') for name in names)]
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env.update(
            LANG='C.UTF-8', HOME=self.home, XDG_RUNTIME_DIR=self.run_dir,
            GSETTINGS_BACKEND='memory', GIO_USE_PROXY_RESOLVER='dummy',
            # services run under filters in which LeakSanitizer cannot look at its process
            ASAN_OPTIONS='detect_leaks=0',
            LD_LIBRARY_PATH=':'.join(self.prefix + folder[len(self.path()):]
                                     for folder in libraries))

    def path(self, *parts):
        """Where a file is that belongs below the prefix."""
        return os.path.join(self.tree + self.prefix, *parts)

    def sandbox(self, *options, as_pid_1=False):
        """The beginning of a command line that runs a program where the tree is installed."""
        return ['bwrap', '--die-with-parent', '--unshare-pid', '--unshare-net', '--unshare-ipc',
                *(['--as-pid-1', '--cap-add', 'ALL'] if as_pid_1 else []),
                '--dev-bind', '/', '/', '--proc', '/proc',
                '--perms', '1777', '--tmpfs', '/tmp', '--bind', self.folder, self.folder,
                '--bind', self.path(), self.prefix, *options]

    def make_etc(self):
        """A copy of /etc that may be changed, with the user that the package makes."""
        etc = os.path.join(self.folder, 'etc')
        if not os.path.exists(etc):
            shutil.copytree('/etc', etc, symlinks=True)
            subprocess.run(['systemd-sysusers', f'--root={self.folder}',
                            self.path('lib/sysusers.d/confab.conf')], capture_output=True,
                           check=True)
            # where the bus looks for policies, whatever the prefix is
            shutil.copy(self.path('share/dbus-1/system.d/org.confab.Confab.conf'),
                        os.path.join(etc, 'dbus-1/system.d'))
        return etc

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
