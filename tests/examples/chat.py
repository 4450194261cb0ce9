#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chat with rooms; see README.md."""

import json
import sys

import gi
gi.require_version('Socketio', '1')
from gi.repository import Gio, GLib, Socketio  # noqa: E402

MAX_NAME = 32


def to_args(*values):
    return Socketio.Args.new_from_json(json.dumps(values))


def first_of(args):
    values = json.loads(args.to_json())
    return values[0] if values else None


def answer(ack, **members):
    if ack:
        ack.send(to_args(members))


class Member:
    """One client."""

    def __init__(self, namespace, socket):
        self.namespace = namespace
        self.socket = socket
        self.name = None
        self.room = None
        socket.connect('event::join', self.on_join)
        socket.connect('event::say', self.on_say)
        socket.connect('event::typing', self.on_typing)
        socket.connect('disconnected', self.on_disconnected)

    def tell_others(self, event, flags=Socketio.EmitFlags.DEFAULT, **members):
        others = self.socket.broadcast().to(self.room).set_flags(flags)
        others.emit(event, to_args(members))

    def on_join(self, socket, event, args, ack):
        wish = first_of(args)
        name, room = ((wish.get('name'), wish.get('room')) if isinstance(wish, dict)
                      else (None, None))
        if not (isinstance(name, str) and isinstance(room, str) and room
                and 0 < len(name) <= MAX_NAME):
            answer(ack, ok=False, error='A name and a room are needed')
            return
        if self.room is not None:
            answer(ack, ok=False, error='You are in a room already')
            return
        members = [MEMBERS[member.get_id()].name
                   for member in self.namespace.fetch_sockets(room)]
        if name in members:
            answer(ack, ok=False, error='That name is taken')
            return
        self.name, self.room = name, room
        socket.join(room)
        answer(ack, ok=True, members=[*members, name])
        self.tell_others('joined', name=name)

    def on_say(self, socket, event, args, ack):
        text = args.get_string(0)
        if self.room is None or text is None:
            answer(ack, ok=False, error='Join a room, then say a text')
            return
        self.tell_others('said', **{'from': self.name, 'text': text})
        answer(ack, ok=True)

    def on_typing(self, socket, event, args, ack):
        if self.room is not None:
            self.tell_others('typing', Socketio.EmitFlags.VOLATILE, **{'from': self.name})

    def on_disconnected(self, socket, reason):
        del MEMBERS[socket.get_id()]
        if self.room is not None:
            self.tell_others('left', name=self.name)


MEMBERS = {}


def on_connect(namespace, socket):
    MEMBERS[socket.get_id()] = Member(namespace, socket)


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    server = Socketio.Server()
    server.of('/').connect('connect', on_connect)
    address = server.listen(Gio.InetSocketAddress.new_from_string('127.0.0.1', port))
    print('Listening on port', address.get_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == '__main__':
    main()
