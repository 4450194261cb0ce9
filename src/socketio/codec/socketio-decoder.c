/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-decoder.h"

#include <string.h>

#include "socketio-args-private.h"
#include "socketio-json.h"

/* The largest integer up to which JavaScript, where ids come from, counts without gaps. */
#define MAX_ID (G_GINT64_CONSTANT (1) << 53)

/* What is left of a packet's text. */
typedef struct
{
  const char *at;
  const char *end;
} Cursor;

static gboolean
fail_packet (GError **error, const char *message)
{
  g_set_error_literal (error, SOCKETIO_CODEC_ERROR, SOCKETIO_CODEC_ERROR_PACKET, message);
  return FALSE;
}

static gboolean
fail_attachment (GError **error, const char *message)
{
  g_set_error_literal (error, SOCKETIO_CODEC_ERROR, SOCKETIO_CODEC_ERROR_ATTACHMENT, message);
  return FALSE;
}

void
socketio_decoder_clear (SocketioDecoder *decoder)
{
  g_clear_pointer (&decoder->partial, socketio_packet_free);
  decoder->n_missing = 0;
}

static gboolean
is_at_digit (const Cursor *cursor)
{
  return cursor->at < cursor->end && g_ascii_isdigit (*cursor->at);
}

/* Reads digits; the value stops growing once it is over @limit. */
static gint64
read_number (Cursor *cursor, gint64 limit)
{
  gint64 value = 0;

  for (; is_at_digit (cursor); cursor->at++)
    {
      if (value <= limit)
        value = value * 10 + (*cursor->at - '0');
    }
  return value;
}

static gboolean
read_type (Cursor *cursor, SocketioPacketType *type, GError **error)
{
  if (cursor->at == cursor->end || *cursor->at < '0' + SOCKETIO_PACKET_CONNECT
      || *cursor->at > '0' + SOCKETIO_PACKET_BINARY_ACK)
    return fail_packet (error, "Unknown type of packet");

  *type = (SocketioPacketType) (*cursor->at++ - '0');
  return TRUE;
}

static gboolean
read_n_attachments (Cursor *cursor, guint *n_attachments, GError **error)
{
  gint64 number;

  if (!is_at_digit (cursor))
    return fail_attachment (error, "Number of attachments expected");
  number = read_number (cursor, SOCKETIO_MAX_ATTACHMENTS);
  if (cursor->at == cursor->end || *cursor->at != '-')
    return fail_attachment (error, "Number of attachments expected");
  if (number > SOCKETIO_MAX_ATTACHMENTS)
    return fail_attachment (error, "Too many attachments");

  cursor->at++;
  *n_attachments = (guint) number;
  return TRUE;
}

static gboolean
read_nsp (Cursor *cursor, char **nsp, GError **error)
{
  const char *start = cursor->at;
  const char *end;
  const char *query;

  if (start == cursor->end || *start != '/')
    {
      *nsp = g_strdup ("/");
      return TRUE;
    }

  end = memchr (start, ',', cursor->end - start);
  cursor->at = end != NULL ? end + 1 : cursor->end;
  if (end == NULL)
    end = cursor->end;
  query = memchr (start, '?', end - start);
  if (query != NULL)
    end = query;

  if (!g_utf8_validate_len (start, end - start, NULL))
    return fail_packet (error, "Namespace is not UTF-8");
  *nsp = g_strndup (start, end - start);
  return TRUE;
}

static gboolean
read_id (Cursor *cursor, gint64 *id, GError **error)
{
  *id = -1;
  if (!is_at_digit (cursor))
    return TRUE;

  *id = read_number (cursor, MAX_ID);
  if (*id > MAX_ID)
    return fail_packet (error, "Id out of range");
  return TRUE;
}

/* An application would take these names for what happened to the connection itself. */
static gboolean
is_reserved (const char *event)
{
  static const char *const reserved[] = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener", NULL
  };

  return g_strv_contains (reserved, event);
}

static char *
dup_event_name (JsonNode *node)
{
  GType type;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return NULL;

  type = json_node_get_value_type (node);
  if (type == G_TYPE_STRING)
    {
      const char *name = json_node_get_string (node);
      return is_reserved (name) ? NULL : g_strdup (name);
    }
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    {
      GString *name = g_string_new (NULL);
      socketio_json_append_node (name, node);
      return g_string_free (name, FALSE);
    }
  return NULL;
}

/* Takes @payload. */
static gboolean
take_event (SocketioPacket *packet, JsonNode *payload, GError **error)
{
  g_autoptr (JsonNode) root = payload;
  JsonArray *array;

  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root))
    return fail_packet (error, "An event without an array");

  array = json_node_get_array (root);
  if (json_array_get_length (array) > 0)
    packet->event = dup_event_name (json_array_get_element (array, 0));
  if (packet->event == NULL)
    return fail_packet (error, "An event without a name, or with a reserved one");

  packet->args = socketio_args_new_take (g_steal_pointer (&root), 1);
  return TRUE;
}

/* Takes @payload. */
static gboolean
take_ack (SocketioPacket *packet, JsonNode *payload, GError **error)
{
  g_autoptr (JsonNode) root = payload;

  if (packet->id < 0)
    return fail_packet (error, "An acknowledgement without an id");
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root))
    return fail_packet (error, "An acknowledgement without an array");

  packet->args = socketio_args_new_take (g_steal_pointer (&root), 0);
  return TRUE;
}

