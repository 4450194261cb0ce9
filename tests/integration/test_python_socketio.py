#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's python3-socketio, synchronous and with asyncio, against socketio-echo."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

import engineio.payload
import socketio

START_TIMEOUT = 20
STOP_TIMEOUT = 10
WAIT_TIMEOUT = 5

TROUBLE = re.compile(r'ERROR: |runtime error|CRITICAL|WARNING')

# by default this client takes no more than 16 packets in the answer to a poll
engineio.payload.Payload.max_decode_packets = 10000

VALUES = [
    ['text', 'ü😀\u2028', ''],
    [0, -1, 0.1, 1e21, 2**53],
    [{'a': [None, True, {'b': []}]}],
    [b'\x00\x01\xff'],
    [{'deep': [b'one', {'two': b''}]}, b'three'],
    ['x' * 300000],
    [bytes(range(256)) * 1000],
]


class Echo:
    """The program under test; judged when it is stopped."""

    def __init__(self, mode, *args):
        command = [os.environ['SOCKETIO_ECHO'], '--port', '0', *args]
        env = dict(os.environ)
        if mode == 'stock':
            command.append('--stock')
            # see lib/echo.mjs: libsoup's own listener leaks
            env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=env)
        timer = threading.Timer(START_TIMEOUT, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        self.url = re.match(r'Listening on (http://127\.0\.0\.1:\d+)/$', line).group(1)

    def stop(self, test):
        test.assertIsNone(self.process.poll(), 'it ended by itself')
        self.process.send_signal(signal.SIGTERM)
        try:
            _, errors = self.process.communicate(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, errors = self.process.communicate()
            test.fail(f'it did not end within {STOP_TIMEOUT} s of SIGTERM:\n{errors}')
        test.assertIsNone(TROUBLE.search(errors), errors)
        test.assertEqual(self.process.returncode, 0, errors)

    def count_fds(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))


class SyncClient:
    """A synchronous client that keeps what it hears."""

    def __init__(self, test, echo, transports, namespaces=('/',), **options):
        self.heard = {}
        self.changed = threading.Condition()
        self.client = socketio.Client(reconnection=False)
        test.addCleanup(self.client.disconnect)
        for namespace in namespaces:
            for event in ('auth', 'message-back', 'connect_error', 'disconnect'):
                self.listen(namespace, event)
        self.client.connect(echo.url, transports=transports, namespaces=list(namespaces),
                            wait_timeout=WAIT_TIMEOUT, **options)

    def listen(self, namespace, event):
        def handler(*args):
            with self.changed:
                self.heard.setdefault((namespace, event), []).append(list(args))
                self.changed.notify_all()
        self.client.on(event, handler, namespace=namespace)

    def wait_for(self, event, count=1, namespace='/'):
        """The arguments of the first `count` events of that name."""
        def enough():
            return len(self.heard.get((namespace, event), [])) >= count
        with self.changed:
            if not self.changed.wait_for(enough, WAIT_TIMEOUT):
                raise AssertionError(f'{event} did not come {count} times: {self.heard}')
            return self.heard[namespace, event][:count]


class Cases:
    """The tests of one kind of streams; `mode` says which."""

    mode = None

    def start(self, *args):
        echo = Echo(self.mode, *args)
        self.addCleanup(echo.stop, self)
        return echo

    def check_sync_values(self, transports):
        client = SyncClient(self, self.start(), transports, auth={'token': 'x'})
        self.assertEqual(client.wait_for('auth'), [[{'token': 'x'}]])
        for count, args in enumerate(VALUES, 1):
            client.client.emit('message', tuple(args))
            self.assertEqual(client.wait_for('message-back', count)[-1], args)
            answer = client.client.call('message-with-ack', tuple(args), timeout=WAIT_TIMEOUT)
            self.assertEqual(list(answer) if isinstance(answer, tuple) else [answer], args)

    def test_sync_websocket(self):
        self.check_sync_values(['websocket'])

    def test_sync_polling(self):
        self.check_sync_values(['polling'])

    def test_sync_upgrade(self):
        self.check_sync_values(['polling', 'websocket'])

    def test_sync_upgrades(self):
        client = SyncClient(self, self.start(), ['polling', 'websocket'])
        client.wait_for('auth')
        self.assertEqual(client.client.transport(), 'websocket')

    def test_sync_auth_is_empty(self):
        client = SyncClient(self, self.start(), ['websocket'])
        self.assertEqual(client.wait_for('auth'), [[{}]])

    def test_sync_namespaces(self):
        client = SyncClient(self, self.start(), ['websocket'], namespaces=('/', '/custom'))
        client.wait_for('auth')
        client.wait_for('auth', namespace='/custom')
        client.client.emit('message', 'c', namespace='/custom')
        self.assertEqual(client.wait_for('message-back', namespace='/custom'), [['c']])
        self.assertNotIn(('/', 'message-back'), client.heard)
        self.assertNotEqual(client.client.get_sid('/'), client.client.get_sid('/custom'))

    def test_sync_invalid_namespace(self):
        client = SyncClient(self, self.start(), ['websocket'], namespaces=('/', '/unknown'),
                            wait=False)
        self.assertEqual(client.wait_for('connect_error', namespace='/unknown'),
                         [[{'message': 'Invalid namespace'}]])
        client.wait_for('auth')
        self.assertEqual(client.client.call('message-with-ack', 1, timeout=WAIT_TIMEOUT), 1)

    def test_sync_heartbeat(self):
        for transports in (['websocket'], ['polling']):
            echo = self.start('--ping-interval', '200', '--ping-timeout', '3000')
            client = SyncClient(self, echo, transports)
            client.client.sleep(1.5)
            self.assertEqual(client.client.call('message-with-ack', 1, timeout=WAIT_TIMEOUT), 1)

    def test_sync_order(self):
        client = SyncClient(self, self.start(), ['polling', 'websocket'])
        for n in range(300):
            client.client.emit('message', n)
        self.assertEqual(client.wait_for('message-back', 300), [[n] for n in range(300)])

    def test_sync_disconnect_leaves_nothing(self):
        echo = self.start()
        idle = echo.count_fds()
        for transports in (['websocket'], ['polling'], ['polling', 'websocket']):
            client = SyncClient(self, echo, transports)
            client.wait_for('auth')
            client.client.disconnect()
        deadline = threading.Event()
        for _ in range(100):
            if echo.count_fds() <= idle:
                break
            deadline.wait(0.1)
        self.assertLessEqual(echo.count_fds(), idle)

    async def run_async(self, echo, transports, count):
        client = socketio.AsyncClient(reconnection=False)
        heard = []
        greeting = asyncio.get_running_loop().create_future()
        client.on('auth', greeting.set_result)
        client.on('message-back', lambda *args: heard.append(list(args)))
        await client.connect(echo.url, transports=transports, auth={'token': 'x'},
                             wait_timeout=WAIT_TIMEOUT)
        try:
            self.assertEqual(await asyncio.wait_for(greeting, WAIT_TIMEOUT), {'token': 'x'})
            self.assertEqual(client.transport(), transports[-1])
            for n in range(count):
                await client.emit('message', (n, b'\x00\xff', {'part': [b'x']}))
            answer = await client.call('message-with-ack', ('last', b'y'), timeout=WAIT_TIMEOUT)
            self.assertEqual(list(answer), ['last', b'y'])
            for _ in range(500):
                if len(heard) >= count:
                    break
                await asyncio.sleep(0.01)
            self.assertEqual(heard, [[n, b'\x00\xff', {'part': [b'x']}] for n in range(count)])
        finally:
            await client.disconnect()

    def check_async(self, transports, clients=1, count=100):
        echo = self.start()

        async def run():
            await asyncio.gather(*(self.run_async(echo, transports, count)
                                   for _ in range(clients)))
        asyncio.run(asyncio.wait_for(run(), 60))

    def test_async_websocket(self):
        self.check_async(['websocket'])

    def test_async_polling(self):
        self.check_async(['polling'])

    def test_async_upgrade(self):
        self.check_async(['polling', 'websocket'])

    def test_async_many_clients(self):
        self.check_async(['websocket'], clients=20, count=50)

    def test_async_values(self):
        echo = self.start()

        async def run():
            client = socketio.AsyncClient(reconnection=False)
            await client.connect(echo.url, transports=['websocket'], wait_timeout=WAIT_TIMEOUT)
            for args in VALUES:
                answer = await client.call('message-with-ack', tuple(args), timeout=WAIT_TIMEOUT)
                self.assertEqual(list(answer) if isinstance(answer, tuple) else [answer], args)
            await client.disconnect()
        asyncio.run(run())

    def test_async_reconnects(self):
        first = Echo(self.mode)
        port = first.url.rsplit(':', 1)[1]

        async def run():
            client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.1)
            connected = asyncio.Queue()
            client.on('connect', lambda: connected.put_nowait(client.get_sid()))
            await client.connect(first.url, transports=['websocket'], wait_timeout=WAIT_TIMEOUT)
            sid = await asyncio.wait_for(connected.get(), WAIT_TIMEOUT)
            await asyncio.get_running_loop().run_in_executor(None, first.stop, self)
            second = self.start('--port', port)
            self.assertEqual(second.url, first.url)
            self.assertNotEqual(await asyncio.wait_for(connected.get(), WAIT_TIMEOUT), sid)
            self.assertEqual(await client.call('message-with-ack', 1, timeout=WAIT_TIMEOUT), 1)
            await client.disconnect()
        asyncio.run(run())


MODES = os.environ.get('CONFAB_STREAMS', 'own,stock').split(',')


@unittest.skipUnless('own' in MODES, 'CONFAB_STREAMS names others')
class OwnStreams(Cases, unittest.TestCase):
    mode = 'own'


@unittest.skipUnless('stock' in MODES, 'CONFAB_STREAMS names others')
class StockStreams(Cases, unittest.TestCase):
    mode = 'stock'


if __name__ == '__main__':
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
    import tap_unittest
    sys.exit(tap_unittest.main(__file__))
