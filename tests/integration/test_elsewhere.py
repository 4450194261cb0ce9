#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody on the bus, and no file, says where a question goes; test-security has the others."""

import json
import os
import socket
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (ERROR, MANAGER, MODULE, ROOT, SESSION, BusCase, Failure, Gio, GLib)  # noqa: E402

NAMES = ('baseUrl', 'base_url', 'base-url', 'url', 'endpoint', 'proxy', 'api_base', 'host')


class Elsewhere(BusCase):

    def setUp(self):
        super().setUp()
        # who connects waits in the backlog, and is seen
        self.elsewhere = socket.create_server(('127.0.0.1', 0))
        self.elsewhere.setblocking(False)
        self.addCleanup(self.elsewhere.close)
        self.url = f'http://127.0.0.1:{self.elsewhere.getsockname()[1]}/v1'
        self.session = self.client.make_session()

    def assert_nobody_was_there(self):
        with self.assertRaises(BlockingIOError):
            self.elsewhere.accept()
        with urllib.request.urlopen(self.upstream.args[-1].replace('/v1', '/__stats')) as reply:
            requests = json.load(reply)['requests']
        self.assertLessEqual({request['path'] for request in requests},
                             {'/v1/chat/completions', '/v1/models', '/__stats'})
        return [request['body'] for request in requests if request['body']]

    def ask(self, module, **options):
        """Returns the code of what failed, if it did."""
        try:
            name, args = self.client.end_of(module, self.client.ask(module, **options))
        except Failure as failure:
            return failure.name.removeprefix(ERROR)
        return args[1] if name == 'GenerationFailed' else None

    def bring_in(self, options=None, **fields):
        """Imports a session of one module."""
        times = {'createdAt': 1, 'updatedAt': 1}
        records = [{'type': 'session', 'sessionId': 's', 'title': '', **times},
                   {'type': 'module', 'moduleId': 'm', 'sessionId': 's', 'title': '',
                    'titleIsAuto': False, 'model': 'raw:plain', **times, **fields}]
        return self.bring_in_file(json.dumps({'format': 'confab-export', 'version': 1,
                                              'records': records}), options)

    def bring_in_file(self, text, options=None):
        with tempfile.TemporaryFile('w+', encoding='utf-8') as file:
            file.write(text)
            file.seek(0)
            fds = Gio.UnixFDList.new()
            fds.append(file.fileno())
            if options is None:
                paths = self.client.call(ROOT, MANAGER, 'Import', 0, fds=fds)
            else:
                paths = self.client.call(ROOT, MANAGER, 'ImportWithOptions', 0, options, fds=fds)
        module, = self.client.get(paths[0], SESSION, 'Modules')
        return module

    def take_out(self, module):
        path, _, _ = module.partition('/modules/')
        with tempfile.TemporaryFile('w+', encoding='utf-8') as file:
            fds = Gio.UnixFDList.new()
            fds.append(file.fileno())
            self.client.call(ROOT, MANAGER, 'Export', [path], 0, fds=fds)
            file.seek(0)
            return file.read()

    def refused(self, call, *args, **kwargs):
        with self.assertRaises(Failure) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.name, ERROR + 'InvalidRequest')
        return caught.exception.sentence

    def test_a_call(self):
        wishes = {name: GLib.Variant('s', self.url) for name in NAMES}
        module = self.client.call(self.session, SESSION, 'CreateModule', '', {
            'model': GLib.Variant('s', 'raw:plain'),
            'parameters': GLib.Variant('a{sv}', wishes), **wishes})
        self.assertIsNone(self.ask(module, **{name: self.url for name in NAMES}))
        self.client.set(module, MODULE, 'Parameters', GLib.Variant('a{sv}', {
            'options': GLib.Variant('a{sv}', wishes), **wishes}))
        self.assertIsNone(self.ask(module))
        for provider in self.url, f'openai@{self.url}', '../evil', 'file:///etc/passwd':
            for name, value in ('Provider', provider), ('Model', f'../../x?{provider}#'):
                try:
                    self.client.set(module, MODULE, name, GLib.Variant('s', value))
                except Failure:
                    continue
                self.ask(module)
        self.assertTrue(self.assert_nobody_was_there())

    def test_a_file(self):
        for name in NAMES:
            self.assertIn(f'“{name}”', self.refused(self.bring_in, **{name: self.url}))
            self.assertIn(f'“{name}”', self.refused(self.bring_in, parameters={name: self.url}))
        everything = {'allParameters': GLib.Variant('b', True)}
        module = self.bring_in(everything, parameters=dict.fromkeys(NAMES, self.url))
        self.assertIsNone(self.ask(module))
        for provider in self.url, f'openai@{self.url}', '../evil', 'file:///etc/passwd':
            self.assertIsNotNone(self.ask(self.bring_in(provider=provider)))
            self.ask(self.bring_in(model=f'../../x?{provider}#'))
        self.assertTrue(self.assert_nobody_was_there())

    def test_parameters_that_take_a_question_elsewhere(self):
        tools = [{'type': 'mcp', 'server_label': 'x', 'server_url': self.url}]
        sessions = self.client.objects()
        for name, value in (('tools', tools), ('mcp_servers', tools), ('store', True),
                            ('metadata', {'a': 'b'}), ('response_format', {'a': {'$ref': 'b'}})):
            sentence = self.refused(self.bring_in, parameters={'temperature': 1, name: value})
            self.assertRegex(sentence, f'Line 1: .*“{name}”')
            self.refused(self.bring_in, {}, parameters={name: value})
            self.refused(self.bring_in, {'allParameters': GLib.Variant('b', False)},
                         parameters={name: value})
        self.assertIn('allParameters', self.refused(
            self.bring_in, {'allParameters': GLib.Variant('s', 'yes')}))
        self.assertEqual(self.client.objects(), sessions)

        shaping = {'temperature': 0.5, 'stop': ['a'], 'thinking': {'type': 'enabled'}}
        self.assertIsNone(self.ask(self.bring_in(parameters=shaping)))
        asked = self.assert_nobody_was_there()[-1]
        self.assertEqual({name: asked[name] for name in shaping}, shaping)

    def test_an_export_of_ones_own(self):
        """Whoever is let in may set any parameter; nothing of it is lost unnoticed."""
        tools = [{'type': 'function', 'function': {'name': 'f'}}]
        module = self.client.make_module(self.session, model='raw:plain')
        self.client.set(module, MODULE, 'Parameters', GLib.Variant('a{sv}', {
            'tools': GLib.Variant('aa{sv}', [{
                'type': GLib.Variant('s', 'function'),
                'function': GLib.Variant('a{sv}', {'name': GLib.Variant('s', 'f')})}])}))
        self.assertIsNone(self.ask(module))
        self.assertEqual(self.assert_nobody_was_there()[-1]['tools'], tools)
        exported = self.take_out(module)

        self.assertIn('“tools”', self.refused(self.bring_in_file, exported))
        copy = self.bring_in_file(exported, {'allParameters': GLib.Variant('b', True)})
        self.assertEqual(self.client.get(copy, MODULE, 'Parameters'),
                         self.client.get(module, MODULE, 'Parameters'))
        self.assertIsNone(self.ask(copy))
        self.assertEqual(self.assert_nobody_was_there()[-1]['tools'], tools)


if __name__ == '__main__':
    unittest.main()
