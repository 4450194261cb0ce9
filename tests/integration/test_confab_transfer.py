#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export and Import on the bus: what goes out comes in again, whole or not at all."""

import hashlib
import json
import os
import re
import select
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (DATA, ERROR, MANAGER, MODULE, ROOT, SESSION, TROUBLE, Bus, Client, Confabd,  # noqa
                 Failure, Gio, GLib, Upstream, make_home, wait_for)

# letters beyond the first plane, from right to left, combined, and what JSON has to escape
TEXT = 'Żółw "\\" \t\u0001\u007f\u2028 \U0001f422\u200d\U0001f33b עברית e\u0301\n```c\nint x;\n```'

CONTROLS = 'a' + ''.join(chr(i) for i in range(1, 0x20)) + '\x7f\x85\u2028\u2029z'


def fd_list(fd):
    fds = Gio.UnixFDList.new()
    fds.append(fd)
    return fds


def export_bytes(client, *sessions):
    with tempfile.TemporaryFile() as file:
        client.call(ROOT, MANAGER, 'Export', sessions, 0, fds=fd_list(file.fileno()))
        file.seek(0)
        return file.read()


def import_bytes(client, data, **options):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        if not options:
            return client.call(ROOT, MANAGER, 'Import', 0, fds=fd_list(file.fileno()))
        return client.call(ROOT, MANAGER, 'ImportWithOptions', 0, options,
                           fds=fd_list(file.fileno()))


def start(client, method, variant, fd):
    """Calls without waiting; the list that is returned gets the reply, or the error."""
    answer = []

    def answered(connection, result):
        try:
            answer.append(connection.call_with_unix_fd_list_finish(result)[0].unpack())
        except GLib.Error as error:
            answer.append(Failure(error))

    client.connection.call_with_unix_fd_list(
        'org.confab.Confab', ROOT, MANAGER, method, variant, None, Gio.DBusCallFlags.NONE, 60000,
        fd_list(fd), None, answered)
    return answer


def records(data):
    return json.loads(data)['records']


def without_time(data):
    """The same but for the one field that differs from export to export."""
    head, rest = data.split(b',"records":[', 1)
    head = json.loads(head + b'}')
    del head['exportedAt']
    return head, rest


def make_export(*some, **header):
    head = {'format': 'confab-export', 'version': 1}
    head.update(header)
    return json.dumps({**head, 'records': list(some)}).encode()


def snapshot(home):
    """Every byte that is kept."""
    result = {}
    for folder, _, names in os.walk(os.path.join(home, 'data')):
        for name in names:
            with open(os.path.join(folder, name), 'rb') as file:
                result[os.path.join(folder, name)] = hashlib.sha256(file.read()).hexdigest()
    assert result
    return result


def peak_memory(confabd):
    with open(f'/proc/{confabd.process.pid}/status', encoding='ascii') as file:
        return int(re.search(r'VmHWM:\s+(\d+) kB', file.read()).group(1)) * 1024


def limit_files(confabd, size):
    """How large a file of confabd may become: what is beyond fails as on a full disk."""
    subprocess.run(['prlimit', '--pid', str(confabd.process.pid), f'--fsize={size}:unlimited'],
                   check=True)


def refuses(call):
    try:
        call()
    except Failure:
        return True
    return False


def is_broken(fd):
    poll = select.poll()
    poll.register(fd, 0)
    return bool(poll.poll(0))


def session(name='s', **more):
    return {'type': 'session', 'sessionId': name, 'title': 'A session', 'createdAt': 1,
            'updatedAt': 2, **more}


def module(name='m', **more):
    return {'type': 'module', 'moduleId': name, 'sessionId': 's', 'title': 'A module',
            'titleIsAuto': False, 'createdAt': 3, 'updatedAt': 4, **more}


def message(name, parent=None, role='user', **more):
    return {'type': 'message', 'messageId': name, 'parentId': parent, 'role': role,
            'parts': [{'type': 'text', 'text': f'Text of {name}'}], 'state': 'completed',
            'createdAt': 5, **more}


