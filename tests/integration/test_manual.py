#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual pages and the completions say all that the programs know, and work in real shells."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import DATA, PATIENCE, Bus, Client, Confabd, make_home  # noqa: E402

MAN = os.path.join(DATA, 'man')
COMPLETIONS = os.path.join(DATA, 'completions')
PAGES = {'confabctl': 'confabctl.1', 'confabd': 'confabd.8'}
SHELLS = {'bash': '{}.bash', 'zsh': '_{}', 'fish': '{}.fish'}


def read(*parts):
    with open(os.path.join(*parts), encoding='utf-8') as file:
        return file.read()


def help_of(name):
    result = subprocess.run([os.environ[name.upper()], '--help'], capture_output=True, text=True,
                            env={**os.environ, 'LC_ALL': 'C.UTF-8'}, check=True)
    return result.stdout


def options_of(name):
    return re.findall(r'(?m)^  (?:-\w, )?--([a-z0-9-]+)', help_of(name))


def commands_of_confabctl():
    return re.findall(r'(?m)^  ([a-z]+) ', help_of('confabctl').partition('Commands:')[2])


class TestManual(unittest.TestCase):
    def test_pages_are_right(self):
        for page in PAGES.values():
            with self.subTest(page):
                result = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning',
                                         os.path.join(MAN, page)], capture_output=True, text=True,
                                        check=False)
                self.assertEqual((result.returncode, result.stdout), (0, ''), result.stdout)

    def test_pages_tell_every_option(self):
        for name, page in PAGES.items():
            text = read(MAN, page)
            self.assertGreater(len(options_of(name)), 5)
            for option in options_of(name):
                with self.subTest(f'{name} --{option}'):
                    self.assertRegex(text, rf'(?m)^\.It .*Fl Fl {option}\b')

    def test_page_tells_every_command(self):
        text = read(MAN, 'confabctl.1')
        self.assertGreater(len(commands_of_confabctl()), 9)
        for command in commands_of_confabctl():
            with self.subTest(command):
                self.assertRegex(text, rf'(?m)^\.It Cm {command}\b')

    def test_page_tells_every_setting(self):
        text = read(MAN, 'confabd.8')
        tree = ElementTree.parse(os.path.join(DATA, 'org.confab.Confab.gschema.xml'))
        keys = [key.get('name') for key in tree.iter('key')]
        self.assertGreater(len(keys), 20)
        for key in keys:
            with self.subTest(key):
                self.assertRegex(text, rf'(?m)^\.It Li .*\b{key}\b')

    def test_page_tells_what_can_be_tuned(self):
        """Only what there is, and each limit and rate of the settings."""
        text = read(MAN, 'confabd.8').partition('.Sh TUNING')[2].partition('.Sh ')[0]
        tree = ElementTree.parse(os.path.join(DATA, 'org.confab.Confab.gschema.xml'))
        keys = {key.get('name') for key in tree.iter('key')}
        told = set(re.findall(r'[a-z-]+', ' '.join(re.findall(r'(?m)^\.It Li (.*)$', text))))
        self.assertEqual(told - keys, set())
        limits = {key for key in keys
                  if re.search(r'^(max-|limit-)|-(rate|connections|interval)$', key)}
        self.assertGreater(len(limits), 5)
        self.assertEqual(limits - told, set())
        metrics = re.findall(r'(?m)^\.Li (confab_\w+)', text)
        self.assertEqual(len(metrics), 3)
        source = read(DATA, '../src/confab/faces/confab-http-metrics.c')
        for metric in metrics:
            self.assertIn(f'"{metric}"', source)

    def test_page_tells_every_exit_status(self):
        text = read(MAN, 'confabctl.1').partition('.Sh EXIT STATUS')[2]
        header = read(DATA, '../src/confabctl/ctl.h')
        codes = re.findall(r'CTL_EXIT_\w+ = (\d+)', header)
        self.assertEqual(re.findall(r'(?m)^\.It (\d+)$', text.partition('.Sh ')[0]), codes)


