#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""confabd on a session bus of its own, seen from outside."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (DATA, ERROR, MANAGER, MODULE, ROOT, SESSION,  # noqa
                 Bus, Client, Confabd, Failure, Gio, GLib, Upstream, make_home, wait_for)

ALL_ID_BYTES = 'AZaz09._~:@-'


def string(value):
    return GLib.Variant('s', value)


def main_thread_ms(confabd):
    pid = confabd.process.pid
    with open(f'/proc/{pid}/task/{pid}/schedstat', encoding='utf-8') as file:
        return int(file.read().split()[0]) / 1e6


@contextlib.contextmanager
def killed(process):
    """Whatever fails, a process that stands still is not waited for."""
    try:
        yield
    finally:
        process.kill()


def rss(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return int(re.search(r'VmRSS:\s+(\d+) kB', file.read()).group(1)) * 1024


class WithConfab(unittest.TestCase):
    """One confabd for all tests of a class."""

    args = ()

    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.upstream = Upstream()
        cls.confabd = Confabd(cls.bus, '--session', '--dev', *cls.upstream.args, *cls.args)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.confabd.stop()
        finally:
            cls.upstream.close()
            cls.bus.close()

    def client(self):
        client = Client(self.bus)
        self.addCleanup(lambda: client.connection.is_closed() or client.close())
        return client

    def module(self, client, model='raw:plain', **options):
        return client.make_module(client.make_session(), model=model, **options)

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(Failure) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.name, ERROR + code)
        self.assertTrue(caught.exception.sentence)


