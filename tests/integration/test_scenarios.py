#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of scenarios.json with python3-socketio; test-scenarios.mjs is the other half."""

import asyncio
import json
import os
import sys
import threading
import unittest

import socketio

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from test_python_socketio import WAIT_TIMEOUT, Echo

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'scenarios.json'),
          encoding='utf-8') as described:
    SCENARIOS = json.load(described)['scenarios']
TRANSPORTS = (['polling'], ['websocket'], ['polling', 'websocket'])
ANSWER_TIMEOUT = 20


def revive(value):
    """What the notation of the list stands for."""
    if isinstance(value, list):
        return [revive(item) for item in value]
    if not isinstance(value, dict):
        return value
    if '$bytes' in value:
        return bytes.fromhex(value['$bytes'])
    if '$zeros' in value:
        return bytes(value['$zeros'])
    if '$text' in value:
        return value['$text'][0] * value['$text'][1]
    return {key: revive(inner) for key, inner in value.items()}


def numbered(scenario):
    """With the number of the event behind the arguments, so that none is taken for another."""
    return [[*revive(scenario['args']), n] for n in range(scenario.get('times', 1))]


def run_sync(test, echo, scenario, transports):
    namespace = scenario.get('namespace', '/')
    wanted = numbered(scenario)
    heard, greeting = [], []
    changed = threading.Condition()

    def hear(store):
        def handler(*args):
            with changed:
                store.append(list(args))
                changed.notify_all()
        return handler

    client = socketio.Client(reconnection=False)
    client.on('auth', hear(greeting), namespace=namespace)
    client.on('message-back', hear(heard), namespace=namespace)
    client.connect(echo.url, transports=transports, namespaces=[namespace],
                   auth=scenario.get('auth'), wait_timeout=WAIT_TIMEOUT)
    try:
        for args in wanted:
            if scenario['way'] == 'ack':
                client.emit('message-with-ack', tuple(args), namespace=namespace,
                            callback=hear(heard))
            else:
                client.emit('message', tuple(args), namespace=namespace)
        with changed:
            changed.wait_for(lambda: len(heard) >= len(wanted) and greeting, ANSWER_TIMEOUT)
        # each event has a thread of its own there, so that only the numbers tell the order
        test.assertEqual(sorted(heard, key=lambda args: args[-1]), wanted)
        if 'auth' in scenario:
            test.assertEqual(greeting, [[scenario['auth']]])
        test.assertEqual(client.transport(), transports[-1])
    finally:
        client.disconnect()


async def converse(test, echo, scenario, transports):
    namespace = scenario.get('namespace', '/')
    wanted = numbered(scenario)
    heard, greeting = [], []
    client = socketio.AsyncClient(reconnection=False)
    client.on('auth', lambda *args: greeting.append(list(args)), namespace=namespace)
    client.on('message-back', lambda *args: heard.append(list(args)), namespace=namespace)
    await client.connect(echo.url, transports=transports, namespaces=[namespace],
                         auth=scenario.get('auth'), wait_timeout=WAIT_TIMEOUT)
    try:
        for args in wanted:
            if scenario['way'] == 'ack':
                await client.emit('message-with-ack', tuple(args), namespace=namespace,
                                  callback=lambda *got: heard.append(list(got)))
            else:
                await client.emit('message', tuple(args), namespace=namespace)
        for _ in range(ANSWER_TIMEOUT * 200):
            if len(heard) >= len(wanted) and greeting:
                break
            await asyncio.sleep(0.005)
        test.assertEqual(heard, wanted)
        if 'auth' in scenario:
            test.assertEqual(greeting, [[scenario['auth']]])
        test.assertEqual(client.transport(), transports[-1])
    finally:
        await client.disconnect()


def run_async(test, echo, scenario, transports):
    asyncio.run(asyncio.wait_for(converse(test, echo, scenario, transports), 60))


class Scenarios(unittest.TestCase):
    """A method for each client, choice of transports and scenario is added below."""

    @classmethod
    def setUpClass(cls):
        cls.echo = Echo('own')

    @classmethod
    def tearDownClass(cls):
        cls.echo.stop(cls('judge'))

    def judge(self):
        """What judges the program is a test as well."""


def add(kind, run, transports, number, scenario):
    def method(self):
        run(self, self.echo, scenario, transports)
    name = f'test_{kind}_{"_then_".join(transports)}_{number:02}_{scenario["name"]}'
    setattr(Scenarios, name.replace(' ', '_').replace(',', ''), method)


for the_kind, the_run in (('sync', run_sync), ('async', run_async)):
    for some in TRANSPORTS:
        for the_number, the_scenario in enumerate(SCENARIOS):
            add(the_kind, the_run, some, the_number, the_scenario)

if __name__ == '__main__':
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
    import tap_unittest
    sys.exit(tap_unittest.main(__file__))
