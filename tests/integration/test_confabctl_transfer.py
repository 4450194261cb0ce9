#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""confabctl export, import and history, with more than one page of messages."""

import array
import fcntl
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import PATIENCE, SESSION, Bus, Client, Confabd, wait_for  # noqa: E402

N = 450


def make_export(name, at=1000, n=N, words=20):
    records = [
        {'type': 'session', 'sessionId': name, 'title': f'Session {name}', 'createdAt': at,
         'updatedAt': at},
        {'type': 'module', 'moduleId': f'{name}.m', 'sessionId': name, 'title': 'Chat',
         'titleIsAuto': False, 'headId': f'm{n - 1}', 'createdAt': at, 'updatedAt': at},
        *({'type': 'message', 'messageId': f'm{i}', 'parentId': f'm{i - 1}' if i else None,
           'role': 'user', 'parts': [{'type': 'text', 'text': f'{i} ' + 'wörd ' * words}],
           'state': 'completed', 'createdAt': at + i} for i in range(n))]
    return json.dumps({'format': 'confab-export', 'version': 1, 'records': records})


class Transfer(unittest.TestCase):

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.confabd = Confabd(self.bus, '--session', '--dev')
        self.addCleanup(self.confabd.stop)
        self.folder = tempfile.mkdtemp(prefix='confab-ctl-')
        self.addCleanup(shutil.rmtree, self.folder)

    def run_it(self, *args, code=0, **kwargs):
        if 'input' not in kwargs:
            kwargs.setdefault('stdin', subprocess.DEVNULL)
        result = subprocess.run([os.environ['CONFABCTL'], *args], env=self.confabd.env, text=True,
                                capture_output=True, timeout=PATIENCE, check=False, **kwargs)
        self.assertEqual(result.returncode, code, result.stderr)
        if code != 0:
            self.assertRegex(result.stderr, r'^confabctl: [^\n]+\n$')
        else:
            self.assertEqual(result.stderr, '')
        return result.stdout if code == 0 else result.stderr

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as file:
            return file.read()

    def test_files_and_pipes(self):
        self.assertEqual(self.run_it('import', self.write('a.json', make_export('a'))), 'a\n')
        self.assertEqual(self.run_it('import', input=make_export('b')), 'b\n')
        new, = json.loads(self.run_it('--json', 'import', '-', input=make_export('b')))
        self.assertNotEqual(new, 'b')

        self.assertEqual(self.run_it('export', self.path('out.json')), '')
        self.assertEqual(stat.S_IMODE(os.stat(self.path('out.json')).st_mode), 0o600)
        self.assertEqual(os.listdir(self.folder).count('out.json'), 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.json', 'out.json'])
        exported = json.loads(self.read('out.json'))['records']
        self.assertEqual([record['sessionId'] for record in exported
                          if record['type'] == 'session'], ['a', 'b', new])
        self.assertEqual(json.loads(self.run_it('export'))['records'], exported)
        self.assertEqual(json.loads(self.run_it('export', '-'))['records'], exported)
        some = json.loads(self.run_it('export', '--session', new, '--session', 'a'))['records']
        self.assertEqual([record['sessionId'] for record in some if record['type'] == 'session'],
                         ['a', new])
        self.assertEqual(len(some), 2 * (N + 2))
        self.run_it('export', '/dev/null')

    def test_what_fails_changes_nothing(self):
        kept = self.write('kept.json', 'mine')
        self.assertIn('no session', self.run_it('export', '--session', 'none', kept, code=1))
        self.assertEqual(self.read('kept.json'), 'mine')
        self.assertEqual(os.listdir(self.folder), ['kept.json'])
        self.assertIn('cannot be written', self.run_it('export', self.path('no/where'), code=1))
        self.assertIn('cannot be read', self.run_it('import', self.path('nothing'), code=1))
        self.assertIn('no export', self.run_it('import', kept, code=1))
        cut = make_export('a')[:-1]
        self.assertIn('cut off', self.run_it('import', input=cut, code=1))
        self.assertEqual(self.run_it('sessions'), '')
        self.run_it('import', '/dev/full', code=1, stdin=subprocess.DEVNULL)
        with open('/dev/full', 'wb') as full:
            result = subprocess.run([os.environ['CONFABCTL'], 'export'], env=self.confabd.env,
                                    stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn('cannot be written', result.stderr)

    def test_parameters(self):
        def export(name, parameters):
            data = json.loads(make_export(name))
            data['records'][1]['parameters'] = parameters
            return json.dumps(data)
        self.run_it('import', input=export('a', {'temperature': 1}))
        tools = export('b', {'tools': []})
        self.assertIn('“tools”', self.run_it('import', input=tools, code=1))
        self.assertEqual(self.run_it('import', '--all-parameters', input=tools), 'b\n')
        self.assertEqual([record['parameters'] for record in json.loads(self.run_it('export'))[
            'records'] if record['type'] == 'module'], [{'temperature': 1}, {'tools': []}])

    def test_options_belong_to_their_command(self):
        self.run_it('export', '--all-parameters', code=2)
        self.run_it('sessions', '--session', 's', code=2)
        self.run_it('export', '--limit', '3', code=2)
        self.run_it('history', '--limit', '-3', 'm', code=2)
        self.run_it('export', 'one', 'two', code=2)

    def test_ctrl_c_ends_it(self):
        self.run_it('import', input=make_export('a', words=1000))
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen([os.environ['CONFABCTL'], 'export'], env=self.confabd.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(process.stdout.read(10))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b'')
        process.stderr.close()

        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.environ['CONFABCTL'], 'import'], env=self.confabd.env, stdin=subprocess.PIPE)
        process.stdin.write(make_export('b')[:5000].encode())
        process.stdin.flush()
        # it is at work once it has read that
        wait_for(lambda: not has_input(process.stdin), 'the reading')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        process.stdin.close()
        self.assertEqual(self.run_it('sessions'), 'a\tSession a\n')

    def test_progress_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.environ['CONFABCTL'], 'import', self.write('a.json', make_export('a'))],
            env=self.confabd.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b''
        try:
            while chunk := os.read(ours, 1000):
                seen += chunk
        except OSError:
            pass  # the terminal hung up
        os.close(ours)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(process.stdout.read(), b'a\n')
        process.stdout.close()
        self.assertIn(b'100 %', seen)
        self.assertTrue(seen.endswith(b'\r\x1b[K'), seen)

    def test_history_has_all_of_it(self):
        self.run_it('import', input=make_export('a'))
        everything = json.loads(self.run_it('--json', 'history', 'a.m'))
        self.assertEqual([message['messageId'] for message in everything],
                         [f'm{i}' for i in range(N)])
        self.assertEqual(self.run_it('history', 'a.m').count('user: '), N)
        for limit in (1, 200, 201):
            some = json.loads(self.run_it('--json', 'history', '--limit', str(limit), 'a.m'))
            self.assertEqual(some, everything[-limit:])
        self.assertEqual(json.loads(self.run_it('--json', 'history', '--limit', '9999', 'a.m')),
                         everything)

    def test_lists_begin_with_what_was_used_last(self):
        for name, at in ('old', 1000), ('newest', 3000), ('new', 2000):
            self.run_it('import', input=make_export(name, at, 2))
        self.assertEqual(self.run_it('sessions').split()[::3], ['newest', 'new', 'old'])
        self.assertEqual(self.run_it('modules').split()[::2], ['newest.m', 'new.m', 'old.m'])
        listed = [session['Id'] for session in json.loads(self.run_it('--json', 'sessions'))]
        self.assertEqual(listed, ['newest', 'new', 'old'])
        client = Client(self.bus)
        client.call('/org/confab/Confab/sessions/old', SESSION, 'CreateModule', 'Now', {})
        client.close()
        self.assertEqual(self.run_it('sessions').split()[0], 'old')


def has_input(pipe):
    """Whether something of what was written has not been read yet."""
    left = array.array('i', [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, left)
    return left[0] > 0


if __name__ == '__main__':
    unittest.main()
