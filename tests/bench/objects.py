#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""objects.py [COUNT…]: start and memory of the confabd of $CONFABD on a session bus of its own, the
settings in dconf, for so many sessions with a module each (0 1000 10000). Asserts nothing."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../integration/lib'))
# pylint: disable=wrong-import-position
from bus import (MANAGER, NAME, OBJECT_MANAGER, ROOT, SESSION, Bus, Client,  # noqa: E402
                 environment, make_home)
from gi.repository import Gio, GLib  # noqa: E402

ROUNDS = 7
# calls under way at a time, so that making 10,000 takes seconds
WINDOW = 200


class Service:
    """One run of confabd, and the times at which it was there."""

    def __init__(self, bus, home, *args):
        env = environment(home, DBUS_SESSION_BUS_ADDRESS=bus.address)
        # the address of the bus is that of dconf's service as well
        env['GSETTINGS_BACKEND'] = 'dconf'
        begin = time.monotonic()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [os.environ['CONFABD'], '--session', '--port', '0', '--provider', 'builtin', *args],
            env=env,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()
        self.start_ms = (time.monotonic() - begin) * 1000
        self.start_cpu_ms = self.cpu_ms()

    def cpu_ms(self):
        """How long a processor worked for it, which other programs change less."""
        total = 0
        for task in os.listdir(f'/proc/{self.process.pid}/task'):
            with open(f'/proc/{self.process.pid}/task/{task}/schedstat', encoding='utf-8') as file:
                total += int(file.read().split()[0])
        return total / 1e6

    def memory(self):
        """Resident, and of that its own, in MB."""
        with open(f'/proc/{self.process.pid}/smaps_rollup', encoding='utf-8') as file:
            fields = {line.split()[0]: int(line.split()[1]) for line in file.readlines()[1:]}
        return (fields['Rss:'] / 1024,
                (fields['Private_Clean:'] + fields['Private_Dirty:']) / 1024)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


def make_all(client, count, begin):
    """Makes the sessions from @begin to @count, each with its module."""
    context = GLib.MainContext.default()
    under_way = 0

    def call(path, interface, method, args, then):
        nonlocal under_way

        def done(connection, result):
            nonlocal under_way
            reply, = connection.call_finish(result).unpack()
            under_way -= 1
            then(reply)

        under_way += 1
        client.connection.call(NAME, path, interface, method, GLib.Variant('(sa{sv})', args), None,
                               Gio.DBusCallFlags.NONE, 60000, None, done)

    for number in range(begin, count):
        while under_way >= WINDOW:
            context.iteration(True)
        call(ROOT, MANAGER, 'CreateSession', (f'Session {number}', {}), lambda path: call(
            path, SESSION, 'CreateModule', ('A title of usual length', {}), lambda path: None))
    while under_way > 0:
        context.iteration(True)


def measure(bus, home, count, before):
    config = os.path.join(home, 'unlimited.conf')
    with open(config, 'w', encoding='utf-8') as file:
        file.write('[confab]\nclient-rate=0\n')
    service = Service(bus, home, '--config', config)
    client = Client(bus)
    make_all(client, count, before)
    client.close()
    service.stop()

    starts, works, residents, owns, lists = [], [], [], [], []
    for _ in range(ROUNDS):
        service = Service(bus, home)
        starts.append(service.start_ms)
        works.append(service.start_cpu_ms)
        time.sleep(0.5)
        resident, own = service.memory()
        residents.append(resident)
        owns.append(own)
        client = Client(bus)
        begin = service.cpu_ms()
        client.connection.call_sync(NAME, ROOT, OBJECT_MANAGER, 'GetManagedObjects', None, None,
                                    Gio.DBusCallFlags.NONE, 60000, None)
        lists.append(service.cpu_ms() - begin)
        client.close()
        service.stop()
    columns = [statistics.median(column) for column in (starts, works, residents, owns, lists)]
    print(f'{count:8}' + ''.join(f'{column:12.1f}' for column in columns), flush=True)


def main(counts):
    bus = Bus()
    home = make_home()
    print('sessions    start ms      CPU ms      RSS MB      own MB list CPU ms')
    before = 0
    try:
        for count in counts:
            measure(bus, home, count, before)
            before = count
    finally:
        bus.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == '__main__':
    main([int(word) for word in sys.argv[1:]] or [0, 1000, 10000])
