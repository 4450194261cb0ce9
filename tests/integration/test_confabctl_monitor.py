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


class Monitored:
    """confabctl monitor beside a Confab of its own, and what it has said."""

    def __init__(self, case, *args):
        self.case = case
        self.bus = Bus()
        self.bus_runs = True
        case.addCleanup(self.close_bus)
        self.confabd = Confabd(self.bus, '--session', '--dev', *case.upstream.args)
        case.addCleanup(self.stop)
        self.client = Client(self.bus)
        self.output = os.path.join(self.confabd.home, 'monitor')
        with open(self.output, 'wb') as file:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [os.environ['CONFABCTL'], 'monitor', *args], env=self.confabd.env, stdout=file,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        case.addCleanup(self.process.stderr.close)
        case.addCleanup(self.process.kill)
        # it hears us once it says so
        wait_for(lambda: self.client.make_session() and self.text(), 'the monitor')

    def close_bus(self):
        if self.bus_runs:
            self.bus_runs = False
            self.bus.close()

    def stop(self):
        if self.confabd.process.poll() is None:
            self.confabd.stop()

    def text(self):
        with open(self.output, encoding='utf-8') as file:
            return file.read()

    def events(self):
        return [json.loads(line) for line in self.text().splitlines() if line.endswith('}')]

    def chat(self, model='raw:plain', **options):
        module = self.client.make_module(self.client.make_session(), model=model, **options)
        return module, self.client.ask(module)

    def end(self, code):
        self.case.assertEqual(self.process.wait(PATIENCE), code)
        error = self.process.stderr.read()
        self.case.assertRegex(error, r'^confabctl: [^\n]+\n$' if code != 0 else r'^$')


class TestMonitor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.close)

    def test_events_for_programs(self):
        monitored = Monitored(self, '--json', '--chunks')
        _, generation = monitored.chat(moduleId='m.1')
        wait_for(lambda: any(event['event'] == 'completed' for event in monitored.events()), 'it')
        events = [event for event in monitored.events() if event.get('moduleId') == 'm.1']
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
        monitored.process.send_signal(signal.SIGINT)
        monitored.end(0)

    def test_watches_more_modules_than_it_may_at_once(self):
        """Of 200 modules 150 can be watched in one go: the others are watched later."""
        bus = Bus()
        self.addCleanup(bus.close)
        confabd = Confabd(bus, '--session', '--dev', *self.upstream.args)
        config = os.path.join(confabd.home, 'confab.conf')
        client = Client(bus)
        self.addCleanup(client.close)
        session = client.make_session()
        modules = [client.make_module(session, model='raw:plain', moduleId=f'm{number}')
                   for number in range(200)]
        confabd.stop(keep=True)
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[confab]\nclient-rate=15\n')
        confabd = Confabd(bus, '--session', '--dev', '--config', config, *self.upstream.args,
                          home=confabd.home)
        self.addCleanup(confabd.stop)
        output = os.path.join(confabd.home, 'monitor')
        with open(output, 'wb') as file:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                [os.environ['CONFABCTL'], 'monitor', '--chunks', '--json'], env=confabd.env,
                stdout=file, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)

        def events(name):
            with open(output, encoding='utf-8') as file:
                return [json.loads(line) for line in file
                        if line.endswith('}\n') and f'"{name}"' in line]

        # by another client each time, as each has a limit of its own
        wait_for(lambda: self.with_another(bus, Client.make_session) and events('session-added'),
                 'the monitor')
        time.sleep(5)
        for module in modules:
            self.with_another(bus, Client.ask, module)
        wait_for(lambda: {event['moduleId'] for event in events('completed')}
                 >= {f'm{number}' for number in range(200)}, 'all answers')
        texts = {}
        for event in events('chunk'):
            texts[event['moduleId']] = texts.get(event['moduleId'], '') + event['chunk']
        self.assertEqual(texts, {f'm{number}': ANSWER for number in range(200)})
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, ''))

    @staticmethod
    def with_another(bus, call, *args):
        client = Client(bus)
        try:
            return call(client, *args)
        finally:
            client.close()

    def test_tells_what_was_written_before_it_watched(self):
        bus = Bus()
        self.addCleanup(bus.close)
        confabd = Confabd(bus, '--session', '--dev', *self.upstream.args)
        self.addCleanup(confabd.stop)
        client = Client(bus)
        self.addCleanup(client.close)
        module = client.make_module(client.make_session(), model='raw:stall', moduleId='m')
        client.call(module, MODULE, 'Watch')
        generation = client.ask(module)
        _, (_, _, seq, text) = wait_for(lambda: client.heard(module, 'Chunk'), 'a chunk')[-1]
        with subprocess.Popen([os.environ['CONFABCTL'], 'monitor', '--chunks', '--json'],
                              env=confabd.env, stdout=subprocess.PIPE, text=True) as process:
            event = json.loads(process.stdout.readline())
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)
        del event['at']
        self.assertEqual(event, {'event': 'chunk', 'sessionId': event['sessionId'],
                                 'moduleId': 'm', 'generationId': generation, 'fromSeq': 1,
                                 'seq': seq, 'chunk': text})
        client.call(module, MODULE, 'Stop')

    def test_lines_for_people_tell_no_text_unasked(self):
        monitored = Monitored(self)
        monitored.chat('raw:http-401', moduleId='m.2')
        wait_for(lambda: 'upstream-auth' in monitored.text(), 'the failure')
        self.assertRegex(monitored.text(), r'(?m)^\d\d:\d\d:\d\d failed +m\.2 ')
        monitored.chat(moduleId='m.3')
        wait_for(lambda: 'completed' in monitored.text(), 'the end')
        self.assertNotIn('quick', monitored.text())
        monitored.process.terminate()
        monitored.end(0)

    def test_what_is_deleted(self):
        monitored = Monitored(self, '--json')
        session = monitored.client.make_session(sessionId='s.4')
        module = monitored.client.make_module(session, moduleId='m.4')
        monitored.client.call(module, MODULE, 'Delete')
        monitored.client.call(session, SESSION, 'Delete')
        wait_for(lambda: any(event['event'] == 'session-removed' for event in monitored.events()),
                 'the end')
        names = [event['event'] for event in monitored.events()
                 if event.get('sessionId') == 's.4' and event['event'] != 'state']
        self.assertEqual(names, ['session-added', 'module-added', 'module-removed',
                                 'session-removed'])

    def test_ends_with_confab(self):
        monitored = Monitored(self)
        monitored.stop()
        monitored.end(3)

    def test_ends_with_the_bus(self):
        monitored = Monitored(self)
        monitored.bus.stop()
        monitored.bus_runs = False
        monitored.end(3)

    def test_ends_with_its_reader(self):
        bus = Bus()
        self.addCleanup(bus.close)
        confabd = Confabd(bus, '--session', '--dev', *self.upstream.args)
        self.addCleanup(confabd.stop)
        client = Client(bus)
        self.addCleanup(client.close)
        with subprocess.Popen(['sh', '-c', f'{os.environ["CONFABCTL"]} monitor | head -1'],
                              env=confabd.env, stdout=subprocess.PIPE, text=True) as process:
            wait_for(lambda: client.make_session() and process.poll() is not None, 'the end')
            self.assertIn('session-added', process.stdout.read())


if __name__ == '__main__':
    unittest.main()
