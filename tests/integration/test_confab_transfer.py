#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export and Import on the bus: what goes out comes in again, whole or not at all."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (ERROR, MANAGER, MODULE, ROOT, SESSION, Bus, Client, Confabd, Failure,  # noqa
                 Gio, GLib, Upstream, make_home, wait_for)

# letters beyond the first plane, from right to left, combined, and what JSON has to escape
TEXT = 'Żółw "\\" \t\u0001\u007f\u2028 \U0001f422\u200d\U0001f33b עברית e\u0301\n```c\nint x;\n```'


def fd_list(fd):
    fds = Gio.UnixFDList.new()
    fds.append(fd)
    return fds


def export_bytes(client, *sessions):
    with tempfile.TemporaryFile() as file:
        client.call(ROOT, MANAGER, 'Export', sessions, 0, fds=fd_list(file.fileno()))
        file.seek(0)
        return file.read()


def import_bytes(client, data):
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return client.call(ROOT, MANAGER, 'Import', 0, fds=fd_list(file.fileno()))


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


if __name__ == '__main__':
    unittest.main()
