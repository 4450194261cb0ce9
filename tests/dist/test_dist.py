#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball of `meson dist`, built without Node.js and installed into a root of its own."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import unittest
import urllib.request

ROOT_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = 'org.confab.Confab'
PREFIX = '/usr'

# What is told of elsewhere, below the prefix.
PROMISED = (
    'bin/confabd',
    'bin/confabctl',
    'lib/systemd/user/confab.service',
    'lib/systemd/user/confab.socket',
    'lib/systemd/user/confab-unix.socket',
    'lib/systemd/system/confab.service',
    'lib/systemd/system/confab.socket',
    'lib/systemd/system/confab-unix.socket',
    'lib/sysusers.d/confab.conf',
    f'share/applications/{NAME}.desktop',
    'share/dbus-1/interfaces/org.confab.Confab1.xml',
    f'share/dbus-1/services/{NAME}.service',
    f'share/dbus-1/system.d/{NAME}.conf',
    f'share/glib-2.0/schemas/{NAME}.gschema.xml',
    f'share/gnome-shell/search-providers/{NAME}.search-provider.ini',
    f'share/icons/hicolor/scalable/apps/{NAME}.svg',
    f'share/icons/hicolor/symbolic/apps/{NAME}-symbolic.svg',
    f'share/metainfo/{NAME}.metainfo.xml',
    f'share/polkit-1/actions/{NAME}.policy',
)


def why_not():
    """The reason why there is no tarball to be made here, or None."""
    if not os.environ.get('CONFAB_TEST_LONG'):
        return 'only with CONFAB_TEST_LONG'
    if shutil.which('git') is None or not os.path.exists(os.path.join(ROOT_FOLDER, '.git')):
        return 'not a clone of the repository, or git is not installed'
    return None


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)
    assert done.returncode == 0, f'{command}: {done.returncode}\n{done.stdout}'
    return done.stdout


@unittest.skipIf(why_not(), why_not())
class TestDist(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='confab-dist-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        making = os.path.join(cls.folder, 'making')
        run('meson', 'setup', making, '-Dtests=false', cwd=ROOT_FOLDER)
        run('meson', 'dist', '-C', making, '--no-tests', '--allow-dirty', '--formats', 'xztar')
        tarball, = glob.glob(os.path.join(making, 'meson-dist/confab-*.tar.xz'))
        with tarfile.open(tarball) as tar:
            cls.packed = {name.partition('/')[2] for name in tar.getnames()}
            tar.extractall(cls.folder)
        cls.source, = glob.glob(os.path.join(cls.folder, 'confab-*'))
        cls.build()

    @classmethod
    def build(cls):
        """As a packager does, on a machine where Node.js fails."""
        tools = os.path.join(cls.folder, 'tools')
        os.mkdir(tools)
        for name in ('node', 'npm', 'npx'):
            with open(os.path.join(tools, name), 'w', encoding='utf-8') as file:
                file.write('#!/bin/sh\necho "This machine has no Node.js." >&2\nexit 1\n')
            os.chmod(os.path.join(tools, name), 0o755)
        env = {**os.environ, 'PATH': tools + ':' + os.environ['PATH']}
        building = os.path.join(cls.folder, 'building')
        run('meson', 'setup', building, '-Dtests=false', f'-Dprefix={PREFIX}', '-Dlibdir=lib',
            '--sysconfdir=/etc', cwd=cls.source, env=env)
        run('ninja', '-C', building, '-j2', env=env)
        cls.root = os.path.join(cls.folder, 'root')
        run('meson', 'install', '-C', building, '--no-rebuild', '--destdir', cls.root, env=env)
        cls.installed = json.loads(run('meson', 'introspect', building, '--installed'))

    def path(self, name):
        return self.root + PREFIX + '/' + name

    def program(self, name, *args):
        env = {**os.environ, 'LD_LIBRARY_PATH': self.path('lib'), 'LC_ALL': 'C.UTF-8',
               'HOME': self.folder}
        return [self.path('bin/' + name), *args], env

    def test_everything_of_the_repository_is_in_it(self):
        tracked = set(run('git', 'ls-tree', '-r', '--name-only', '-z', 'HEAD',
                          cwd=ROOT_FOLDER).split('\0')) - {''}
        self.assertEqual(tracked - self.packed, set())
        self.assertIn('src/web/prebuilt/index.html', self.packed)
        self.assertEqual([name for name in self.packed if 'node_modules' in name], [])

    def test_everything_is_installed(self):
        missing = [target for target in self.installed.values()
                   if not os.path.lexists(self.root + target)]
        missing += [name for name in PROMISED if not os.path.exists(self.path(name))]
        self.assertEqual(missing, [])

    def test_languages(self):
        with open(os.path.join(self.source, 'po/LINGUAS'), encoding='utf-8') as file:
            languages = [line.strip() for line in file if line.strip() and line[0] != '#']
        self.assertGreater(len(languages), 1)
        for language in languages:
            self.assertTrue(os.path.exists(
                self.path(f'share/locale/{language}/LC_MESSAGES/confab.mo')), language)

    def test_programs_say_who_they_are(self):
        for name in ('confabd', 'confabctl'):
            command, env = self.program(name, '--version')
            self.assertRegex(run(*command, env=env), rf'^{name} \d+\.\d+\.\d+\n$')

    def test_page(self):
        command, env = self.program('confabd', '--port', '0', '--dev', '--no-bus', '--provider',
                                    'builtin', '--unix', '', '--data-dir', self.folder + '/data')
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as process:
            self.addCleanup(process.kill)
            url = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(url, timeout=60) as answer:
                page = answer.read().decode()
            script, = re.findall(r'<script[^>]* src="/?([^"]+)"', page)
            with urllib.request.urlopen(url + script, timeout=60) as answer:
                self.assertGreater(len(answer.read()), 10000)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)

    def test_what_the_desktop_reads_is_valid(self):
        self.assertEqual(run('desktop-file-validate',
                             self.path(f'share/applications/{NAME}.desktop')), '')
        run('appstreamcli', 'validate', '--no-net',
            self.path(f'share/metainfo/{NAME}.metainfo.xml'))
        run('glib-compile-schemas', '--strict', '--dry-run',
            self.path('share/glib-2.0/schemas'))

    def test_services_start_what_is_installed(self):
        files = (f'share/dbus-1/services/{NAME}.service', 'lib/systemd/user/confab.service',
                 'lib/systemd/system/confab.service')
        for name in files:
            with open(self.path(name), encoding='utf-8') as file:
                program = re.search(r'^Exec(?:Start)?=(\S+)', file.read(), re.MULTILINE).group(1)
            self.assertEqual(program, PREFIX + '/bin/confabd', name)


if __name__ == '__main__':
    unittest.main()
