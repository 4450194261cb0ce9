#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blind look at D-Bus: no member is untyped, undocumented, or dead."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from xml.dom import minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (DATA, MANAGER, MODULE, PATIENCE, PROPERTIES, ROOT, SESSION, Bus,  # noqa: E402
                 Client, Confabd, Failure, Upstream, wait_for)
from gi.repository import Gio, GLib  # noqa: E402

KINDS = ('method', 'signal', 'property')
# one of each type, which means nothing to anybody
SAMPLES = {'s': '', 'u': 0, 'a{sv}': {}, 'ao': [], 'h': 0}
# what every object has besides
COMMON = {'org.freedesktop.DBus.Properties', 'org.freedesktop.DBus.Introspectable',
          'org.freedesktop.DBus.Peer'}


def elements(node, *names):
    return [child for child in node.childNodes
            if child.nodeType == child.ELEMENT_NODE and child.tagName in names]


def comment_of(node):
    """The comment right before an element."""
    node = node.previousSibling
    while node is not None and node.nodeType == node.TEXT_NODE:
        node = node.previousSibling
    return node.data if node is not None and node.nodeType == node.COMMENT_NODE else ''


def signature_of(member, direction):
    default = 'out' if member.tagName == 'signal' else 'in'
    return ''.join(arg.getAttribute('type') for arg in elements(member, 'arg')
                   if (arg.getAttribute('direction') or default) == direction)


