#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real confabctl against the real confabd, also in a terminal."""

import json
import os
import pty
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import MODULE, PATIENCE, Bus, Client, Confabd, Upstream, wait_for  # noqa: E402

ANSWER = 'The quick brown fox jumps over the lazy dog.'


class Confabctl(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)
        cls.confabd = Confabd(cls.bus, '--session', '--dev', *cls.upstream.args)
        cls.addClassCleanup(cls.confabd.stop)

    def setUp(self):
        self.client = Client(self.bus)
        self.addCleanup(self.client.close)

    def run_it(self, *args, code=0, **kwargs):
        if 'input' not in kwargs:
            kwargs['stdin'] = subprocess.DEVNULL
        result = subprocess.run([os.environ['CONFABCTL'], *args], env=self.confabd.env, text=True,
                                capture_output=True, timeout=PATIENCE, check=False, **kwargs)
        self.assertEqual(result.returncode, code, result.stderr)
        if code != 0:
            self.assertRegex(result.stderr, r'^confabctl: [^\n]+\n$')
        return result.stdout

    def make_module(self, name, model='raw:plain'):
        return self.client.make_module(self.client.make_session(), moduleId=name, model=model)

    def test_chat_in_one_line(self):
        self.make_module('one')
        self.assertEqual(self.run_it('chat', '-m', 'one', 'Tell', 'me'), ANSWER + '\n')
        history = self.run_it('history', 'one')
        self.assertEqual(history, f'user: Tell me\n\nassistant: {ANSWER}\n\n')

    def test_chat_reads_what_is_piped(self):
        module = self.make_module('piped')
        self.run_it('chat', '-m', 'piped', 'Sum up', input='a\nb\n')
        self.run_it('chat', '-m', 'piped', input='only this\n')
        asked = [message['content'] for message in self.client.call(
            module, MODULE, 'GetHistory', 0, '') if message['role'] == 'user']
        self.assertEqual(asked, ['Sum up\n\na\nb', 'only this'])

    def test_json_for_programs(self):
        self.make_module('json')
        answer = json.loads(self.run_it('--json', 'chat', '-m', 'json', 'Go'))
        self.assertEqual((answer['message'], answer['finishReason']), (ANSWER, 'stop'))
        self.assertRegex(json.loads(self.run_it('--json', 'status'))['Version'], r'^\d')
        self.assertIn('json', [module['Id'] for module in
                               json.loads(self.run_it('--json', 'modules'))])
        self.assertEqual(len(json.loads(self.run_it('--json', 'history', 'json'))), 2)
        providers = json.loads(self.run_it('--json', 'providers'))
        self.assertEqual(providers[0]['name'], 'openai')

    def test_lists(self):
        session = self.client.make_session('A title', sessionId='s.1')
        self.client.make_module(session, 'Of it', moduleId='m.1')
        self.assertIn('s.1\tA title\n', self.run_it('sessions'))
        self.assertEqual(self.run_it('modules', 's.1'), 'm.1\tOf it\n')
        self.assertIn('m.1\tOf it\n', self.run_it('modules'))
        self.assertIn('runs', self.run_it('status'))

    def test_a_new_module_is_made(self):
        self.assertEqual(self.run_it('chat', '-m', 'made', 'Go'), ANSWER + '\n')
        self.assertIn('made', self.run_it('modules', 'default'))

    def test_stop_from_elsewhere(self):
        module = self.make_module('stopped', 'raw:slow:500')
        generation = self.client.ask(module)
        self.run_it('stop', 'stopped')
        self.assertEqual(self.client.end_of(module, generation)[1][1], 'stopped')

    def test_ctrl_c_in_a_terminal_stops_the_answer(self):
        module = self.make_module('terminal', 'raw:slow:500')
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(os.environ['CONFABCTL'], ['confabctl', 'chat', '-m', 'terminal', 'Go'],
                      self.confabd.env)
        self.addCleanup(os.close, terminal)
        seen = b''
        while b't3 ' not in seen:
            seen += os.read(terminal, 1000)
        os.write(terminal, b'\x03')
        try:
            while os.read(terminal, 1000):
                pass
        except OSError:
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        wait_for(lambda: self.client.get(module, MODULE, 'State') == 'idle', 'idle')
        answer = self.client.call(module, MODULE, 'GetHistory', 1, '')[0]
        self.assertEqual(answer['finishReason'], 'stopped')

    def test_what_goes_wrong(self):
        self.run_it(code=2)
        self.run_it('dance', code=2)
        self.run_it('--dance', code=2)
        self.run_it('stop', code=2)
        self.run_it('chat', code=2)
        self.run_it('stop', 'nowhere', code=1)
        self.make_module('broken', 'raw:http-401')
        self.run_it('chat', '-m', 'broken', 'Go', code=1)
        self.assertRegex(self.run_it('--version'), r'^confabctl \d')

    def test_without_confab(self):
        bus = Bus()
        self.addCleanup(bus.close)
        env = {**self.confabd.env, 'DBUS_SESSION_BUS_ADDRESS': bus.address}
        result = subprocess.run([os.environ['CONFABCTL'], 'status'], env=env, text=True,
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 3)
        self.assertRegex(result.stderr, r'^confabctl: [^\n]+\n$')


if __name__ == '__main__':
    unittest.main()
