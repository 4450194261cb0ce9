# SPDX-License-Identifier: GPL-3.0-or-later
"""Many Socket.IO clients by hand: some read, some never do.

crowd.py PORT PATH READERS STUCK: connects them all and says "ready"; once standard input ends, says
as JSON how many bytes all got, and of the first readers how many "tick" each got and how late, in
µs by the clock of the machine: of all of them, and of the second half, when those who do not read
take no more.
"""

import json
import os
import re
import select
import socket
import sys
import time

TICK = re.compile(rb'\["tick",(\d+),')
SAMPLED = 50
# a frame may be cut behind its name; more than the text from there to the end of the time
TAIL = 40


def frame(text):
    """A short text, masked with zeros."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def read_until(client, mark):
    data = b''
    while mark not in data:
        piece = client.recv(4096)
        if not piece:
            raise RuntimeError(f'closed: {data!r}')
        data += piece
    return data


def connect(port, path, stuck):
    client = socket.socket()
    if stuck:
        # before the connection: its window is small from the beginning
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(('127.0.0.1', port))
    client.sendall(f'GET {path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n'
                   'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                   'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'.encode())
    read_until(client, b'\r\n\r\n')
    client.sendall(frame(b'40'))
    read_until(client, b'40{')
    return client


class Reader:
    def __init__(self, client, sampled):
        self.client = client
        self.sampled = sampled
        self.tail = b''
        self.ticks = 0
        self.bytes = 0

    def read(self, delays):
        data = self.client.recv(65536)
        self.bytes += len(data)
        if self.sampled:
            self.look(data, delays)
        return bool(data)

    def look(self, data, delays):
        now = time.monotonic_ns() // 1000
        text = self.tail + data
        end = 0
        for match in TICK.finditer(text):
            sent = int(match.group(1))
            delays.append((sent, now - sent))
            self.ticks += 1
            end = match.end()
        self.tail = text[max(end, len(text) - TAIL):]


def run(readers):
    """Reads until standard input ends; returns when each was sent, and its delay."""
    delays = []
    by_fd = {reader.client.fileno(): reader for reader in readers}
    stdin = sys.stdin.fileno()
    poll = select.epoll()
    for fd in [stdin, *by_fd]:
        poll.register(fd, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == stdin:
                if not os.read(stdin, 4096):
                    return delays
            elif not by_fd[fd].read(delays):
                poll.unregister(fd)


def quantiles(delays):
    delays = sorted(delays)

    def quantile(share):
        return delays[min(len(delays) - 1, int(len(delays) * share))] if delays else None

    return {'median': quantile(0.5), 'p99': quantile(0.99), 'worst': quantile(1)}


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    n_readers, n_stuck = int(sys.argv[3]), int(sys.argv[4])
    stuck = [connect(port, path, True) for _ in range(n_stuck)]
    readers = [Reader(connect(port, path, False), i < SAMPLED) for i in range(n_readers)]
    print('ready', flush=True)
    delays = run(readers)
    for client in stuck:
        client.close()
    times = [sent for sent, _ in delays]
    middle = (min(times) + max(times)) / 2 if times else 0
    print(json.dumps({
        'bytes': sum(reader.bytes for reader in readers),
        'ticks': [reader.ticks for reader in readers if reader.sampled],
        'all': quantiles([delay for _, delay in delays]),
        'settled': quantiles([delay for sent, delay in delays if sent > middle]),
    }), flush=True)


main()
