#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bus confabd is on, who has the name there, and what becomes of it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import MANAGER, MODULE, ROOT, SESSION, Bus, Client, Confabd, GLib, wait_for  # noqa: E402


class Names(unittest.TestCase):
    """Which bus, and who has the name."""

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def start(self, *args, **kwargs):
        confabd = Confabd(self.bus, '--provider', 'builtin', *args, **kwargs)
        self.addCleanup(confabd.process.kill)
        return confabd

    def owner(self):
        connection = self.bus.connect()
        try:
            return connection.call_sync(
                'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                'NameHasOwner', GLib.Variant('(s)', ('org.confab.Confab',)), None, 0, -1,
                None).unpack()[0]
        finally:
            connection.close_sync(None)

    def test_by_itself_it_takes_the_session_bus(self):
        confabd = self.start()
        self.assertTrue(self.owner())
        confabd.stop()

    def test_no_bus(self):
        confabd = self.start('--no-bus')
        self.assertTrue(confabd.line.startswith('Listening on'))
        self.assertFalse(self.owner())
        confabd.stop()

    def test_without_a_bus(self):
        confabd = self.start(variable='NOTHING')
        self.assertTrue(confabd.line.startswith('Listening on'))
        confabd.stop()
        confabd = self.start('--session', variable='NOTHING')
        self.assertEqual(confabd.wait(), 1)
        self.assertRegex(confabd.log(), r'^confabd: .*session bus')

    def test_options_that_exclude_each_other(self):
        for args in (('--session', '--system'), ('--session', '--no-bus'),
                     ('--no-bus', '--replace')):
            confabd = self.start(*args)
            self.assertEqual(confabd.wait(), 2)
            self.assertEqual(confabd.log().count('\n'), 1)

    def test_the_second_one(self):
        first = self.start('--session')
        second = self.start('--session')
        self.assertEqual(second.wait(), 1)
        self.assertIn('--replace', second.log())
        # one that did not ask for the bus waits for its turn
        third = self.start()
        self.assertTrue(third.line.startswith('Listening on'))
        client = Client(self.bus)
        home = client.get(ROOT, MANAGER, 'Addresses')[1]
        self.assertIn(first.home, home)
        first.stop()
        wait_for(lambda: self.owner(), 'the next owner')
        self.assertIn(third.home, client.get(ROOT, MANAGER, 'Addresses')[1])
        client.close()
        third.stop()

    def test_replace_takes_over_the_same_chats(self):
        first = self.start('--session')
        client = Client(self.bus)
        session = client.make_session('Kept', sessionId='kept')
        second = self.start('--session', '--replace', home=first.home)
        self.assertEqual(first.wait(), 0)
        self.assertTrue(second.line.startswith('Listening on'))
        self.assertEqual(client.get(session, SESSION, 'Title'), 'Kept')
        client.close()
        second.stop()

    def request_name(self, flags):
        """As another program, with the flags of RequestName; returns its connection."""
        other = self.bus.connect()
        other.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'RequestName',
                        GLib.Variant('(su)', ('org.confab.Confab', flags)), None, 0, -1, None)
        return other

    def test_the_name_of_one_that_does_not_give_way(self):
        other = self.request_name(0)
        self.addCleanup(other.close_sync, None)
        confabd = self.start('--session', '--replace')
        self.assertEqual(confabd.wait(), 1)
        self.assertRegex(confabd.log(), r'^confabd: [^\n]*does not let itself be replaced\n$')
        # nothing was touched
        self.assertFalse(os.path.exists(os.path.join(confabd.home, 'data/confab/confab.db')))

    def test_the_name_is_taken_by_another_program(self):
        confabd = self.start('--session')
        client = Client(self.bus)
        session = client.make_session('Kept')
        # REPLACE_EXISTING
        other = self.request_name(2)
        self.assertEqual(confabd.wait(), 0)
        self.assertIn('Another program has taken the name', confabd.log())
        other.close_sync(None)
        again = self.start('--session', home=confabd.home)
        self.assertEqual(client.get(session, SESSION, 'Title'), 'Kept')
        client.close()
        again.stop()

    def test_an_answer_outlives_the_bus(self):
        confabd = self.start('--session')
        client = Client(self.bus)
        module = client.make_module(client.make_session())
        generation = client.ask(module, 'Hello')
        self.bus.stop()
        wait_for(lambda: 'The bus is lost' in confabd.log(), 'the loss')
        self.bus.start()
        wait_for(lambda: self.owner(), 'the name')
        client = Client(self.bus)
        answer = wait_for(lambda: next((
            message for message in client.call(module, MODULE, 'GetHistory', 1, '')
            if message['state'] == 'completed'), None), 'the end')
        self.assertEqual(answer['generationId'], generation)
        self.assertTrue(answer['content'])
        client.close()
        confabd.stop()

    def test_a_bus_that_is_lost_and_back(self):
        confabd = self.start('--session')
        self.bus.stop()
        wait_for(lambda: 'The bus is lost' in confabd.log(), 'the loss')
        self.assertIsNone(confabd.process.poll())
        self.bus.start()
        wait_for(lambda: self.owner(), 'the name')
        client = Client(self.bus)
        session = client.make_session('Again')
        self.assertEqual(client.get(session, SESSION, 'Title'), 'Again')
        self.assertEqual(client.objects()[session][SESSION]['Title'], 'Again')
        client.close()
        confabd.stop()

    def connections_of(self, pid):
        """How many a process has."""
        client = self.bus.connect()

        def ask(method, parameters):
            return client.call_sync(
                'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', method,
                parameters, None, 0, -1, None).unpack()[0]
        try:
            return sum(ask('GetConnectionUnixProcessID', GLib.Variant('(s)', (name,))) == pid
                       for name in ask('ListNames', None) if name.startswith(':'))
        finally:
            client.close_sync(None)

    def test_a_bus_that_is_lost_with_the_settings_on_it(self):
        # dconf opens the connection that a process shares, in a thread of its own
        confabd = self.start('--session', env={'GSETTINGS_BACKEND': 'dconf'})
        wait_for(lambda: self.connections_of(confabd.process.pid) == 2, 'dconf')
        self.bus.stop()
        wait_for(lambda: 'The bus is lost' in confabd.log(), 'the loss')
        self.bus.start()
        wait_for(self.owner, 'the name')
        self.assertNotIn('Shutting down', confabd.log())
        confabd.stop()

    def test_chats_of_before_are_there_again(self):
        first = self.start('--session')
        client = Client(self.bus)
        module = client.make_module(client.make_session(), 'Old')
        first.stop(keep=True)
        second = self.start('--session', home=first.home)
        self.assertEqual(client.get(module, MODULE, 'Title'), 'Old')
        client.close()
        second.stop()


if __name__ == '__main__':
    unittest.main()
