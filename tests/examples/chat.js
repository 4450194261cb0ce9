// SPDX-License-Identifier: GPL-3.0-or-later
// A chat with rooms, for GJS; see README.md.
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Socketio from 'gi://Socketio?version=1';

const MAX_NAME = 32;

const members = new Map(); // by the ids of their sockets

const toArgs = (...values) => Socketio.Args.new_from_json(JSON.stringify(values));
const firstOf = (args) => JSON.parse(args.to_json())[0];
const answer = (ack, value) => ack?.send(toArgs(value));

class Member {
  constructor(namespace, socket) {
    this.namespace = namespace;
    this.socket = socket;
    socket.connect('event::join', (_socket, _event, args, ack) => this.join(firstOf(args), ack));
    socket.connect('event::say', (_socket, _event, args, ack) => this.say(firstOf(args), ack));
    socket.connect('event::typing', () => this.type());
    socket.connect('disconnected', () => this.leave());
  }

  tellOthers(event, value, flags = Socketio.EmitFlags.DEFAULT) {
    this.socket.broadcast().to(this.room).set_flags(flags).emit(event, toArgs(value));
  }

  join(wish, ack) {
    const { name, room } = wish ?? {};
    if (typeof name !== 'string' || typeof room !== 'string' || !name || !room
        || [...name].length > MAX_NAME) {
      answer(ack, { ok: false, error: 'A name and a room are needed' });
      return;
    }
    if (this.room !== undefined) {
      answer(ack, { ok: false, error: 'You are in a room already' });
      return;
    }
    const names = this.namespace.fetch_sockets(room).map((other) => members.get(other.id).name);
    if (names.includes(name)) {
      answer(ack, { ok: false, error: 'That name is taken' });
      return;
    }
    this.name = name;
    this.room = room;
    this.socket.join(room);
    answer(ack, { ok: true, members: [...names, name] });
    this.tellOthers('joined', { name });
  }

  say(text, ack) {
    if (this.room === undefined || typeof text !== 'string') {
      answer(ack, { ok: false, error: 'Join a room, then say a text' });
      return;
    }
    this.tellOthers('said', { from: this.name, text });
    answer(ack, { ok: true });
  }

  type() {
    if (this.room !== undefined)
      this.tellOthers('typing', { from: this.name }, Socketio.EmitFlags.VOLATILE);
  }

  leave() {
    members.delete(this.socket.id);
    if (this.room !== undefined)
      this.tellOthers('left', { name: this.name });
  }
}

const port = ARGV.length > 0 ? Number(ARGV[0]) : 3000;
const server = new Socketio.Server();
server.of('/').connect('connect',
  (namespace, socket) => members.set(socket.id, new Member(namespace, socket)));
const address = server.listen(Gio.InetSocketAddress.new_from_string('127.0.0.1', port));
print('Listening on port', address.get_port());
new GLib.MainLoop(null, false).run();
