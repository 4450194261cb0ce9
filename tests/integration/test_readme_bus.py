#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md shows of D-Bus and confabctl, run as it stands there."""

import os
import re
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import DATA, MODULE, PATIENCE, BusCase  # noqa: E402

ANSWER = 'The quick brown fox jumps over the lazy dog.'


def section(title):
    with open(os.path.join(DATA, '../README.md'), encoding='utf-8') as file:
        return file.read().partition(f'\n## {title}\n')[2].partition('\n## ')[0]


def code(title, language):
    return re.search(rf'```{language}\n(.*?)```', section(title), re.DOTALL).group(1)


class ReadmeBus(BusCase):
    args = ('--model', 'raw:plain')

    def run_it(self, *command):
        result = subprocess.run(command, env=self.confabd.env, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def make_module(self):
        return self.client.make_module(self.client.make_session())

    def check_script(self, language, *interpreter):
        script = code('Talk to it over D-Bus', language)
        self.assertLessEqual(len(script.splitlines()), 10)
        path = os.path.join(self.confabd.home, f'script-{language}')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(script)
        output = self.run_it(*interpreter, path, self.make_module())
        # it may print each chunk on a line of its own
        self.assertEqual(output.replace('\n', ''), ANSWER)

    def test_python(self):
        self.check_script('python', '/usr/bin/python3')

    def test_gjs(self):
        self.check_script('js', 'gjs')

    def test_gdbus(self):
        lines = code('Talk to it over D-Bus', 'sh').splitlines()
        setting, calls = lines[0], lines[1:]
        self.assertTrue(setting.startswith('d='), setting)
        paths = {}
        for call in calls:
            if not call.startswith('$d '):
                continue
            for word, path in paths.items():
                call = call.replace(word, path)
            output = self.run_it('sh', '-c', f'{setting}; {call}')
            if 'CreateSession' in call or 'CreateModule' in call:
                word = 'SESSION' if 'CreateSession' in call else 'MODULE'
                paths[word] = re.search("'(/[^']+)'", output).group(1)
            elif '.Generate' in call:
                self.client.end_of(paths['MODULE'], re.search("'([^']+)'", output).group(1))
            elif '.GetHistory' in call:
                self.assertIn('Hello!', output)
        self.assertEqual(sorted(paths), ['MODULE', 'SESSION'])
        self.assertEqual(self.client.get(paths['MODULE'], MODULE, 'Model'), 'qwen3')

    def test_confabctl_in_one_line(self):
        lines = [shlex.split(line, comments=True) for line in
                 code('From a terminal', 'sh').splitlines()]
        chat = next(line for line in lines if line[:2] == ['confabctl', 'chat'])
        self.assertEqual(self.run_it(os.environ['CONFABCTL'], *chat[1:]), ANSWER + '\n')


if __name__ == '__main__':
    unittest.main()
