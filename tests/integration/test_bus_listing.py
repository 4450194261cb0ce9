#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""GetManagedObjects() of many objects holds up nobody, and is right about changes meanwhile."""

import http.client
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (MANAGER, MODULE, NAME, OBJECT_MANAGER, PROPERTIES, ROOT, SESSION, Bus,  # noqa
                 Client, Confabd, Gio, GLib, make_home, wait_for)

COUNT = 2000
WINDOW = 200


def call_later(client, path, interface, method, signature, *args, then=None):
    """Calls without waiting; @then gets the reply."""
    variant = GLib.Variant(signature, args) if signature else None
    client.connection.call(
        NAME, path, interface, method, variant, None, Gio.DBusCallFlags.NONE, 60000, None,
        lambda connection, result: (then or (lambda _: None))(connection.call_finish(result)))


class TestListing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        home = make_home()
        config = os.path.join(home, 'confab.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nclient-rate=0\naddress-rate=0\n')
        cls.confabd = Confabd(cls.bus, '--session', '--dev', '--provider', 'builtin', '--config',
                              config, home=home)
        cls.addClassCleanup(cls.confabd.stop)
        cls.client = Client(cls.bus)
        cls.addClassCleanup(cls.client.close)
        cls.sessions = []
        made = []
        for number in range(COUNT):
            call_later(cls.client, ROOT, MANAGER, 'CreateSession', '(sa{sv})', f'Session {number}',
                       {}, then=lambda reply: cls.made(reply.unpack()[0], made))
            wait_for(lambda count=number: count - len(made) < WINDOW, 'the sessions')
        wait_for(lambda: len(made) == COUNT, 'the modules', 60)

    @classmethod
    def made(cls, session, made):
        cls.sessions.append(session)
        call_later(cls.client, session, SESSION, 'CreateModule', '(sa{sv})', 'A title', {},
                   then=made.append)

    def list_and_ask(self):
        """How long the slowest of other requests took meanwhile, and what the list cost, in ms."""
        port = int(self.confabd.line.split()[2].split(':')[2].strip('/'))
        replies = []
        slowest = n = 0
        before = self.confabd.main_thread_ms()
        call_later(self.client, ROOT, OBJECT_MANAGER, 'GetManagedObjects', None,
                   then=replies.append)
        self.client.connection.flush_sync(None)
        while not replies:
            begin = time.monotonic()
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
            connection.request('GET', '/healthz')
            connection.getresponse().read()
            connection.close()
            slowest = max(slowest, time.monotonic() - begin)
            n += 1
            GLib.MainContext.default().iteration(False)
        self.assertGreater(n, 2)
        self.assertGreaterEqual(replies[0].get_child_value(0).n_children(), 2 * COUNT)
        return slowest * 1000, self.confabd.main_thread_ms() - before

    def test_it_holds_up_nobody(self):
        runs = [self.list_and_ask() for _ in range(5)]
        # other programs may have the processor now and then
        slowest, cost = min(runs)
        self.assertLess(slowest, cost / 2, runs)

    def test_what_changes_meanwhile(self):
        """A client that follows the signals after the answer knows how all is."""
        other = Client(self.bus)
        self.addCleanup(other.close)
        events = []
        self.client.connection.signal_subscribe(
            NAME, None, None, None, None, Gio.DBusSignalFlags.NONE,
            lambda _c, _s, path, _i, name, args: events.append((name, path, args.unpack())))
        for number in range(4):
            del events[:]
            session, gone, settings = (self.sessions.pop() for _ in range(3))
            module, = self.client.get(settings, SESSION, 'Modules')
            call_later(self.client, ROOT, OBJECT_MANAGER, 'GetManagedObjects', None,
                       then=lambda reply: events.append(('reply', ROOT, reply.unpack())))
            self.client.connection.flush_sync(None)
            # at another moment each time: while it is described, and while it is sent
            time.sleep(number * 0.02)
            call_later(other, gone, SESSION, 'Delete', None)
            call_later(other, session, SESSION, 'CreateModule', '(sa{sv})', 'New', {})
            call_later(other, module, PROPERTIES, 'Set', '(ssv)', MODULE, 'Model',
                       GLib.Variant('s', f'model-{number}'))
            wait_for(lambda: any(name == 'reply' for name, _, _ in events), 'the answer')
            wait_for(lambda module=module: any(
                path == module and name == 'PropertiesChanged' and 'Model' in args[1]
                for name, path, args in events), 'the last change')
            self.assertEqual(self.follow(events), self.states(self.client.objects()))

    @staticmethod
    def states(objects):
        return {path: interfaces.get(MODULE, {}).get('Model', '')
                for path, interfaces in objects.items()}

    def follow(self, events):
        names = [name for name, _, _ in events]
        known = None
        for name, path, args in events[names.index('reply'):]:
            if name == 'reply':
                known = self.states(args[0])
            elif name == 'InterfacesAdded':
                known.update(self.states({args[0]: args[1]}))
            elif name == 'InterfacesRemoved':
                known.pop(args[0], None)
            elif name == 'PropertiesChanged' and args[0] == MODULE and 'Model' in args[1]:
                known[path] = args[1]['Model']
        return known

    def test_many_who_ask_at_once(self):
        clients = [Client(self.bus) for _ in range(4)]
        replies = []
        for client in clients:
            self.addCleanup(client.close)
            call_later(client, ROOT, OBJECT_MANAGER, 'GetManagedObjects', None,
                       then=lambda reply: replies.append(len(reply.unpack()[0])))
        wait_for(lambda: len(replies) == 4, 'all answers')
        self.assertEqual(len(set(replies)), 1)

    def test_a_caller_that_leaves(self):
        client = Client(self.bus)
        client.connection.call(NAME, ROOT, OBJECT_MANAGER, 'GetManagedObjects', None, None,
                               Gio.DBusCallFlags.NO_AUTO_START, -1, None, None)
        client.connection.flush_sync(None)
        client.connection.close_sync(None)
        self.assertTrue(self.client.get(ROOT, MANAGER, 'Version'))


if __name__ == '__main__':
    unittest.main()
