#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back to what was answered or asked before: on D-Bus, by confabctl, and from Python."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import socketio

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (ERROR, MODULE, PATIENCE, SESSION, BusCase, Client, Failure, GLib,  # noqa: E402
                 wait_for)

ANSWER = 'The quick brown fox jumps over the lazy dog.'


class Branches(BusCase):

    def history(self, module):
        return self.client.call(module, MODULE, 'GetHistory', 0, '')

    def grow(self, name):
        """One question with two answers, and another wording of it: the module, and all ids."""
        module = self.client.make_module(self.client.make_session(), moduleId=name,
                                         model='raw:plain')
        self.assertEqual(self.client.get(module, MODULE, 'HeadId'), '')
        self.client.end_of(module, self.client.ask(module, 'One', userMessageId='q'))
        answers = []
        for options in ({}, {}, {'message': GLib.Variant('s', 'Uno')}):
            answers.append(self.history(module)[1]['messageId'])
            self.client.end_of(module, self.client.call(module, MODULE, 'Regenerate', '', options))
        wait_for(lambda: self.client.get(module, MODULE, 'State') == 'idle', 'idle')
        last = self.history(module)
        return module, answers, last

    def refused(self, code, *args):
        with self.assertRaises(Failure) as caught:
            self.client.call(*args)
        self.assertEqual(caught.exception.name, ERROR + code)
        self.assertTrue(caught.exception.sentence)

    def test_switch_and_what_is_told(self):
        module, answers, last = self.grow('switch')
        other = Client(self.bus)
        self.addCleanup(other.close)
        self.assertEqual(self.client.get(module, MODULE, 'HeadId'), last[1]['messageId'])
        head = self.client.call(module, MODULE, 'SwitchBranch', answers[0])
        self.assertEqual(head, answers[0])
        self.assertEqual([message['messageId'] for message in self.history(module)],
                         ['q', answers[0]])
        self.assertEqual(self.client.get(module, MODULE, 'HeadId'), head)
        self.assertEqual(self.client.get(module, MODULE, 'MessageCount'), 2)
        wait_for(lambda: other.heard(module, 'BranchChanged'), 'BranchChanged')
        self.assertEqual(other.heard(module, 'BranchChanged'), [('BranchChanged', (head,))])
        wait_for(lambda: any(values.get('HeadId') == head for _, (_, values, _) in
                             other.heard(module, 'PropertiesChanged')), 'HeadId')

        # what is visible already is told to nobody
        self.assertEqual(self.client.call(module, MODULE, 'SwitchBranch', 'q'), head)
        # another wording of the question, to the newest answer of it
        self.assertEqual(self.client.call(module, MODULE, 'SwitchBranch', last[0]['messageId']),
                         last[1]['messageId'])
        wait_for(lambda: len(other.heard(module, 'BranchChanged')) > 1, 'BranchChanged')
        self.assertEqual(len(other.heard(module, 'BranchChanged')), 2)

    def test_history_tells_of_siblings(self):
        module, answers, last = self.grow('siblings')
        question, answer = self.history(module)
        self.assertEqual(question['branches'], {'index': 2, 'count': 2, 'previousId': 'q'})
        self.assertNotIn('branches', answer)
        self.client.call(module, MODULE, 'SwitchBranch', answers[1])
        question, answer = self.history(module)
        self.assertEqual(question['branches'],
                         {'index': 1, 'count': 2, 'nextId': last[0]['messageId']})
        self.assertEqual(answer['branches'], {'index': 2, 'count': 3, 'previousId': answers[0],
                                              'nextId': answers[2]})

    def test_refusals(self):
        module, answers, _ = self.grow('refusals')
        self.refused('UnknownMessage', module, MODULE, 'SwitchBranch', 'nowhere')
        self.refused('InvalidRequest', module, MODULE, 'SwitchBranch', '')
        self.client.set(module, MODULE, 'Model', GLib.Variant('s', 'raw:slow:500'))
        generation = self.client.ask(module)
        self.refused('Busy', module, MODULE, 'SwitchBranch', answers[0])
        self.client.call(module, MODULE, 'Stop')
        self.client.end_of(module, generation)

    def test_gdbus(self):
        module, answers, _ = self.grow('gdbus')
        done = subprocess.run(
            ['gdbus', 'call', '--address', self.bus.address, '-d', 'org.confab.Confab', '-o',
             module, '-m', f'{MODULE}.SwitchBranch', answers[0]], capture_output=True, text=True,
            timeout=PATIENCE, check=True)
        self.assertEqual(done.stdout, f"('{answers[0]}',)\n")

    def test_confabctl(self):
        _, answers, _ = self.grow('ctl')
        self.assertEqual(self.confabctl('history', 'ctl'),
                         f'user (2/2): Uno\n\nassistant: {ANSWER}\n\n')
        self.assertEqual(self.confabctl('branch', '-m', 'ctl', answers[1]), '')
        self.assertEqual(self.confabctl('history', 'ctl'),
                         f'user (1/2): One\n\nassistant (2/3): {ANSWER}\n\n')
        told = json.loads(self.confabctl('--json', 'history', 'ctl'))
        self.assertEqual(told[1]['branches']['previousId'], answers[0])
        told = json.loads(self.confabctl('--json', 'branch', '-m', 'ctl', answers[0]))
        self.assertEqual(told, {'headId': answers[0]})

    def test_confabctl_refuses(self):
        self.grow('wrong')
        self.confabctl('branch', 'q', code=2)
        self.confabctl('branch', '-m', 'wrong', code=2)
        self.confabctl('branch', '-m', 'wrong', 'q', 'q', code=2)
        self.confabctl('branch', '-m', 'wrong', 'nowhere', code=1)
        self.confabctl('branch', '-m', 'nowhere', 'q', code=1)

    def test_export_and_import(self):
        """The branch that was chosen is the visible one there too, and the others can be had."""
        module, answers, last = self.grow('exported')
        self.client.call(module, MODULE, 'SwitchBranch', answers[0])
        session = self.client.get(module.rpartition('/modules/')[0], SESSION, 'Id')
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'chats.json')
            self.confabctl('export', '--session', session, path)
            with open(path, encoding='utf-8') as file:
                lines = [json.loads(line.rstrip(',\n')) for line in file
                         if '"headId"' in line]
            self.assertEqual([line['headId'] for line in lines], [answers[0]])
            before = set(self.client.objects())
            self.confabctl('import', path)
        copy, = (path for path in set(self.client.objects()) - before if '/modules/' in path)
        self.assertEqual(self.client.get(copy, MODULE, 'HeadId'), answers[0])
        self.assertEqual(self.history(copy), self.history(module))
        self.assertEqual(self.client.call(copy, MODULE, 'SwitchBranch', answers[2]), answers[2])
        self.assertEqual(self.history(copy)[1]['branches']['index'], 3)
        # and what is asked there anew counts on
        self.client.end_of(copy, self.client.call(copy, MODULE, 'Regenerate', '', {}))
        self.assertEqual(self.history(copy)[1]['branches']['count'], 4)
        self.assertEqual(last[0]['branches']['count'], 2)

    def test_monitor(self):
        module, answers, _ = self.grow('monitored')
        with tempfile.NamedTemporaryFile() as file, subprocess.Popen(
                [os.environ['CONFABCTL'], '--json', 'monitor'], stdout=file,
                env=self.confabd.env) as process:
            def events():
                # one of the two is another branch, and once it listens it hears of it
                for message_id in answers[:2]:
                    self.client.call(module, MODULE, 'SwitchBranch', message_id)
                with open(file.name, encoding='utf-8') as lines:
                    whole = [json.loads(line) for line in lines if line.endswith('\n')]
                return [event for event in whole if event['event'] == 'branch']
            told = wait_for(events, 'the event')
            process.terminate()
        self.assertEqual(told[0]['moduleId'], 'monitored')
        self.assertIn(told[0]['headId'], answers[:2])

    def test_python_client(self):
        _, answers, _ = self.grow('python')
        told = []
        client = socketio.Client(reconnection=False)
        client.on('ai:chat:branch', told.append)
        client.connect(re.search(r'http://\S+/', self.confabd.line).group(),
                       socketio_path='api/socket', transports=['websocket'], wait_timeout=5)
        self.addCleanup(client.disconnect)
        self.assertTrue(client.call('ai:chat:resume', {'moduleId': 'python'})['ok'])
        ack = client.call('ai:chat:branch', {'moduleId': 'python', 'messageId': answers[1]})
        self.assertEqual(ack, {'ok': True, 'headId': answers[1], 'messageCount': 2})
        wait_for(lambda: told, 'the event')
        self.assertEqual(told, [{'moduleId': 'python', 'messageId': answers[1],
                                 'headId': answers[1], 'parentId': 'q', 'messageCount': 2}])


if __name__ == '__main__':
    unittest.main()
