#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""confabctl monitor: what it hears of the real confabd, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
# pylint: disable=wrong-import-position
from bus import (MODULE, PATIENCE, SESSION, Bus, Client, Confabd, Upstream,  # noqa: E402
                 wait_for)

ANSWER = 'The quick brown fox jumps over the lazy dog.'


class Confab:
    """A Confab on a bus of its own, a client, and confabctl monitor with what it has said."""

    def __init__(self, case):
        self.case = case
        self.bus = Bus()
        case.addCleanup(self.bus.close)
        self.start()
        case.addCleanup(self.stop)
        self.client = Client(self.bus)
        case.addCleanup(self.close_client)

    def start(self, *args, **kwargs):
        self.confabd = Confabd(self.bus, '--session', '--dev', *args, *self.case.upstream.args,
                               **kwargs)

    def stop(self):
        if self.confabd.process.poll() is None:
            self.confabd.stop()

    def close_client(self):
        if not self.client.connection.is_closed():
            self.client.close()

    def stop_bus(self):
        self.close_client()
        self.bus.stop()

    def monitor(self, *args):
        self.output = os.path.join(self.confabd.home, 'monitor')
        with open(self.output, 'wb') as file:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [os.environ['CONFABCTL'], 'monitor', *args], env=self.confabd.env, stdout=file,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.case.addCleanup(self.process.stderr.close)
        self.case.addCleanup(self.process.kill)

    def text(self):
        with open(self.output, encoding='utf-8') as file:
            return file.read()

    def events(self, name='event'):
        """All, or those with that name."""
        return [json.loads(line) for line in self.text().splitlines(keepends=True)
                if line.endswith('}\n') and f'"{name}"' in line]

    def chat(self, model='raw:plain', **options):
        module = self.client.make_module(self.client.make_session(), model=model, **options)
        return module, self.client.ask(module)

    def with_another(self, call, *args):
        """As a client of which nothing is known yet, with a limit of its own."""
        client = Client(self.bus)
        try:
            return call(client, *args)
        finally:
            client.close()

    def end(self, code):
        self.case.assertEqual(self.process.wait(PATIENCE), code)
        error = self.process.stderr.read()
        self.case.assertRegex(error, r'^confabctl: [^\n]+\n$' if code != 0 else r'^$')


class TestMonitor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)

    def monitor(self, *args):
        confab = Confab(self)
        confab.monitor(*args)
        # it hears us once it says so
        wait_for(lambda: confab.client.make_session() and confab.text(), 'the monitor')
        return confab

    def test_events_for_programs(self):
        confab = self.monitor('--json', '--chunks')
        _, generation = confab.chat(moduleId='m.1')
        wait_for(lambda: confab.events('completed'), 'it')
        events = [event for event in confab.events() if event.get('moduleId') == 'm.1']
        self.assertEqual(events[0]['event'], 'module-added')
        run = [event for event in events if event.get('generationId') == generation]
        self.assertEqual((run[0]['event'], run[-1]['event']), ('started', 'completed'))
        self.assertEqual(run[-1]['finishReason'], 'stop')
        chunks = [event for event in run if event['event'] == 'chunk']
        self.assertEqual(''.join(event['chunk'] for event in chunks), ANSWER)
        self.assertEqual(chunks[0]['fromSeq'], 1)
        self.assertIn('streaming', [event['state'] for event in events
                                    if event['event'] == 'state'])
        self.assertTrue(all(event['at'] > 1.7e12 for event in events))
        confab.process.send_signal(signal.SIGINT)
        confab.end(0)

    def test_watches_more_modules_than_it_may_at_once(self):
        """Of 200 modules 150 can be watched in one go: the others are watched later."""
        confab = Confab(self)
        session = confab.client.make_session()
        modules = [confab.client.make_module(session, model='raw:plain', moduleId=f'm{number}')
                   for number in range(200)]
        confab.confabd.stop(keep=True)
        home = confab.confabd.home
        config = os.path.join(home, 'confab.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nclient-rate=15\n')
        confab.start('--config', config, home=home)
        confab.monitor('--chunks', '--json')
        wait_for(lambda: confab.with_another(Client.make_session)
                 and confab.events('session-added'), 'the monitor')
        time.sleep(5)
        for module in modules:
            confab.with_another(Client.ask, module)
        wait_for(lambda: {event['moduleId'] for event in confab.events('completed')}
                 >= {f'm{number}' for number in range(200)}, 'all answers')
        texts = {}
        for event in confab.events('chunk'):
            texts[event['moduleId']] = texts.get(event['moduleId'], '') + event['chunk']
        self.assertEqual(texts, {f'm{number}': ANSWER for number in range(200)})
        confab.process.send_signal(signal.SIGINT)
        confab.end(0)

    def test_tells_what_was_written_before_it_watched(self):
        confab = Confab(self)
        client = confab.client
        module = client.make_module(client.make_session(), model='raw:stall', moduleId='m')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        _, (_, _, seq, text) = wait_for(lambda: client.heard(module, 'Chunk'), 'a chunk')[-1]
        confab.monitor('--chunks', '--json')
        event = wait_for(confab.events, 'the first event')[0]
        confab.process.terminate()
        confab.end(0)
        del event['at']
        self.assertEqual(event, {'event': 'chunk', 'sessionId': event['sessionId'],
                                 'moduleId': 'm', 'generationId': generation, 'fromSeq': 1,
                                 'seq': seq, 'chunk': text})
        client.call(module, MODULE, 'Stop')

    def test_lines_for_people_tell_no_text_unasked(self):
        confab = self.monitor()
        module = confab.client.make_module(confab.client.make_session(), model='raw:repeats:401',
                                           moduleId='m.2')
        confab.client.ask(module, 'In private')
        wait_for(lambda: 'upstream-auth' in confab.text(), 'the failure')
        self.assertRegex(confab.text(), r'(?m)^\d\d:\d\d:\d\d failed +m\.2 \S+ upstream-auth '
                                        r'The model server refused the key or the permission\.$')
        self.assertNotIn('private', confab.text())
        confab.chat(moduleId='m.3')
        wait_for(lambda: 'completed' in confab.text(), 'the end')
        self.assertNotIn('quick', confab.text())
        confab.process.terminate()
        confab.end(0)

    def test_what_is_deleted(self):
        confab = self.monitor('--json')
        session = confab.client.make_session(sessionId='s.4')
        module = confab.client.make_module(session, moduleId='m.4')
        confab.client.call(module, MODULE, 'Delete')
        confab.client.call(session, SESSION, 'Delete')
        wait_for(lambda: confab.events('session-removed'), 'the end')
        names = [event['event'] for event in confab.events()
                 if event.get('sessionId') == 's.4' and event['event'] != 'state']
        self.assertEqual(names, ['session-added', 'module-added', 'module-removed',
                                 'session-removed'])

    def test_ends_with_confab(self):
        confab = self.monitor()
        confab.stop()
        confab.end(3)

    def test_ends_with_the_bus(self):
        confab = self.monitor()
        confab.stop_bus()
        confab.end(3)

    def test_ends_with_its_reader(self):
        confab = Confab(self)
        with subprocess.Popen(['sh', '-c', f'{os.environ["CONFABCTL"]} monitor | head -1'],
                              env=confab.confabd.env, stdout=subprocess.PIPE,
                              text=True) as process:
            wait_for(lambda: confab.client.make_session() and process.poll() is not None,
                     'the end')
            self.assertIn('session-added', process.stdout.read())


if __name__ == '__main__':
    unittest.main()