def many(n, text='word ' * 20):
    """One chat of n messages, with a branch at every tenth."""
    result = [session(), module(headId=f'm{n - 1}')]
    for i in range(n):
        parent = None if i == 0 else f'm{i - 2}' if i % 10 == 9 else f'm{i - 1}'
        result.append(message(f'm{i}', parent, 'assistant' if i % 2 else 'user',
                              parts=[{'type': 'text', 'text': f'{i} {text}{TEXT}'}]))
    return make_export(*result)


class Transfers(unittest.TestCase):

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def confab(self, *args, **kwargs):
        confabd = Confabd(self.bus, '--session', '--dev', *args, **kwargs)
        self.addCleanup(self.end, confabd)
        return confabd

    @staticmethod
    def end(confabd):
        if confabd.process.poll() is None:
            confabd.stop()

    def client(self):
        client = Client(self.bus)
        self.addCleanup(lambda: client.connection.is_closed() or client.close())
        return client

    def refused(self, code, call, *args):
        with self.assertRaises(Failure) as caught:
            call(*args)
        self.assertEqual(caught.exception.name, ERROR + code, caught.exception.sentence)
        return caught.exception.sentence

    def test_all_comes_back(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        first = self.confab(*upstream.args)
        client = self.client()
        one = client.make_session(TEXT[:40], sessionId='one')
        client.make_session('Empty', sessionId='two')
        chat = client.make_module(one, 'Chat', moduleId='chat', model='raw:plain',
                                  instructions=TEXT)
        client.set(chat, MODULE, 'Parameters', GLib.Variant('a{sv}', {
            'temperature': GLib.Variant('d', 0.7), 'seed': GLib.Variant('x', 42)}))
        client.end_of(chat, client.ask(chat, TEXT, requestId='r1'))
        client.end_of(chat, client.ask(chat, 'Again'))
        client.end_of(chat, client.call(chat, MODULE, 'Regenerate', '', {
            'message': GLib.Variant('s', 'Otherwise')}))
        failing = client.make_module(one, 'Fails', model='raw:http-500')
        client.end_of(failing, client.ask(failing))
        exported = export_bytes(client)
        history = client.call(chat, MODULE, 'GetHistory', 200, '')
        first.stop()

        kept = records(exported)
        self.assertEqual([record['type'] for record in kept].count('message'), 8)
        self.assertEqual({record['state'] for record in kept if record['type'] == 'message'},
                         {'completed', 'failed'})

        self.confab(*upstream.args)
        client = self.client()
        paths = import_bytes(client, exported)
        self.assertEqual(paths, [f'{ROOT}/sessions/one', f'{ROOT}/sessions/two'])
        self.assertEqual(without_time(export_bytes(client)), without_time(exported))
        self.assertEqual(client.call(chat, MODULE, 'GetHistory', 200, ''), history)
        self.assertEqual(client.get(chat, MODULE, 'Instructions'), TEXT)
        self.assertEqual(client.get(chat, MODULE, 'Parameters')['seed'], 42)
        # it is found, and asking the same again is still asking again
        self.assertEqual(len(client.call(ROOT, MANAGER, 'Search', 'Otherwise', 0)), 1)
        generation = next(record['generationId'] for record in kept if record.get('generation')
                          and record['generation']['requestId'] == 'r1')
        self.assertEqual(client.ask(chat, TEXT, requestId='r1'), generation)

    def test_every_character_below_space(self):
        """As a question, in the upstream's echo, kept, out and in again."""
        upstream = Upstream()
        self.addCleanup(upstream.close)
        first = self.confab(*upstream.args)
        client = self.client()
        chat = client.make_module(client.make_session(CONTROLS, sessionId='one'), CONTROLS,
                                  moduleId='chat', model='raw:echo', instructions=CONTROLS)
        client.set(chat, MODULE, 'Parameters', GLib.Variant('a{sv}', {
            'user': GLib.Variant('s', CONTROLS)}))
        name, _ = client.end_of(chat, client.ask(chat, CONTROLS, requestId='r'))
        self.assertEqual(name, 'GenerationCompleted')
        first.stop(keep=True)

        second = self.confab(*upstream.args, home=first.home)
        client = self.client()
        history = client.call(chat, MODULE, 'GetHistory', 200, '')
        self.assertEqual(history[0]['content'], CONTROLS)
        self.assertIn(CONTROLS, history[1]['content'])
        exported = export_bytes(client)
        kept = [record for record in records(exported) if record['type'] == 'message']
        self.assertEqual(kept[0]['parts'], [{'type': 'text', 'text': CONTROLS}])
        second.stop()

        self.confab(*upstream.args)
        client = self.client()
        import_bytes(client, exported, allParameters=GLib.Variant('b', True))
        self.assertEqual(without_time(export_bytes(client)), without_time(exported))
        self.assertEqual(client.call(chat, MODULE, 'GetHistory', 200, ''), history)
        self.assertEqual(client.get(chat, MODULE, 'Instructions'), CONTROLS)
        self.assertEqual(client.get(chat, MODULE, 'Parameters'), {'user': CONTROLS})

    def test_1200_messages_of_many_branches_and_progress(self):
        self.confab()
        client, other = self.client(), self.client()
        data = many(1200, 'word ' * 100)
        import_bytes(client, data)
        exported = export_bytes(client)
        self.assertEqual(sum(record['type'] == 'message' for record in records(exported)), 1200)
        self.assertEqual(client.get(f'{ROOT}/sessions/s/modules/m', MODULE, 'Id'), 'm')
        want = {record['messageId']: record for record in records(data)[2:]}
        for record in records(exported)[2:]:
            for key, value in want[record['messageId']].items():
                self.assertEqual(record[key], value)
        for end in ('import', len(data), len(data)), ('export', 1, 1):
            wait_for(lambda want=end: ('TransferProgress', want) in client.heard(
                ROOT, 'TransferProgress'), 'the end of the progress')
        self.assertEqual(other.heard(ROOT, 'TransferProgress'), [])
        # each session alone, too
        self.assertEqual(without_time(export_bytes(client, f'{ROOT}/sessions/s')),
                         without_time(exported))

    def test_questions_are_answered_meanwhile(self):
        """Nobody waits for an import but a moment, while all of it is written."""
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.confab(*upstream.args)
        client, asker = self.client(), self.client()
        chat = asker.make_module(asker.make_session(), model='raw:plain')
        data = many(50000 if os.environ.get('CONFAB_TEST_LONG') else 6000, 'word ' * 50)
        waits = []
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            begin = time.monotonic()
            answer = start(client, 'Import', GLib.Variant('(h)', (0,)), file.fileno())
            while not answer:
                asked = time.monotonic()
                generation = asker.ask(chat)
                asker.end_of(chat, generation)
                waits.append(time.monotonic() - asked)
                time.sleep(0.01)
        total = time.monotonic() - begin
        self.assertEqual(answer, [([f'{ROOT}/sessions/s'],)])
        self.assertLess(max(waits), max(total / 2, 0.5), (total, sorted(waits)[-3:]))
        self.assertGreater(len(waits), 3)
        # it is all found by then
        self.assertEqual(len(client.call(ROOT, MANAGER, 'Search', 'word', 200)), 200)

    def test_the_search_goes_on_after_a_crash(self):
        home = make_home()
        self.addCleanup(shutil.rmtree, home, True)
        first = self.confab(home=home)
        import_bytes(self.client(), many(300))
        first.stop(keep=True)
        # as it is when Confab ends as soon as it is written
        with sqlite3.connect(os.path.join(home, 'data/confab/confab.db')) as database:
            database.execute('DELETE FROM search')
            database.execute('INSERT INTO unindexed SELECT 0, min(seq), max(seq) FROM messages')
        database.close()
        self.confab(home=home)
        client = self.client()
        wait_for(lambda: len(client.call(ROOT, MANAGER, 'Search', 'word', 200)) == 200,
                 'the search')

    def test_memory_stays_small(self):
        confabd = self.confab()
        client = self.client()
        if confabd.has_sanitizer():
            self.skipTest('a sanitizer keeps what was freed')
        data = many(4000 if os.environ.get('CONFAB_TEST_LONG') else 800, ('w' * 99 + ' ') * 100)
        before = peak_memory(confabd)
        import_bytes(client, data)
        self.assertGreater(len(export_bytes(client)), len(data))
        # the caches of both databases, whatever the size
        self.assertLess(peak_memory(confabd) - before, 24e6)

    def test_taken_ids_get_new_ones(self):
        self.confab()
        client, other = self.client(), self.client()
        data = many(20)
        first = import_bytes(client, data)
        wait_for(lambda: {args[0] for _, args in other.heard(ROOT, 'InterfacesAdded')}
                 >= {first[0], first[0] + '/modules/m'}, 'InterfacesAdded')
        before = export_bytes(client, first[0])
        second, = import_bytes(client, data)
        self.assertNotEqual([second], first)
        copy, = client.get(second, SESSION, 'Modules')
        original, = client.get(first[0], SESSION, 'Modules')
        self.assertIn(copy, client.objects())
        self.assertEqual(client.call(copy, MODULE, 'GetHistory', 200, ''),
                         client.call(original, MODULE, 'GetHistory', 200, ''))
        self.assertEqual(without_time(export_bytes(client, first[0])), without_time(before))
        # both live on
        generation = client.ask(copy, 'More')
        client.end_of(copy, generation)
        self.assertEqual(client.get(copy, MODULE, 'MessageCount'),
                         client.get(original, MODULE, 'MessageCount') + 2)

    def test_what_is_refused_leaves_every_byte(self):
        home = make_home()
        self.addCleanup(shutil.rmtree, home, True)
        self.confab(home=home)
        client = self.client()
        import_bytes(client, many(20))
        whole = many(20)
        kept = snapshot(home)
        for code, data, says in (
                ('InvalidRequest', b'', 'empty'),
                ('InvalidRequest', b'no JSON', 'no export'),
                ('InvalidRequest', whole[:-1], 'cut off'),
                ('InvalidRequest', whole[:len(whole) // 2], 'cut off'),
                ('InvalidRequest', whole + b'x', 'after the end'),
                ('InvalidRequest', whole.replace(b'm19', b'\xff\xfe', 1), 'UTF-8'),
                ('InvalidRequest', make_export(session(), version=2), 'version 1'),
                ('InvalidRequest', make_export(session(), module(headId='x')), 'headId'),
                ('InvalidRequest', make_export(*[session(f's{i}') for i in range(10001)]),
                 'too many'),
                ('TooLarge', make_export(session(title='x' * 2000)), 'title')):
            self.assertIn(says, self.refused(code, import_bytes, client, data))
            self.assertEqual(snapshot(home), kept)
        self.refused('UnknownSession', export_bytes, client, f'{ROOT}/sessions/none')
        self.refused('UnknownSession', export_bytes, client, ROOT)
        self.refused('InvalidRequest', client.raw_call, ROOT, MANAGER, 'Import',
                     GLib.Variant('(h)', (0,)))
        self.assertEqual(snapshot(home), kept)

    def test_the_example_of_the_documentation(self):
        with open(os.path.join(os.path.dirname(DATA), 'docs/export-format.md'),
                  encoding='utf-8') as file:
            example = file.read().split('```json\n')[1].split('```')[0]
        self.confab()
        client = self.client()
        self.assertEqual(import_bytes(client, example.encode()), [f'{ROOT}/sessions/work'])
        self.assertEqual(records(export_bytes(client)), json.loads(example)['records'])

    def test_a_reader_that_stops_holds_up_nobody(self):
        self.confab()
        client, stuck = self.client(), self.client()
        import_bytes(client, many(600, 'word ' * 200))
        ours, theirs = socket.socketpair()
        readers, writers = zip(*(os.pipe() for _ in range(3)))
        with ours, theirs:
            # as many as may run at once
            answers = [start(stuck, 'Export', GLib.Variant('(aoh)', ([], 0)), fd)
                       for fd in (theirs.fileno(), *writers)]
            theirs.close()
            for writer in writers:
                os.close(writer)
            # they have begun, and are not read any further
            self.assertTrue(ours.recv(10))
            for reader in readers:
                self.assertTrue(os.read(reader, 10))
            chat = f'{ROOT}/sessions/s/modules/m'
            client.end_of(chat, client.ask(chat, 'Still there?'))
            self.assertEqual(answers, [[], [], [], []])
            self.refused('Busy', export_bytes, client)
            stuck.close()
            wait_for(lambda: not refuses(lambda: export_bytes(client)), 'the end of the exports')
        for reader in readers:
            os.close(reader)

    def test_a_caller_that_leaves_takes_its_import_along(self):
        home = make_home()
        self.addCleanup(shutil.rmtree, home, True)
        self.confab(home=home)
        client, leaving = self.client(), self.client()
        client.make_session('Here', sessionId='here')
        kept = snapshot(home)
        reading, writing = os.pipe()
        start(leaving, 'Import', GLib.Variant('(h)', (0,)), reading)
        os.close(reading)
        data = many(300)
        os.write(writing, data[:30000])
        wait_for(lambda: leaving.heard(ROOT, 'TransferProgress'), 'the progress')
        leaving.close()
        # it has gone when its end of the pipe has
        wait_for(lambda: is_broken(writing), 'the end of the import')
        os.close(writing)
        self.assertEqual(snapshot(home), kept)
        self.assertEqual(len(records(export_bytes(client))), 1)

    def test_full_disk(self):
        home = make_home()
        self.addCleanup(shutil.rmtree, home, True)
        confabd = self.confab(home=home)
        client = self.client()
        client.make_session('Here', sessionId='here')
        before = export_bytes(client)
        limit_files(confabd, 400 * 1024)
        self.assertIn('space', self.refused('Storage', import_bytes, client,
                                            many(400, 'word ' * 300)))
        self.assertEqual(without_time(export_bytes(client)), without_time(before))
        self.assertEqual(list(client.objects()), [f'{ROOT}/sessions/here'])
        limit_files(confabd, 'unlimited')
        import_bytes(client, many(400, 'word ' * 300))
        self.assertEqual(len(records(export_bytes(client))), 403)
        # the log tells of the disk, and of nothing else
        confabd.process.terminate()
        self.assertEqual(confabd.wait(), 0)
        self.assertEqual(len(TROUBLE.findall(confabd.log())), 1, confabd.log())

    def test_killed_in_the_middle_there_is_all_or_nothing(self):
        home = make_home()
        self.addCleanup(shutil.rmtree, home, True)
        n = 4000
        data = many(n)
        outcomes = set()
        for round_ in range(4):
            confabd = self.confab(home=home)
            client = self.client()
            before = len(records(export_bytes(client)))
            with tempfile.TemporaryFile() as file:
                file.write(data)
                file.seek(0)
                answer = start(client, 'Import', GLib.Variant('(h)', (0,)), file.fileno())
            # all of it was read: it is being written
            wait_for(lambda: ('TransferProgress', ('import', len(data), len(data)))  # noqa: B023
                     in client.heard(ROOT, 'TransferProgress') or answer, 'the reading')
            for _ in range(20 * round_):
                GLib.MainContext.default().iteration(False)
                time.sleep(0.001)
            confabd.process.kill()
            confabd.process.wait()
            confabd.process.stdout.close()

            again = self.confab(home=home)
            client = self.client()
            after = len(records(export_bytes(client)))
            self.assertIn(after - before, (0, n + 2))
            outcomes.add(after > before)
            again.stop(keep=True)
        # else nothing was tested
        self.assertIn(False, outcomes)

    def test_it_ends_with_confab(self):
        confabd = self.confab()
        client = self.client()
        import_bytes(client, many(600, 'word ' * 200))
        reading, writing = os.pipe()
        export = start(client, 'Export', GLib.Variant('(aoh)', ([], 0)), writing)
        os.close(writing)
        self.assertTrue(os.read(reading, 10))
        confabd.stop()
        wait_for(lambda: export, 'the answer')
        self.assertIsInstance(export[0], Failure)
        os.close(reading)


if __name__ == '__main__':
    unittest.main()