class BusMembers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        document = minidom.parse(os.path.join(DATA, 'org.confab.Confab1.xml'))
        cls.interfaces = {interface.getAttribute('name'): interface for interface
                          in elements(document.documentElement, 'interface')}
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)
        cls.confabd = Confabd(cls.bus, '--session', *cls.upstream.args)
        cls.addClassCleanup(cls.confabd.stop)
        cls.client = Client(cls.bus)
        cls.addClassCleanup(cls.client.close)
        session = cls.client.make_session()
        cls.paths = {MANAGER: ROOT, SESSION: session,
                     MODULE: cls.client.make_module(session, model='raw:plain')}

    def members(self):
        for name, interface in self.interfaces.items():
            for member in elements(interface, *KINDS):
                yield name, member, member.getAttribute('name')

    def test_there_is_an_object_of_each(self):
        self.assertEqual(set(self.interfaces), set(self.paths))

    def test_all_is_described(self):
        for name, interface in self.interfaces.items():
            self.assertRegex(comment_of(interface), rf'^\s*{re.escape(name)}:\n\s+@short_desc')
        for interface, member, name in self.members():
            with self.subTest(f'{interface}.{name}'):
                text = comment_of(member)
                head, _, rest = text.strip().partition('\n')
                self.assertEqual(head, f'{name}:')
                arguments = re.findall(r'(?m)^\s+@(\w+): \S', rest)
                self.assertEqual(arguments, [arg.getAttribute('name')
                                             for arg in elements(member, 'arg')])
                words = re.sub(r'(?ms)^\s+@.*?(?=^\s+@|^\s*$|\Z)', '', rest).strip()
                self.assertRegex(words, r'\w+ \w+', 'it needs a sentence')

    def test_all_is_typed(self):
        """A variant says nothing, except in a dictionary whose keys are described."""
        for interface, member, name in self.members():
            with self.subTest(f'{interface}.{name}'):
                types = [node.getAttribute('type') for node in
                         (elements(member, 'arg') if member.tagName != 'property' else [member])]
                for kind in types:
                    self.assertTrue(GLib.variant_type_string_is_valid(kind), kind)
                    self.assertNotIn('v', kind.replace('a{sv}', ''))
                    if 'a{sv}' in kind:
                        self.assertRegex(comment_of(member), r'`\w+`')
                self.assertTrue(all(arg.getAttribute('name') for arg in elements(member, 'arg')))

    def test_live_objects_have_the_same(self):
        for interface, path in self.paths.items():
            live = self.client.introspect(path).lookup_interface(interface)
            xml = self.interfaces[interface]
            for kind, infos in zip(KINDS, (live.methods, live.signals, live.properties)):
                self.assertEqual(sorted(info.name for info in infos),
                                 sorted(member.getAttribute('name')
                                        for member in elements(xml, kind)), kind)
            for info in live.methods:
                member = next(member for member in elements(xml, 'method')
                              if member.getAttribute('name') == info.name)
                self.assertEqual(''.join(arg.signature for arg in info.in_args),
                                 signature_of(member, 'in'), info.name)
                self.assertEqual(''.join(arg.signature for arg in info.out_args),
                                 signature_of(member, 'out'), info.name)

    def test_objects_have_nothing_else(self):
        known = {ROOT: {MANAGER, 'org.freedesktop.DBus.ObjectManager',
                        # what the launcher and the search of the desktop call
                        'org.freedesktop.Application', 'org.gnome.Shell.SearchProvider2'},
                 self.paths[SESSION]: {SESSION}, self.paths[MODULE]: {MODULE}}
        for path, interfaces in known.items():
            found = {info.name for info in self.client.introspect(path).interfaces}
            self.assertEqual(found - COMMON, interfaces)

    def test_busctl_shows_all_with_types(self):
        for interface, path in self.paths.items():
            lines = subprocess.run(
                ['busctl', f'--address={self.bus.address}', '--no-pager', 'introspect',
                 'org.confab.Confab', path, interface], capture_output=True, text=True,
                timeout=PATIENCE, check=True).stdout.splitlines()
            shown = {tuple(line.split()[:2]): line.split()[2] for line in lines[1:]}
            self.assertEqual(
                {('.' + member.getAttribute('name'), member.tagName)
                 for member in elements(self.interfaces[interface], *KINDS)}, set(shown))
            for member in elements(self.interfaces[interface], 'property'):
                key = ('.' + member.getAttribute('name'), 'property')
                self.assertEqual(shown[key], member.getAttribute('type'))

    def test_busctl_finds_the_way(self):
        tree = subprocess.run(
            ['busctl', f'--address={self.bus.address}', '--no-pager', '--list', 'tree',
             'org.confab.Confab'], capture_output=True, text=True, timeout=PATIENCE,
            check=True).stdout.split()
        for path in self.paths.values():
            self.assertIn(path, tree)

    def test_every_property_can_be_read(self):
        for interface, member, name in self.members():
            if member.tagName != 'property':
                continue
            with self.subTest(f'{interface}.{name}'):
                value = self.client.connection.call_sync(
                    'org.confab.Confab', self.paths[interface], PROPERTIES, 'Get',
                    GLib.Variant('(ss)', (interface, name)), None, Gio.DBusCallFlags.NONE, -1,
                    None).get_child_value(0).get_variant()
                self.assertEqual(value.get_type_string(), member.getAttribute('type'))

    def test_every_writable_property_can_be_set_and_no_other(self):
        for interface, member, name in self.members():
            if member.tagName != 'property':
                continue
            kind = member.getAttribute('type')
            with self.subTest(f'{interface}.{name}'):
                value = GLib.Variant(kind, SAMPLES.get(kind, 0 if kind in 'xtu' else []))
                if member.getAttribute('access') == 'readwrite':
                    self.client.set(self.paths[interface], interface, name, value)
                else:
                    with self.assertRaises(Failure):
                        self.client.set(self.paths[interface], interface, name, value)

    def test_every_method_is_alive(self):
        """Each of them answers, or refuses what means nothing by an error of Confab."""
        session = self.client.make_session()
        paths = {MANAGER: ROOT, SESSION: session,
                 MODULE: self.client.make_module(session, model='raw:plain')}
        methods = [(interface, member) for interface, member, _ in self.members()
                   if member.tagName == 'method']
        # those that end what the others need come last, from the inside out
        methods.sort(key=lambda item: (item[1].getAttribute('name') == 'Delete',
                                       list(paths).index(item[0]) * -1))
        for interface, member in methods:
            name = member.getAttribute('name')
            signature = signature_of(member, 'in')
            fds = None
            with self.subTest(f'{interface}.{name}'), tempfile.TemporaryFile() as file:
                if 'h' in signature:
                    fds = Gio.UnixFDList.new()
                    fds.append(file.fileno())
                args = tuple(SAMPLES[arg.getAttribute('type')] for arg in elements(member, 'arg')
                             if arg.getAttribute('direction') != 'out')
                try:
                    self.client.raw_call(paths[interface], interface, name,
                                         GLib.Variant(f'({signature})', args), fds)
                except Failure as failure:
                    self.assertRegex(failure.name, r'^org\.confab\.Confab1\.Error\.')
                    self.assertNotIn('Internal', failure.name)

    def switch_branch(self, client):
        module = client.make_module(client.make_session(), model='raw:plain')
        client.end_of(module, client.ask(module))
        first = client.call(module, MODULE, 'GetHistory', 1, '')[0]['messageId']
        client.end_of(module, client.call(module, MODULE, 'Regenerate', '', {}))
        client.call(module, MODULE, 'SwitchBranch', first)

    def test_every_signal_is_alive(self):
        """Each is seen, but Resync, which takes a watcher that does not read: test_confab_bus."""
        client = Client(self.bus)
        self.addCleanup(client.close)
        for model in ('raw:plain', 'raw:reasoning', 'raw:http-401'):
            module = client.make_module(client.make_session(), model=model)
            client.call(module, MODULE, 'Watch')
            client.end_of(module, client.ask(module))
        self.switch_branch(client)
        wanted = {name for _, member, name in self.members() if member.tagName == 'signal'}
        if 'TransferProgress' in wanted:
            with tempfile.TemporaryFile() as file:
                fds = Gio.UnixFDList.new()
                fds.append(file.fileno())
                client.call(ROOT, MANAGER, 'Export', [], 0, fds=fds)
        wait_for(lambda: wanted - {'Resync'} <= {name for _, name, _ in client.signals},
                 f'one of {wanted}')


if __name__ == '__main__':
    unittest.main()