class Objects(WithConfab):

    def test_introspection_tells_what_the_xml_says(self):
        client = self.client()
        module = self.module(client)
        session = module.rsplit('/modules/', 1)[0]
        with open(os.path.join(DATA, 'org.confab.Confab1.xml'), encoding='utf-8') as file:
            text = file.read()
        described = Gio.DBusNodeInfo.new_for_xml(text)
        for path, name in ((ROOT, MANAGER), (session, SESSION), (module, MODULE)):
            here = client.introspect(path).lookup_interface(name)
            there = described.lookup_interface(name)
            for kind in ('methods', 'signals', 'properties'):
                self.assertEqual([member.name for member in getattr(here, kind)],
                                 [member.name for member in getattr(there, kind)])
        # nothing without words about it
        for member in re.finditer(r'<(?:method|signal|property) name="(\w+)"', text):
            before = text[:member.start()].rstrip()
            self.assertTrue(before.endswith('-->'), member.group(1))
            comment = before[before.rindex('<!--'):]
            self.assertIn(f'{member.group(1)}:', comment)
        for argument in re.finditer(r'<arg name="(\w+)"', text):
            comment = text[text.rindex('<!--', 0, argument.start()):argument.start()]
            self.assertIn(f'@{argument.group(1)}:', comment)

    def test_ids_of_every_allowed_character(self):
        client = self.client()
        session = client.make_session('s', sessionId=ALL_ID_BYTES)
        self.assertEqual(session, f'{ROOT}/sessions/AZaz09_2e_5f_7e_3a_40_2d')
        module = client.make_module(session, moduleId=ALL_ID_BYTES)
        self.assertEqual(module, f'{session}/modules/AZaz09_2e_5f_7e_3a_40_2d')
        self.assertEqual(client.get(session, SESSION, 'Id'), ALL_ID_BYTES)
        self.assertEqual(client.get(module, MODULE, 'Id'), ALL_ID_BYTES)
        self.assertEqual(client.call(ROOT, MANAGER, 'GetModule', ALL_ID_BYTES), module)
        longest = client.make_session(sessionId='.' * 128)
        self.assertEqual(client.get(longest, SESSION, 'Id'), '.' * 128)
        # asked again, it is the same
        self.assertEqual(client.make_session('other', sessionId=ALL_ID_BYTES), session)
        self.assertEqual(client.get(session, SESSION, 'Title'), 's')
        for bad in ('', 'a/b', 'ü', '.' * 129):
            self.refused('InvalidRequest', client.make_session, sessionId=bad)

    def test_titles_are_text_and_no_paths(self):
        client = self.client()
        for title in ('../../etc', '/', 'a/b//c', '<b>&amp;</b>', '\u202egpj.exe', '%s%n%d',
                      'one\ntwo\x1b[31m', "'; DROP TABLE modules; --", '🐘' * 50):
            session = client.make_session(title)
            module = client.make_module(session, title)
            self.assertRegex(session, rf'^{ROOT}/sessions/[A-Za-z0-9_]+$')
            self.assertRegex(module, rf'^{session}/modules/[A-Za-z0-9_]+$')
            for path, interface in ((session, SESSION), (module, MODULE)):
                self.assertEqual(client.get(path, interface, 'Title'), title)
                self.assertEqual(client.objects()[path][interface]['Title'], title)

    def test_sessions_and_modules_come_and_go_for_all(self):
        client, other = self.client(), self.client()
        session = client.make_session('A title that is private')
        module = client.make_module(session, 'Another', instructions='Be secret',
                                    provider='openai', model='raw:plain')
        self.assertEqual(client.get(session, SESSION, 'Modules'), [module])
        self.assertIn(module, client.objects())
        self.assertEqual(client.objects()[module][MODULE]['Title'], 'Another')
        added = wait_for(lambda: [args for _, args in other.heard(ROOT, 'InterfacesAdded')
                                  if args[0] == module], 'InterfacesAdded')
        self.assertEqual(added[0][1][MODULE]['Model'], 'raw:plain')
        self.assertNotIn('Title', added[0][1][MODULE])

        client.call(session, SESSION, 'Delete')
        wait_for(lambda: {args[0] for _, args in other.heard(ROOT, 'InterfacesRemoved')}
                 >= {session, module}, 'InterfacesRemoved')
        self.assertNotIn(module, client.objects())
        with self.assertRaises(Failure) as caught:
            client.get(module, MODULE, 'Title')
        self.assertIn('Unknown', caught.exception.name)
        self.refused('UnknownModule', client.call, ROOT, MANAGER, 'GetModule', 'nowhere')
        for _, name, args in other.signals:
            self.assertNotRegex(repr((name, args)), 'private|Another|secret')

    def test_properties_can_be_set_and_tell_so(self):
        client, other = self.client(), self.client()
        module = self.module(client)
        session = module.rsplit('/modules/', 1)[0]
        parameters = {'temperature': GLib.Variant('d', 0.5), 'max_tokens': GLib.Variant('x', 7),
                      'stop': GLib.Variant('as', ['a', 'b'])}
        client.set(session, SESSION, 'Title', string('Hush'))
        for name, value in (('Title', string('Hush too')), ('Instructions', string('Hush again')),
                            ('Provider', string('openai')), ('Model', string('raw:slow:3')),
                            ('Parameters', GLib.Variant('a{sv}', parameters))):
            client.set(module, MODULE, name, value)
            self.assertEqual(client.get(module, MODULE, name), value.unpack())

        def merged(path):
            changed, invalidated = {}, set()
            for _, (_, values, names) in other.heard(path, 'PropertiesChanged'):
                changed.update(values)
                invalidated.update(names)
            return changed, invalidated

        wait_for(lambda: 'Parameters' in merged(module)[1], 'PropertiesChanged')
        changed, invalidated = merged(module)
        self.assertEqual(invalidated, {'Title', 'Instructions', 'Parameters'})
        self.assertEqual(changed['Model'], 'raw:slow:3')
        self.assertEqual(changed['Provider'], 'openai')
        self.assertEqual(merged(session), ({'Modules': [module]}, {'Title'}))
        client.set(module, MODULE, 'Parameters', GLib.Variant('a{sv}', {}))
        self.assertEqual(client.get(module, MODULE, 'Parameters'), {})

        self.refused('NoProvider', client.set, module, MODULE, 'Provider', string('nobody'))
        self.refused('TooLarge', client.set, module, MODULE, 'Title', string('x' * 1025))
        self.refused('InvalidRequest', client.set, module, MODULE, 'Parameters', GLib.Variant(
            'a{sv}', {'temperature': string('hot')}))
        for name in ('State', 'Id'):
            with self.assertRaises(Failure):
                client.set(module, MODULE, name, string('x'))

    def test_the_manager_tells_what_there_is(self):
        client = self.client()
        self.assertRegex(client.get(ROOT, MANAGER, 'Version'), r'^\d+\.\d+\.\d+$')
        addresses = client.get(ROOT, MANAGER, 'Addresses')
        self.assertEqual(f'Listening on {addresses[0]}', self.confabd.line)
        self.assertEqual(addresses[1], f'unix:{self.confabd.home}/run/confab/socket')
        self.assertEqual(client.get(ROOT, MANAGER, 'Providers')[0],
                         {'name': 'openai', 'default': True})
        listed = client.call(ROOT, MANAGER, 'ListProviders')
        self.assertIn('raw:plain', listed[0]['models'])
        self.assertEqual(client.get(ROOT, MANAGER, 'Connections'), 0)
        self.assertEqual(client.call(ROOT, MANAGER, 'CreateLink'), addresses[0])

    def test_connections_are_counted(self):
        client = self.client()
        address = client.get(ROOT, MANAGER, 'Addresses')[0]
        script = ("import { io } from 'socket.io-client';"
                  f"io('{address}', {{path: '/api/socket', transports: ['websocket']}})"
                  ".on('connect',"
                  " () => process.stdout.write('in\\n'));")
        with subprocess.Popen(['node', '--input-type=module', '-e', script],
                              cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                              stdout=subprocess.PIPE, text=True) as node:
            self.assertEqual(node.stdout.readline(), 'in\n')

            def told(count):
                return any(values.get('Connections') == count for _, (_, values, _)
                           in client.heard(ROOT, 'PropertiesChanged'))
            wait_for(lambda: told(1), 'Connections 1')
            node.kill()
            wait_for(lambda: told(0), 'Connections 0')

    def test_wrong_calls_are_refused_by_type(self):
        client = self.client()
        for method, parameters in (('CreateSession', GLib.Variant('(s)', ('x',))),
                                   ('GetModule', GLib.Variant('(u)', (1,))),
                                   ('Nothing', None)):
            with self.assertRaises(Failure) as caught:
                client.raw_call(ROOT, MANAGER, method, parameters)
            self.assertTrue(caught.exception.name.startswith('org.freedesktop.DBus.Error.'))


