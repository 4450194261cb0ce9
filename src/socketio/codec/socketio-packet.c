/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-packet.h"

#include <string.h>

#include "socketio-args-private.h"
#include "socketio-json.h"

/* Room for digits, brackets, and some escapes around the parts of a packet. */
#define ENCODE_SLACK 64

GQuark
socketio_codec_error_quark (void)
{
  return g_quark_from_static_string ("socketio-codec-error-quark");
}

void
socketio_packet_free (SocketioPacket *packet)
{
  g_free (packet->nsp);
  g_free (packet->event);
  g_clear_pointer (&packet->args, socketio_args_unref);
  g_clear_pointer (&packet->data, json_node_unref);
  g_free (packet);
}

/* Everything up to the id. @n_attachments counts only for the binary types. */
static void
append_header (GString *out, SocketioPacketType type, guint n_attachments, const char *nsp)
{
  g_string_append_c (out, '0' + ENGINEIO_PACKET_MESSAGE);
  g_string_append_c (out, (char) ('0' + type));
  if (type == SOCKETIO_PACKET_BINARY_EVENT || type == SOCKETIO_PACKET_BINARY_ACK)
    g_string_append_printf (out, "%u-", n_attachments);
  if (strcmp (nsp, "/") != 0)
    {
      g_string_append (out, nsp);
      g_string_append_c (out, ',');
    }
}

/* The last argument of an event that may have to be sent again, as text; 0 for none. By hand: this
 * is the hot path, and printf takes memory for it. */
static void
append_offset (GString *out, guint64 offset)
{
  char text[24];
  char *at = text + sizeof text;

  if (offset == 0)
    return;

  *--at = '"';
  for (guint64 rest = offset; rest > 0; rest /= 10)
    *--at = (char) ('0' + rest % 10);
  *--at = '"';
  *--at = ',';
  g_string_append_len (out, at, text + sizeof text - at);
}

/* @event: NULL for an acknowledgement */
static GArray *
encode_args (SocketioPacketType type,
             const char *nsp,
             const char *event,
             SocketioArgs *args,
             gint64 id,
             guint64 offset)
{
  guint n_args = args != NULL ? socketio_args_get_length (args) : 0;
  guint n_attachments = args != NULL ? socketio_args_get_n_attachments (args) : 0;
  GArray *packets = g_array_sized_new (FALSE, FALSE, sizeof (EngineioPacket), 1 + n_attachments);
  GString *out = g_string_sized_new (ENCODE_SLACK);
  EngineioPacket packet;

  g_array_set_clear_func (packets, (GDestroyNotify) engineio_packet_clear);

  append_header (out, type, n_attachments, nsp);
  if (id >= 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, id);
  g_string_append_c (out, '[');
  if (event != NULL)
    socketio_json_append_string (out, event, -1);
  for (guint i = 0; i < n_args; i++)
    {
      if (i > 0 || event != NULL)
        g_string_append_c (out, ',');
      socketio_json_append_node (out, socketio_args_get_node (args, i));
    }
  append_offset (out, offset);
  g_string_append_c (out, ']');

  packet = engineio_packet_take (g_string_free_to_bytes (out), FALSE);
  g_array_append_val (packets, packet);
  for (guint i = 0; i < n_attachments; i++)
    {
      packet = engineio_packet_take (g_bytes_ref (socketio_args_get_attachment (args, i)), TRUE);
      g_array_append_val (packets, packet);
    }
  return packets;
}

/*
 * socketio_packet_encode_event:
 * @nsp: starts with '/' and has no comma, which would end it
 * @args: (nullable): peers refuse more than SOCKETIO_MAX_ATTACHMENTS binary parts; to count them is
 *   the caller's duty
 * @id: asks for an acknowledgement, or -1
 *
 * Returns: (transfer full) (element-type EngineioPacket): at least one packet
 */
GArray *
socketio_packet_encode_event (const char *nsp, const char *event, SocketioArgs *args, gint64 id)
{
  gboolean binary = args != NULL && socketio_args_get_n_attachments (args) > 0;

  return encode_args (binary ? SOCKETIO_PACKET_BINARY_EVENT : SOCKETIO_PACKET_EVENT, nsp, event,
                      args, id, 0);
}

/*
 * socketio_packet_encode_tracked_event:
 * @nsp: as for socketio_packet_encode_event()
 * @args: (nullable): as for socketio_packet_encode_event()
 * @offset: what the client tells to have the events after this one when it comes back; its last
 *   argument, as text. 0 for none
 *
 * Returns: (transfer full) (element-type EngineioPacket): at least one packet
 */
GArray *
socketio_packet_encode_tracked_event (const char *nsp,
                                      const char *event,
                                      SocketioArgs *args,
                                      guint64 offset)
{
  gboolean binary = args != NULL && socketio_args_get_n_attachments (args) > 0;

  return encode_args (binary ? SOCKETIO_PACKET_BINARY_EVENT : SOCKETIO_PACKET_EVENT, nsp, event,
                      args, -1, offset);
}

/*
 * socketio_packet_encode_ack:
 * @nsp: as for socketio_packet_encode_event()
 * @args: (nullable): as for socketio_packet_encode_event()
 * @id: that of the event, at least 0
 *
 * Returns: (transfer full) (element-type EngineioPacket): at least one packet
 */
GArray *
socketio_packet_encode_ack (const char *nsp, SocketioArgs *args, gint64 id)
{
  gboolean binary = args != NULL && socketio_args_get_n_attachments (args) > 0;

  g_return_val_if_fail (id >= 0, NULL);

  return encode_args (binary ? SOCKETIO_PACKET_BINARY_ACK : SOCKETIO_PACKET_ACK, nsp, NULL, args,
                      id, 0);
}

/*
 * socketio_packet_encode_plain:
 *
 * Returns: (transfer full): an Engine.IO text packet
 */
GBytes *
socketio_packet_encode_plain (SocketioPacketType type, const char *nsp, const char *json)
{
  GString *out = g_string_sized_new (ENCODE_SLACK + (json != NULL ? strlen (json) : 0));

  append_header (out, type, 0, nsp);
  if (json != NULL)
    g_string_append (out, json);
  return g_string_free_to_bytes (out);
}

/*
 * socketio_packet_encode_event_json:
 * @offset: as for socketio_packet_encode_tracked_event()
 *
 * Returns: (transfer full): an Engine.IO text packet
 */
GBytes *
socketio_packet_encode_event_json (const char *nsp,
                                   const char *event,
                                   const char *json_args,
                                   guint64 offset)
{
  gsize args_length = json_args != NULL ? strlen (json_args) : 0;
  GString *out = g_string_sized_new (ENCODE_SLACK + strlen (nsp) + strlen (event) + args_length);

  append_header (out, SOCKETIO_PACKET_EVENT, 0, nsp);
  g_string_append_c (out, '[');
  socketio_json_append_string (out, event, -1);
  if (args_length > 0)
    {
      g_string_append_c (out, ',');
      g_string_append_len (out, json_args, args_length);
    }
  append_offset (out, offset);
  g_string_append_c (out, ']');
  return g_string_free_to_bytes (out);
}
