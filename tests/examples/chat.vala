// SPDX-License-Identifier: GPL-3.0-or-later
// A chat with rooms; see README.md.

const int MAX_NAME = 32;

// Arguments of one object with a member or two.
Socketio.Args to_args (string member, string value, string? member2 = null, string value2 = "") {
    var object = new Json.Object ();
    object.set_string_member (member, value);
    if (member2 != null)
        object.set_string_member (member2, value2);
    var args = new Socketio.Args ();
    args.take_object ((owned) object);
    return args;
}

void answer (Socketio.Ack? ack, string? error, Json.Array? members = null) {
    var object = new Json.Object ();
    object.set_boolean_member ("ok", error == null);
    if (error != null)
        object.set_string_member ("error", error);
    if (members != null)
        object.set_array_member ("members", members);
    var args = new Socketio.Args ();
    args.take_object ((owned) object);
    if (ack != null)
        ack.send (args);
}

// What came from a peer may be anything, and json-glib complains aloud of what it did not expect.
string? text_of (Json.Object? object, string member) {
    unowned Json.Node? node = object != null ? object.get_member (member) : null;
    unowned string? text
        = node != null && node.get_node_type () == Json.NodeType.VALUE ? node.get_string () : null;
    return text != "" ? text : null;
}

string? name_of (Socketio.Socket socket) {
    return text_of (socket.data, "name");
}

string? room_of (Socketio.Socket socket) {
    return text_of (socket.data, "room");
}

// To everybody in the room of a socket but itself.
void tell_others (Socketio.Socket socket, string event, Socketio.Args args,
                  Socketio.EmitFlags flags = Socketio.EmitFlags.DEFAULT) {
    var others = socket.broadcast ();
    others.to (room_of (socket));
    others.set_flags (flags);
    others.emit (event, args);
}

void on_join (Socketio.Socket socket, string event, Socketio.Args args, Socketio.Ack? ack) {
    unowned Json.Object? wish = args.get_object (0);
    var name = text_of (wish, "name");
    var room = text_of (wish, "room");
    if (name == null || room == null || name.char_count () > MAX_NAME) {
        answer (ack, "A name and a room are needed");
        return;
    }
    if (room_of (socket) != null) {
        answer (ack, "You are in a room already");
        return;
    }
    var members = new Json.Array ();
    foreach (var other in socket.get_namespace ().fetch_sockets (room)) {
        if (name_of (other) == name) {
            answer (ack, "That name is taken");
            return;
        }
        members.add_string_element (name_of (other));
    }
    socket.data.set_string_member ("name", name);
    socket.data.set_string_member ("room", room);
    socket.join (room);
    members.add_string_element (name);
    answer (ack, null, members);
    tell_others (socket, "joined", to_args ("name", name));
}

void on_say (Socketio.Socket socket, string event, Socketio.Args args, Socketio.Ack? ack) {
    unowned string? text = args.get_string (0);
    if (room_of (socket) == null || text == null) {
        answer (ack, "Join a room, then say a text");
        return;
    }
    tell_others (socket, "said", to_args ("from", name_of (socket), "text", text));
    answer (ack, null);
}

void on_typing (Socketio.Socket socket, string event, Socketio.Args args, Socketio.Ack? ack) {
    if (room_of (socket) != null)
        tell_others (socket, "typing", to_args ("from", name_of (socket)),
                     Socketio.EmitFlags.VOLATILE);
}

void on_disconnected (Socketio.Socket socket, string reason) {
    if (room_of (socket) != null)
        tell_others (socket, "left", to_args ("name", name_of (socket)));
}

int main (string[] args) {
    var loop = new MainLoop ();
    var server = new Socketio.Server (null);
    server.of ("/").connect.connect ((socket) => {
        socket.event["join"].connect (on_join);
        socket.event["say"].connect (on_say);
        socket.event["typing"].connect (on_typing);
        socket.disconnected.connect (on_disconnected);
    });
    try {
        var port = args.length > 1 ? int.parse (args[1]) : 3000;
        var address = (InetSocketAddress) server.listen (
            new InetSocketAddress.from_string ("127.0.0.1", port));
        print ("Listening on port %u\n", address.port);
    } catch (Error error) {
        printerr ("chat: %s\n", error.message);
        return 1;
    }
    loop.run ();
    return 0;
}