class Chats(WithConfab):

    def test_an_answer_from_question_to_history(self):
        client, other = self.client(), self.client()
        module = self.module(client)
        self.assertEqual(client.get(module, MODULE, 'State'), 'idle')
        generation = client.ask(module, 'Tell me', userMessageId='question')
        name, args = other.end_of(module, generation)
        self.assertEqual((name, args), ('GenerationCompleted', (generation, 'stop')))
        self.assertEqual(other.heard(module, 'GenerationStarted'),
                         [('GenerationStarted', (generation,))])
        wait_for(lambda: client.get(module, MODULE, 'State') == 'idle', 'idle')
        self.assertEqual(client.get(module, MODULE, 'GenerationId'), '')
        self.assertEqual(client.get(module, MODULE, 'MessageCount'), 2)

        question, answer = client.call(module, MODULE, 'GetHistory', 0, '')
        self.assertEqual((question['messageId'], question['role'], question['content']),
                         ('question', 'user', 'Tell me'))
        self.assertEqual(answer['content'], 'The quick brown fox jumps over the lazy dog.')
        self.assertEqual((answer['parentId'], answer['state'], answer['finishReason']),
                         ('question', 'completed', 'stop'))
        self.assertEqual(answer['parts'], [{'type': 'text', 'text': answer['content']}])
        self.assertEqual(answer['usage']['outputTokens'], 10)
        self.assertEqual(client.call(module, MODULE, 'GetHistory', 1, answer['messageId']),
                         [question])
        self.assertEqual(len(client.call(module, MODULE, 'GetHistory', 1, '')), 1)
        found = client.call(ROOT, MANAGER, 'Search', 'jumps', 0)
        self.assertIn(answer['messageId'], [result['messageId'] for result in found])
        # nobody watched, and nothing that was said was told to all
        for _, signal_name, values in other.signals:
            self.assertNotIn(signal_name, ('Chunk', 'Reasoning'))
            self.assertNotRegex(repr(values), 'quick|Tell me')

    def test_states_are_told(self):
        client = self.client()
        module = self.module(client, 'raw:slow:20')
        generation = client.ask(module)
        client.end_of(module, generation)

        def states():
            return [values['State'] for _, (_, values, _) in
                    client.heard(module, 'PropertiesChanged') if 'State' in values]
        wait_for(lambda: states()[-1:] == ['idle'], 'idle')
        self.assertEqual([state for state in states() if state != 'queued'],
                         ['connecting', 'streaming', 'idle'])

    def check_cut(self, client, module, cut):
        """What was watched is the whole, and without a gap; returns the signals."""
        generation, seq, text = cut
        name, args = client.end_of(module, generation)
        self.assertEqual(name, 'GenerationCompleted', args)
        mine = [entry for entry in client.heard(module) if entry[0] in (
            'Chunk', 'Reasoning', 'GenerationCompleted') and entry[1][0] == generation]
        self.assertEqual(mine[-1][0], 'GenerationCompleted', 'nothing after the end')
        for signal_name, values in mine[:-1]:
            self.assertEqual(values[1], seq + 1)
            self.assertGreaterEqual(values[2], values[1])
            seq = values[2]
            if signal_name == 'Chunk':
                text += values[3]
        answer = client.call(module, MODULE, 'GetHistory', 1, '')[0]
        self.assertEqual(text, answer['content'])
        return mine

    def test_watching_cuts_exactly_while_it_streams(self):
        clients = [self.client() for _ in range(30)]
        first = clients[0]
        module = self.module(first, 'raw:paced:500:10')
        self.assertEqual(first.call(module, MODULE, 'Watch'), ('', 0, ''))
        generation = first.ask(module)
        cuts = [(generation, 0, '')]
        for n, client in enumerate(clients[1:]):
            cuts.append(client.call(module, MODULE, 'Watch'))
            wait_for(lambda: True)
            if n % 5 == 4:
                count = len(first.heard(module, 'Chunk'))
                wait_for(lambda count=count: len(first.heard(module, 'Chunk')) > count, 'a chunk')
        for client, cut in zip(clients, cuts):
            self.assertEqual(cut[0], generation)
            self.check_cut(client, module, cut)
        self.assertGreater(len({cut[1] for cut in cuts}), 3)

    def test_thinking_is_told_apart(self):
        client = self.client()
        module = self.module(client, 'raw:reasoning')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        self.check_cut(client, module, (generation, 0, ''))
        thinking = ''.join(args[3] for _, args in client.heard(module, 'Reasoning'))
        self.assertEqual(thinking, 'Let me think')

    def test_unwatch_and_only_those_who_watch(self):
        client, other = self.client(), self.client()
        module = self.module(client, 'raw:slow:30')
        client.call(module, MODULE, 'Watch')
        other.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        wait_for(lambda: other.heard(module, 'Chunk'), 'a chunk')
        other.call(module, MODULE, 'Unwatch')
        wait_for(lambda: True)
        count = len(other.heard(module, 'Chunk'))
        other.call(module, MODULE, 'Unwatch')
        self.check_cut(client, module, (generation, 0, ''))
        other.end_of(module, generation)
        self.assertEqual(len(other.heard(module, 'Chunk')), count)

    def test_a_watcher_that_leaves_is_forgotten(self):
        client, other = self.client(), self.client()
        module = self.module(client, 'raw:slow:40')
        client.call(module, MODULE, 'Watch')
        other.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        wait_for(lambda: other.heard(module, 'Chunk'), 'a chunk')
        other.close()
        self.check_cut(client, module, (generation, 0, ''))

    def test_stop(self):
        client = self.client()
        module = self.module(client, 'raw:slow:500')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        wait_for(lambda: client.heard(module, 'Chunk'), 'a chunk')
        self.assertEqual(client.get(ROOT, MANAGER, 'ActiveGenerations'), 1)
        client.call(module, MODULE, 'Stop')
        self.assertEqual(client.end_of(module, generation)[1], (generation, 'stopped'))
        self.check_cut(client, module, (generation, 0, ''))
        client.call(module, MODULE, 'Stop')
        self.assertEqual(client.get(ROOT, MANAGER, 'ActiveGenerations'), 0)

    def test_asking_again(self):
        client = self.client()
        module = self.module(client)
        generation = client.ask(module, 'One', requestId='r1')
        client.end_of(module, generation)
        self.assertEqual(client.ask(module, 'One', requestId='r1'), generation)
        self.refused('InvalidRequest', client.ask, module, 'Two', requestId='r1')
        again = client.call(module, MODULE, 'Regenerate', '', {'message': string('Better')})
        client.end_of(module, again)
        history = client.call(module, MODULE, 'GetHistory', 0, '')
        self.assertEqual([message['content'] for message in history][0], 'Better')
        self.assertEqual(len(history), 2)
        third = client.call(module, MODULE, 'Regenerate', history[1]['messageId'], {})
        client.end_of(module, third)
        self.refused('UnknownMessage', client.call, module, MODULE, 'Regenerate', 'nowhere', {})
        self.refused('UnknownMessage', client.call, module, MODULE, 'GetHistory', 1, 'nowhere')

    def test_errors_by_name(self):
        client = self.client()
        module = self.module(client, 'raw:slow:100')
        self.refused('InvalidRequest', client.ask, module, ' ')
        self.refused('TooLarge', client.ask, module, 'x' * (256 * 1024 + 1))
        self.refused('InvalidRequest', client.call, ROOT, MANAGER, 'Search', '', 0)
        self.refused('InvalidRequest', client.call, module, MODULE, 'GetHistory', 201, '')
        generation = client.ask(module)
        self.refused('Busy', client.ask, module)
        client.call(module, MODULE, 'Stop')
        client.end_of(module, generation)
        for model, code in (('raw:http-401', 'upstream-auth'), ('raw:http-429', None),
                            ('raw:error-in-data', 'upstream-error'),
                            ('raw:truncated-no-finish', 'upstream-truncated'),
                            ('raw:http-400-context', 'context-length')):
            if code is None:
                continue
            client.set(module, MODULE, 'Model', string(model))
            name, args = client.end_of(module, client.ask(module))
            self.assertEqual((name, args[1]), ('GenerationFailed', code))
            self.assertTrue(args[2])

    def test_a_failure_tells_all_nothing_that_was_said(self):
        client, other = self.client(), self.client()
        module = self.module(client, 'raw:repeats:401')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module, 'Said in private')
        end = ('GenerationFailed', (generation, 'upstream-auth',
                                    'The model server refused the key or the permission.'))
        self.assertEqual(client.end_of(module, generation), end)
        self.assertEqual(other.end_of(module, generation), end)
        wait_for(lambda: other.get(module, MODULE, 'State') == 'idle', 'idle')
        self.assertNotIn('private', repr(other.signals))
        answer = client.call(module, MODULE, 'GetHistory', 1, '')[0]
        self.assertEqual((answer['generationId'], answer['code']), (generation, 'upstream-auth'))
        self.assertIn('Said in private', answer['error'])

    def test_a_hundred_watchers(self):
        clients = [self.client() for _ in range(100)]
        module = self.module(clients[0], 'raw:burst:2000')
        for client in clients:
            client.call(module, MODULE, 'Watch')
        generation = clients[0].ask(module)
        for client in clients:
            self.check_cut(client, module, (generation, 0, ''))

    def cost_of_an_answer(self, client, n_watchers):
        """What the thread that does everything works for it, in ms."""
        module = self.module(client, 'raw:paced:300:5')
        watchers = [self.client() for _ in range(n_watchers)]
        for watcher in watchers:
            watcher.call(module, MODULE, 'Watch')
        before = main_thread_ms(self.confabd)
        generation = client.ask(module)
        client.end_of(module, generation)
        cost = main_thread_ms(self.confabd) - before
        for watcher in watchers:
            self.assertGreater(len(watcher.heard(module, 'Chunk')), 10)
            watcher.close()
        return cost

    def test_a_hundred_watchers_slow_nothing(self):
        """300 chunks take the model server 1.5 s, of which they leave most."""
        if self.confabd.has_sanitizer():
            self.skipTest('a sanitizer takes its time')
        client = self.client()
        alone = self.cost_of_an_answer(client, 0)
        watched = self.cost_of_an_answer(client, 100)
        self.assertLess(watched - alone, 700, (alone, watched))

    def test_a_watcher_that_does_not_read_costs_little(self):
        client = self.client()
        module = self.module(client, 'raw:flood:600:20000:300')
        script = (f"import sys; sys.path.insert(0, {os.path.dirname(__file__) + '/lib'!r});"
                  "import bus, types, time;"
                  f"c = bus.Client(types.SimpleNamespace(connect=lambda: bus.Bus.connect("
                  f"types.SimpleNamespace(address={self.bus.address!r}))));"
                  f"c.call({module!r}, bus.MODULE, 'Watch'); print('watching', flush=True);"
                  f"bus.wait_for(lambda: c.heard({module!r}, 'Resync'), timeout=60);"
                  "print(*c.heard(%r, 'Resync')[0][1], flush=True);" % module
                  + f"print(*c.call({module!r}, bus.MODULE, 'Watch')[:2], flush=True)")
        with subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE,
                              text=True) as slow, killed(slow):
            self.assertEqual(slow.stdout.readline(), 'watching\n')
            slow.send_signal(signal.SIGSTOP)
            memory = [rss(self.bus.process.pid)]
            generation = client.ask(module)
            # 12 MB of text, cut off at 4 MiB
            self.assertEqual(client.end_of(module, generation)[1], (generation, 'length'))
            memory.append(rss(self.bus.process.pid))
            slow.send_signal(signal.SIGCONT)
            self.assertEqual(slow.stdout.readline().split()[0], generation)
            self.assertEqual(slow.stdout.readline().split(), ['0'])
        self.assertLess(memory[1] - memory[0], 12 * 1024 * 1024)


