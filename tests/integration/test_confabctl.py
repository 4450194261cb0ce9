#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real confabctl against the real confabd, also in a terminal."""

import http.cookiejar
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import socketio

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (MANAGER, MODULE, PATIENCE, ROOT, SESSION, Bus, BusCase, Client,  # noqa: E402
                 Confabd, environment, make_home, wait_for)
from gi.repository import GLib  # noqa: E402

ANSWER = 'The quick brown fox jumps over the lazy dog.'


class Confabctl(BusCase):

    def make_module(self, name, model='raw:plain'):
        return self.client.make_module(self.client.make_session(), moduleId=name, model=model)

    def test_chat_in_one_line(self):
        self.make_module('one')
        self.assertEqual(self.confabctl('chat', '-m', 'one', 'Tell', 'me'), ANSWER + '\n')
        history = self.confabctl('history', 'one')
        self.assertEqual(history, f'user: Tell me\n\nassistant: {ANSWER}\n\n')

    def test_json_of_every_character_below_space(self):
        controls = 'a' + ''.join(chr(i) for i in range(1, 0x20)) + '\x7f\u2028z'
        module = self.make_module('controls', 'raw:echo')
        self.client.end_of(module, self.client.ask(module, controls))
        asked, answered = json.loads(self.confabctl('--json', 'history', 'controls'))
        self.assertEqual(asked['content'], controls)
        self.assertIn(controls, answered['content'])

    def test_chat_reads_what_is_piped(self):
        module = self.make_module('piped')
        self.confabctl('chat', '-m', 'piped', 'Sum up', input='a\nb\n')
        self.confabctl('chat', '-m', 'piped', input='only this\n')
        asked = [message['content'] for message in self.client.call(
            module, MODULE, 'GetHistory', 0, '') if message['role'] == 'user']
        self.assertEqual(asked, ['Sum up\n\na\nb', 'only this'])

    def test_json_for_programs(self):
        self.make_module('json')
        answer = json.loads(self.confabctl('--json', 'chat', '-m', 'json', 'Go'))
        self.assertEqual((answer['message'], answer['finishReason']), (ANSWER, 'stop'))
        self.assertRegex(json.loads(self.confabctl('--json', 'status'))['Version'], r'^\d')
        self.assertIn('json', [module['Id'] for module in
                               json.loads(self.confabctl('--json', 'modules'))])
        self.assertEqual(len(json.loads(self.confabctl('--json', 'history', 'json'))), 2)
        providers = json.loads(self.confabctl('--json', 'providers'))
        self.assertEqual(providers[0]['name'], 'openai')

    def test_lists(self):
        session = self.client.make_session('A title', sessionId='s.1')
        self.client.make_module(session, 'Of it', moduleId='m.1')
        self.assertIn('s.1\tA title\n', self.confabctl('sessions'))
        self.assertEqual(self.confabctl('modules', 's.1'), 'm.1\tOf it\n')
        self.assertIn('m.1\tOf it\n', self.confabctl('modules'))
        self.assertIn('runs', self.confabctl('status'))

    def test_a_new_module_is_made(self):
        self.assertEqual(self.confabctl('chat', '-m', 'made', 'Go'), ANSWER + '\n')
        self.assertIn('made', self.confabctl('modules', 'default'))

    def test_stop_from_elsewhere(self):
        module = self.make_module('stopped', 'raw:slow:500')
        generation = self.client.ask(module)
        self.confabctl('stop', 'stopped')
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
        self.confabctl(code=2)
        self.confabctl('dance', code=2)
        self.confabctl('--dance', code=2)
        self.confabctl('stop', code=2)
        self.confabctl('chat', code=2)
        self.confabctl('stop', 'nowhere', code=1)
        self.make_module('broken', 'raw:http-401')
        self.confabctl('chat', '-m', 'broken', 'Go', code=1)
        self.assertRegex(self.confabctl('--version'), r'^confabctl \d')

    def test_who_asked_is_told_why_it_failed(self):
        self.make_module('refused', 'raw:repeats:401')
        result = subprocess.run([os.environ['CONFABCTL'], 'chat', '-m', 'refused', 'In private'],
                                env=self.confabd.env, stdin=subprocess.DEVNULL, text=True,
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertRegex(result.stderr, r'^confabctl: [^\n]+ \(HTTP 401\): In private\n$')

    def test_options_of_other_commands(self):
        self.confabctl('--print', 'status', code=2)
        self.confabctl('--chunks', 'status', code=2)
        self.confabctl('-m', 'x', 'status', code=2)

    def test_open_prints(self):
        module = self.make_module('page')
        base = self.client.call(ROOT, MANAGER, 'CreateLink')
        self.assertEqual(self.confabctl('open', '--print'), base + '\n')
        session = self.client.get(module.rpartition('/modules/')[0], SESSION, 'Id')
        self.assertEqual(self.confabctl('open', '--print', 'page'),
                         f'{base}session/{session}/module/page\n')
        self.assertEqual(json.loads(self.confabctl('--json', 'open', '--print')), {'url': base})
        self.confabctl('open', '--print', 'nowhere', code=1)
        # a chat of its own each time, which is made when something is asked there
        pages = {self.confabctl('open', '--print', '--new').strip() for _ in range(2)}
        self.assertEqual(len(pages), 2)
        for page in pages:
            self.assertRegex(page.removeprefix(base), r'^session/default/module/[0-9a-f-]{36}$')
        self.confabctl('open', '--print', '--new', 'page', code=2)

    def test_open_lets_the_desktop_do_it(self):
        data = os.path.join(self.confabd.home, 'data')
        opened = os.path.join(self.confabd.home, 'opened')
        os.makedirs(os.path.join(data, 'applications'), exist_ok=True)
        with open(os.path.join(data, 'applications', 'browser.desktop'), 'w',
                  encoding='utf-8') as file:
            file.write('[Desktop Entry]\nType=Application\nName=Browser\n'
                       f'Exec=sh -c "echo \\\\$1 > {opened}.new; mv {opened}.new {opened}" sh %u\n'
                       'MimeType=x-scheme-handler/http;\n')
        config = os.path.join(self.confabd.home, 'config')
        os.makedirs(config, exist_ok=True)
        with open(os.path.join(config, 'mimeapps.list'), 'w', encoding='utf-8') as file:
            file.write('[Default Applications]\nx-scheme-handler/http=browser.desktop\n')
        env = {**self.confabd.env, 'XDG_DATA_DIRS': os.path.join(self.confabd.home, 'nothing')}
        self.confabctl('open', env=env)
        wait_for(lambda: os.path.exists(opened), 'the browser')
        with open(opened, encoding='utf-8') as file:
            self.assertEqual(file.read().strip(), self.client.call(ROOT, MANAGER, 'CreateLink'))
        os.unlink(os.path.join(config, 'mimeapps.list'))
        os.unlink(os.path.join(data, 'applications', 'browser.desktop'))
        self.confabctl('open', env=env, code=1)

    def test_no_token_with_dev(self):
        self.confabctl('token', code=1)
        self.confabctl('token', 'rotate', code=1)
        self.confabctl('token', 'eat', code=2)

    def test_without_confab(self):
        bus = Bus()
        self.addCleanup(bus.close)
        env = {**self.confabd.env, 'DBUS_SESSION_BUS_ADDRESS': bus.address}
        for command in (['status'], ['monitor'], ['open'], ['token']):
            with self.subTest(command):
                result = subprocess.run([os.environ['CONFABCTL'], *command], env=env, text=True,
                                        capture_output=True, timeout=PATIENCE, check=False)
                self.assertEqual(result.returncode, 3)
                self.assertRegex(result.stderr, r'^confabctl: [^\n]+\n$')


class TestToken(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.confabd = Confabd(self.bus, '--session', '--provider', 'builtin')
        self.addCleanup(lambda: self.confabd.stop())  # pylint: disable=unnecessary-lambda
        self.url = self.confabd.line.split()[2].partition('?')[0]

    def run_it(self, *args):
        return subprocess.run([os.environ['CONFABCTL'], *args], env=self.confabd.env, text=True,
                              capture_output=True, timeout=PATIENCE, check=True).stdout.strip()

    def status_of(self, token=None, **headers):
        if token is not None:
            headers['Authorization'] = f'Bearer {token}'
        request = urllib.request.Request(f'{self.url}metrics', headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def sign_in(self):
        """The cookie that opening the printed URL sets."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(self.confabd.line.split()[2], timeout=PATIENCE).close()
        cookie, = jar
        return f'{cookie.name}={cookie.value}'

    def test_show(self):
        token = self.run_it('token')
        self.assertEqual(token, self.confabd.line.partition('?token=')[2])
        self.assertEqual(json.loads(self.run_it('--json', 'token')), {'token': token})

    def test_a_link_is_good_once(self):
        """It goes to a browser on its command line, which others can read."""
        link = self.run_it('open', '--print')
        self.assertRegex(link, re.escape(self.url) + r'\?ticket=[\w-]{43}$')
        self.assertNotIn(self.run_it('token'), link)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        browser.open(link, timeout=PATIENCE).close()
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link, timeout=PATIENCE).close()
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()

    def test_rotate(self):
        before = self.run_it('token')
        link = self.run_it('open', '--print')
        client = socketio.Client(reconnection=False)
        client.connect(self.url, socketio_path='/api/socket', auth={'token': before},
                       wait_timeout=PATIENCE)
        self.addCleanup(client.disconnect)
        cookie = self.sign_in()
        self.assertEqual(self.status_of(Cookie=cookie), 200)
        self.assertEqual(self.status_of(before), 200)
        after = self.run_it('token', 'rotate')
        self.assertNotEqual(after, before)
        self.assertEqual(self.status_of(before), 401)
        self.assertEqual(self.status_of(Cookie=cookie), 401)
        self.assertEqual(self.status_of(after), 200)
        self.assertEqual(self.run_it('token'), after)
        wait_for(lambda: not client.connected, 'the end of the connection')
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link, timeout=PATIENCE).close()
        refused.exception.close()

    def test_the_new_one_is_kept(self):
        token = self.run_it('token', 'rotate')
        self.confabd.stop(keep=True)
        self.confabd = Confabd(self.bus, '--session', '--provider', 'builtin',
                               home=self.confabd.home)
        self.assertEqual(self.confabd.line.partition('?token=')[2], token)


class TestKeys(unittest.TestCase):
    """With the real gnome-keyring on a bus of its own."""

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.home = make_home()
        self.addCleanup(shutil.rmtree, self.home, True)
        self.env = environment(self.home, DBUS_SESSION_BUS_ADDRESS=self.bus.address)

    def start_keyring(self, *args):
        # pylint: disable-next=consider-using-with
        keyring = subprocess.Popen(
            ['gnome-keyring-daemon', '--components=secrets', '--foreground', *args], env=self.env,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(keyring.wait)
        self.addCleanup(keyring.terminate)
        keyring.stdin.write(b'password')
        keyring.stdin.close()
        client = Client(self.bus)
        self.addCleanup(client.close)
        wait_for(lambda: client.connection.call_sync(
            'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner',
            GLib.Variant('(s)', ('org.freedesktop.secrets',)), None, 0, -1, None).unpack()[0],
                 'the keyring')
        return keyring

    def run_it(self, *args, code=0, text=''):
        result = subprocess.run([os.environ['CONFABCTL'], 'providers', *args], env=self.env,
                                text=True, input=text, capture_output=True, timeout=PATIENCE,
                                check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, '')
        self.assertRegex(result.stderr, r'^(confabctl: [^\n]+\n)?$')
        return result.stderr

    def lookup(self, name):
        return subprocess.run(['secret-tool', 'lookup', 'provider', name], env=self.env, text=True,
                              capture_output=True, timeout=PATIENCE, check=False).stdout

    def test_from_a_pipe(self):
        self.start_keyring('--unlock')
        self.run_it('set-key', 'work', text='sk-first\nnot this\n')
        self.assertEqual(self.lookup('work'), 'sk-first')
        self.run_it('set-key', 'work', text='sk-second')
        self.assertEqual(self.lookup('work'), 'sk-second')
        self.run_it('clear-key', 'work')
        self.assertEqual(self.lookup('work'), '')
        self.run_it('clear-key', 'work', code=1)

    def test_clear_in_a_keyring_that_nobody_opened(self):
        self.suppress_leaks()
        keyring = self.start_keyring('--unlock')
        self.run_it('set-key', 'work', text='sk-first')
        keyring.kill()
        keyring.wait()
        self.start_keyring()
        self.assertIn('locked', self.run_it('clear-key', 'work', code=1))
        self.assertIn('no key of', self.run_it('clear-key', 'other', code=1))

    def test_what_is_no_key(self):
        self.start_keyring('--unlock')
        for text in ('', '\n', 'two words', 'naïve', 'a\tb', 'x' * 4001):
            with self.subTest(text):
                self.assertNotIn('naïve', self.run_it('set-key', 'work', text=text, code=2))
        self.assertEqual(self.lookup('work'), '')
        self.run_it('set-key', 'work', text='x' * 4000)
        self.assertEqual(self.lookup('work'), 'x' * 4000)

    def suppress_leaks(self):
        """Those of libsecret alone; the stack that tells them needs the unwinder that is slow."""
        known = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lsan.supp')
        self.env['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':fast_unwind_on_malloc=0'
        self.env['LSAN_OPTIONS'] = f'suppressions={known}:print_suppressions=0'

    def test_without_a_keyring(self):
        self.suppress_leaks()
        self.assertIn('keyring', self.run_it('set-key', 'work', text='sk-x', code=1))
        self.assertIn('keyring', self.run_it('clear-key', 'work', code=1))

    def test_wrong_use(self):
        self.run_it('set-key', code=2)
        self.run_it('eat', 'work', code=2)
        self.run_it('--system', 'set-key', 'work', code=2 if os.path.exists(
            '/run/dbus/system_bus_socket') else 3)

    def test_an_unknown_provider_is_told(self):
        self.start_keyring('--unlock')
        confabd = Confabd(self.bus, '--session', '--provider', 'builtin')
        self.addCleanup(confabd.stop)
        self.assertIn('“work”', self.run_it('set-key', 'work', text='sk-x'))
        self.assertEqual(self.run_it('set-key', 'builtin', text='sk-x'), '')

    def in_terminal(self, keys):
        """Returns the exit status, what was seen, and whether the terminal echoes at the end."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve('/bin/sh',
                      ['sh', '-c', 'trap : INT; "$CONFABCTL" providers set-key work; '
                       'status=$?; stty -a | grep -o " -\\?echo "; exit $status'],
                      {**self.env, 'CONFABCTL': os.environ['CONFABCTL']})
        self.addCleanup(os.close, terminal)
        seen = b''
        while b': ' not in seen:
            seen += os.read(terminal, 1000)
        os.write(terminal, keys)
        try:
            while data := os.read(terminal, 1000):
                seen += data
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()

    def test_a_terminal_shows_nothing(self):
        self.start_keyring('--unlock')
        code, seen = self.in_terminal(b'sk-typed\r')
        self.assertEqual(code, 0, seen)
        self.assertIn('“work”', seen)
        self.assertNotIn('sk-', seen)
        self.assertRegex(seen, r' echo ')
        self.assertEqual(self.lookup('work'), 'sk-typed')

    def test_ctrl_c_leaves_the_terminal_as_it_was(self):
        self.start_keyring('--unlock')
        code, seen = self.in_terminal(b'sk-ty\x03')
        self.assertEqual(code, 130, seen)
        self.assertRegex(seen, r' echo ')
        self.assertEqual(self.lookup('work'), '')


if __name__ == '__main__':
    unittest.main()
