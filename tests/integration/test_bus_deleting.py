#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting a session of many modules: each is told, and costs as much as where there are few."""

import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import MANAGER, ROOT, SESSION, Bus, Client, Confabd, Gio, wait_for  # noqa: E402

FEW = 1000
MANY = 8000


class TestDeleting(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.confabd = Confabd(self.bus, '--session', '--dev', '--provider', 'builtin')
        self.addCleanup(self.confabd.stop)
        self.client = Client(self.bus)
        self.addCleanup(self.client.close)

    def bring_in(self, session, count):
        """A session of so many modules, by an import; returns its path."""
        times = {'createdAt': 1, 'updatedAt': 1}
        records = [{'type': 'session', 'sessionId': session, 'title': '', **times}]
        records += [{'type': 'module', 'moduleId': f'{session}{number}', 'sessionId': session,
                     'title': '', 'titleIsAuto': False, **times} for number in range(count)]
        with tempfile.TemporaryFile('w+', encoding='utf-8') as file:
            json.dump({'format': 'confab-export', 'version': 1, 'records': records}, file)
            file.seek(0)
            fds = Gio.UnixFDList.new()
            fds.append(file.fileno())
            self.client.call(ROOT, MANAGER, 'Import', 0, fds=fds)
        return f'{ROOT}/sessions/{session}'

    def removed(self):
        return {args[0] for _, args in self.client.heard(ROOT, 'InterfacesRemoved')}

    def delete(self, path):
        """What it costs the main thread for each module, in ms."""
        modules = set(self.client.get(path, SESSION, 'Modules'))
        before = self.confabd.main_thread_ms()
        self.client.call(path, SESSION, 'Delete')
        wait_for(lambda: path in self.removed(), 'the end')
        cost = self.confabd.main_thread_ms() - before
        self.assertEqual(self.removed(), modules | {path})
        del self.client.signals[:]
        return cost / len(modules)

    def test_cost_of_each(self):
        few = self.delete(self.bring_in('a', FEW))
        others = self.bring_in('b', MANY)
        among_many = self.delete(self.bring_in('c', FEW))
        all_at_once = self.delete(others)
        self.assertLess(among_many, 3 * few)
        self.assertLess(all_at_once, 3 * few)


if __name__ == '__main__':
    unittest.main()