/* Takes @payload, that of a CONNECT, DISCONNECT or CONNECT_ERROR. */
static gboolean
take_data (SocketioPacket *packet, JsonNode *payload, GError **error)
{
  g_autoptr (JsonNode) data = payload;
  gboolean valid = FALSE;

  if (packet->id >= 0)
    return fail_packet (error, "An id where there is nothing to acknowledge");

  switch (packet->type)
    {
    case SOCKETIO_PACKET_CONNECT:
      valid = data == NULL || JSON_NODE_HOLDS_OBJECT (data);
      break;
    case SOCKETIO_PACKET_DISCONNECT:
      valid = data == NULL;
      break;
    case SOCKETIO_PACKET_CONNECT_ERROR:
      valid = data != NULL
              && (JSON_NODE_HOLDS_OBJECT (data)
                  || (JSON_NODE_HOLDS_VALUE (data)
                      && json_node_get_value_type (data) == G_TYPE_STRING));
      break;
    case SOCKETIO_PACKET_EVENT:
    case SOCKETIO_PACKET_ACK:
    case SOCKETIO_PACKET_BINARY_EVENT:
    case SOCKETIO_PACKET_BINARY_ACK:
    default:
      g_assert_not_reached ();
    }
  if (!valid)
    return fail_packet (error, "Payload of the wrong kind");

  packet->data = g_steal_pointer (&data);
  return TRUE;
}

/* Recurses no deeper than the parser lets anything nest. */
static gboolean
are_placeholders_valid (JsonNode *node, guint n_attachments)
{
  gint64 number;

  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      guint length = json_array_get_length (array);

      for (guint i = 0; i < length; i++)
        {
          if (!are_placeholders_valid (json_array_get_element (array, i), n_attachments))
            return FALSE;
        }
    }
  else if (socketio_args_is_placeholder (node, &number))
    {
      return number >= 0 && number < n_attachments;
    }
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      JsonNode *member;

      json_object_iter_init (&iter, json_node_get_object (node));
      while (json_object_iter_next (&iter, NULL, &member))
        {
          if (!are_placeholders_valid (member, n_attachments))
            return FALSE;
        }
    }
  return TRUE;
}

static gboolean
read_payload (Cursor *cursor, guint n_attachments, JsonNode **payload, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) local = NULL;

  *payload = NULL;
  if (cursor->at == cursor->end)
    return TRUE;

  root = socketio_json_parse (cursor->at, cursor->end - cursor->at, &local);
  if (root == NULL)
    {
      g_set_error (error, SOCKETIO_CODEC_ERROR, SOCKETIO_CODEC_ERROR_PACKET, "Invalid payload: %s",
                   local->message);
      return FALSE;
    }
  if (n_attachments > 0 && !are_placeholders_valid (root, n_attachments))
    return fail_attachment (error, "A placeholder for an attachment that is none");

  *payload = g_steal_pointer (&root);
  return TRUE;
}

/* Decodes all but the attachments, whose number is returned in @n_attachments. */
static SocketioPacket *
decode_text (Cursor cursor, guint *n_attachments, GError **error)
{
  g_autoptr (SocketioPacket) packet = g_new0 (SocketioPacket, 1);
  JsonNode *payload;
  gboolean valid;

  *n_attachments = 0;
  if (!read_type (&cursor, &packet->type, error))
    return NULL;
  if ((packet->type == SOCKETIO_PACKET_BINARY_EVENT || packet->type == SOCKETIO_PACKET_BINARY_ACK)
      && !read_n_attachments (&cursor, n_attachments, error))
    return NULL;
  if (!read_nsp (&cursor, &packet->nsp, error) || !read_id (&cursor, &packet->id, error)
      || !read_payload (&cursor, *n_attachments, &payload, error))
    return NULL;

  switch (packet->type)
    {
    case SOCKETIO_PACKET_EVENT:
    case SOCKETIO_PACKET_BINARY_EVENT:
      packet->type = SOCKETIO_PACKET_EVENT;
      valid = take_event (packet, payload, error);
      break;
    case SOCKETIO_PACKET_ACK:
    case SOCKETIO_PACKET_BINARY_ACK:
      packet->type = SOCKETIO_PACKET_ACK;
      valid = take_ack (packet, payload, error);
      break;
    case SOCKETIO_PACKET_CONNECT:
    case SOCKETIO_PACKET_DISCONNECT:
    case SOCKETIO_PACKET_CONNECT_ERROR:
    default:
      valid = take_data (packet, payload, error);
    }
  return valid ? g_steal_pointer (&packet) : NULL;
}

gboolean
socketio_decoder_feed_text (SocketioDecoder *decoder,
                            const char *text,
                            gsize length,
                            SocketioPacket **packet,
                            GError **error)
{
  g_autoptr (SocketioPacket) decoded = NULL;
  guint n_attachments;

  *packet = NULL;
  if (decoder->partial != NULL)
    return fail_attachment (error, "Text where an attachment was expected");

  decoded = decode_text ((Cursor){ .at = text, .end = text + length }, &n_attachments, error);
  if (decoded == NULL)
    return FALSE;

  if (n_attachments > 0)
    {
      decoder->partial = g_steal_pointer (&decoded);
      decoder->n_missing = n_attachments;
    }
  else
    {
      *packet = g_steal_pointer (&decoded);
    }
  return TRUE;
}

gboolean
socketio_decoder_feed_binary (SocketioDecoder *decoder,
                              GBytes *data,
                              SocketioPacket **packet,
                              GError **error)
{
  *packet = NULL;
  if (decoder->partial == NULL)
    return fail_attachment (error, "Binary data where none was expected");

  socketio_args_add_attachment (decoder->partial->args, data);
  if (--decoder->n_missing == 0)
    *packet = g_steal_pointer (&decoder->partial);
  return TRUE;
}