class Slowly(WithConfab):
    """With a chunk-interval."""

    @classmethod
    def setUpClass(cls):
        cls.home = make_home()
        path = os.path.join(cls.home, 'confab.ini')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('[confab]\nchunk-interval=80\n')
        cls.args = ('--config', path)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.home)

    def test_chunks_are_gathered_and_cuts_are_exact(self):
        client, other = self.client(), self.client()
        module = self.module(client, 'raw:paced:100:8')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        wait_for(lambda: len(client.heard(module, 'Chunk')) >= 2, 'chunks')
        cut = other.call(module, MODULE, 'Watch')
        mine = Chats.check_cut(self, client, module, (generation, 0, ''))
        Chats.check_cut(self, other, module, cut)
        self.assertLess(len(mine), 60)
        self.assertTrue(any(args[2] > args[1] for name, args in mine if name == 'Chunk'))


class Limits(unittest.TestCase):

    def test_a_caller_that_asks_too_fast_is_told_so(self):
        bus = Bus()
        self.addCleanup(bus.close)
        home = make_home()
        path = os.path.join(home, 'confab.ini')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('[confab]\nclient-rate=2\n')
        confabd = Confabd(bus, '--session', '--dev', '--provider', 'builtin', '--config', path,
                          home=home)
        self.addCleanup(confabd.stop)
        client = Client(bus)
        self.addCleanup(client.close)
        passed = 0
        with self.assertRaises(Failure) as caught:
            for passed in range(1000):
                client.get(ROOT, MANAGER, 'Version')
        self.assertEqual(caught.exception.name, ERROR + 'RateLimited')
        self.assertRegex(caught.exception.sentence, r'Try again in 1 second\.')
        self.assertGreaterEqual(passed, 20)
        # others do not notice, and after that second it goes on
        other = Client(bus)
        self.addCleanup(other.close)
        self.assertTrue(other.get(ROOT, MANAGER, 'Version'))
        time.sleep(1)
        self.assertTrue(client.get(ROOT, MANAGER, 'Version'))


if __name__ == '__main__':
    unittest.main()