class TestCompletions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.confabd = Confabd(cls.bus, '--session', '--dev', '--provider', 'builtin')
        cls.addClassCleanup(cls.confabd.stop)
        client = Client(cls.bus)
        client.make_module(client.make_session('Of many', sessionId='work'), 'A plan',
                           moduleId='plans')
        client.close()
        # the shells find the program by its name, as users do
        cls.bin = make_home()
        cls.addClassCleanup(shutil.rmtree, cls.bin, True)
        for name in PAGES:
            os.symlink(os.environ[name.upper()], os.path.join(cls.bin, name))
        cls.env = {**cls.confabd.env, 'PATH': f'{cls.bin}:{os.environ["PATH"]}', 'TERM': 'dumb'}

    def test_every_option_and_command(self):
        for shell, pattern in SHELLS.items():
            for name in PAGES:
                text = read(COMPLETIONS, pattern.format(name))
                for option in options_of(name):
                    with self.subTest(f'{shell}: {name} --{option}'):
                        self.assertRegex(text, rf'(?:-l |--|,){option}\b')
            text = read(COMPLETIONS, pattern.format('confabctl'))
            for command in commands_of_confabctl():
                with self.subTest(f'{shell}: {command}'):
                    self.assertRegex(text, rf'(?:-a |[ \'"]){command}\b')

    def shell(self, *command):
        result = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, text=True,
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return result.stdout.split('\n')[:-1]

    def bash(self, *words):
        """What bash offers for the last of @words."""
        name = words[0]
        script = (f'. {COMPLETIONS}/{name}.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  f'_{name}; printf "%s\\n" "${{COMPREPLY[@]}}"')
        return self.shell('bash', '--norc', '-c', script, 'bash', *words)

    def fish(self, line):
        """What fish offers at the end of @line, without the descriptions."""
        name = line.split()[0]
        lines = self.shell('fish', '--no-config', '-c',
                           f'source {COMPLETIONS}/{name}.fish; complete -C "{line}"')
        return sorted({offer.split('\t')[0] for offer in lines})

    def test_bash(self):
        self.assertEqual(self.bash('confabctl', 'mo'), ['modules', 'monitor'])
        self.assertEqual(self.bash('confabctl', 'monitor', '--c'), ['--chunks'])
        self.assertEqual(self.bash('confabctl', 'history', ''), ['plans'])
        self.assertEqual(self.bash('confabctl', 'chat', '-m', 'p'), ['plans'])
        self.assertIn('work', self.bash('confabctl', 'modules', ''))
        self.assertEqual(self.bash('confabctl', 'providers', ''), ['set-key', 'clear-key'])
        self.assertEqual(self.bash('confabctl', 'providers', 'set-key', 'b'), ['builtin'])
        self.assertEqual(self.bash('confabctl', '--json', 'token', ''), ['rotate'])
        self.assertEqual(self.bash('confabctl', 'history', 'plans', ''), [''])
        self.assertEqual(self.bash('confabctl', 'import', f'{DATA}/man/confabd'),
                         [f'{DATA}/man/confabd.8'])
        self.assertEqual(self.bash('confabd', '--provider', 'op'), ['openai', 'openai-responses'])
        self.assertEqual(self.bash('confabd', '--no'), ['--no-realtime', '--no-bus'])

    def test_fish(self):
        self.assertEqual(self.fish('confabctl mo'), ['modules', 'monitor'])
        self.assertEqual(self.fish('confabctl monitor --c'), ['--chunks'])
        self.assertEqual(self.fish('confabctl history '), ['plans'])
        self.assertEqual(self.fish('confabctl chat -m p'), ['plans'])
        self.assertIn('work', self.fish('confabctl modules '))
        self.assertEqual(self.fish('confabctl providers '), ['clear-key', 'set-key'])
        self.assertEqual(self.fish('confabctl providers set-key b'), ['builtin'])
        self.assertEqual(self.fish('confabd --no'), ['--no-bus', '--no-realtime'])

    def zsh(self, line, wanted):
        """Presses Tab after @line in a terminal until @wanted is seen."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe('zsh', ['zsh', '-f', '-i'], {**self.env, 'PS1': 'ready> '})
        seen = ''

        def read_until(text):
            nonlocal seen
            end = time.monotonic() + PATIENCE
            while text not in seen:
                self.assertLess(time.monotonic(), end, f'“{text}” is not in: {seen}')
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096).decode('utf-8', 'replace')

        try:
            read_until('ready> ')
            os.write(terminal, f'fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; '
                               f'compinit -D; echo do""ne\n'.encode())
            read_until('done')
            seen = ''
            os.write(terminal, line.encode() + b'\t')
            read_until(wanted)
        finally:
            os.close(terminal)
            os.kill(pid, 9)
            os.waitpid(pid, 0)

    def test_zsh(self):
        self.zsh('confabctl mon', 'confabctl monitor')
        self.zsh('confabctl history ', 'confabctl history plans')
        self.zsh('confabctl chat -m p', 'confabctl chat -m plans')
        self.zsh('confabctl providers set-key b', 'set-key builtin')
        self.zsh('confabctl open --p', 'open --print')
        self.zsh('confabd --no-r', 'confabd --no-realtime')


if __name__ == '__main__':
    unittest.main()
