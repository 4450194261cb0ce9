/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engineio-polling-transport.h"

#include <sys/epoll.h>

#include "engineio-http.h"
#include "engineio-payload.h"
#include "engineio-session.h"
#include "socketio-peer.h"

struct _EngineioPollingTransport
{
  EngineioTransport parent_instance;

  SocketioReactor *reactor; /* owned */
  SoupServerMessage *poll;  /* owned: the GET that waits; nullable */
  int poll_fd;              /* of its connection, watched for the client's going away; -1: none */
  SocketioWatchId poll_watch;
  guint protocol;
  gsize compression;      /* of bodies from this size on; 0: none */
  guint takes_binary : 1; /* protocol 3: the client reads binary bodies */
  guint posting : 1;
};

G_DEFINE_FINAL_TYPE (EngineioPollingTransport, engineio_polling_transport, ENGINEIO_TYPE_TRANSPORT)

static SoupServerMessage *
take_poll (EngineioPollingTransport *self)
{
  socketio_reactor_remove_watch (self->reactor, self->poll_watch, self->poll_fd);
  self->poll_watch = 0;
  self->poll_fd = -1;
  return g_steal_pointer (&self->poll);
}

static void
answer_poll (EngineioPollingTransport *self, const EngineioPacket *packets, guint n_packets)
{
  g_autoptr (SoupServerMessage) message = take_poll (self);
  g_autoptr (GBytes) body = NULL;
  gboolean binary = FALSE, compress = FALSE;

  for (guint i = 0; i < n_packets && !compress; i++)
    compress = !packets[i].uncompressed;
  if (self->protocol == 4)
    body = engineio_payload_encode_v4 (packets, n_packets);
  else
    body = engineio_payload_encode_v3 (packets, n_packets, self->takes_binary, &binary);

  engineio_http_respond_compressed (
      message, binary ? "application/octet-stream" : "text/plain; charset=UTF-8", body,
      compress ? self->compression : 0);
  soup_server_message_unpause (message);
}

static guint
engineio_polling_transport_send (EngineioTransport *transport,
                                 const EngineioPacket *packets,
                                 guint n_packets)
{
  EngineioPollingTransport *self = ENGINEIO_POLLING_TRANSPORT (transport);

  if (self->poll == NULL || n_packets == 0)
    return 0;

  answer_poll (self, packets, n_packets);
  return n_packets;
}

static gsize
engineio_polling_transport_get_pending (EngineioTransport *transport)
{
  return 0;
}

static void
progress_cb (gpointer user_data)
{
  g_autoptr (EngineioTransport) self = user_data;

  engineio_transport_progress (self);
}

static void
engineio_polling_transport_notify_empty (EngineioTransport *transport)
{
  EngineioPollingTransport *self = ENGINEIO_POLLING_TRANSPORT (transport);

  socketio_reactor_invoke (self->reactor, progress_cb, g_object_ref (transport));
}

static gboolean
engineio_polling_transport_can_close (EngineioTransport *transport)
{
  return ENGINEIO_POLLING_TRANSPORT (transport)->poll != NULL;
}

/* A poll that waits is told of the end. */
static void
engineio_polling_transport_close (EngineioTransport *transport)
{
  EngineioPollingTransport *self = ENGINEIO_POLLING_TRANSPORT (transport);
  EngineioPacket packet = engineio_packet_new_static ("1");

  if (self->poll != NULL)
    answer_poll (self, &packet, 1);
  engineio_packet_clear (&packet);
}

static void
refuse (EngineioPollingTransport *self, SoupServerMessage *message)
{
  EngineioSession *session = engineio_transport_get_session (ENGINEIO_TRANSPORT (self));

  engineio_http_error (message, ENGINEIO_HTTP_ERROR_BAD_REQUEST,
                       session != NULL ? engineio_session_get_counters (session) : NULL);
}

static void
hangup_cb (guint32 events, gpointer user_data)
{
  g_autoptr (EngineioPollingTransport) self = g_object_ref (user_data);
  g_autoptr (SoupServerMessage) message = NULL;

  if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
    return;

  /* libsoup looks at the connection again only when it has something to write */
  message = take_poll (self);
  refuse (self, message);
  soup_server_message_unpause (message);
  engineio_transport_lost (ENGINEIO_TRANSPORT (self), "transport error");
}

void
engineio_polling_transport_handle_get (EngineioPollingTransport *self, SoupServerMessage *message)
{
  if (self->poll != NULL)
    {
      refuse (self, message);
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), "transport error");
      return;
    }

  self->poll = g_object_ref (message);
  soup_server_message_pause (message);
  self->poll_fd = socketio_peer_get_message_fd (message);
  if (self->poll_fd >= 0)
    self->poll_watch = socketio_reactor_add_watch (self->reactor, self->poll_fd,
                                                   EPOLLRDHUP | EPOLLET, hangup_cb, self);
  engineio_transport_progress (ENGINEIO_TRANSPORT (self));
}

gboolean
engineio_polling_transport_begin_post (EngineioPollingTransport *self)
{
  if (self->posting)
    {
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), "transport error");
      return FALSE;
    }
  self->posting = TRUE;
  return TRUE;
}

static GArray *
decode_body (EngineioPollingTransport *self, SoupServerMessage *message, GBytes *body)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *type = soup_message_headers_get_content_type (headers, NULL);

  if (self->protocol == 4)
    return engineio_payload_decode_v4 (body, NULL);
  return engineio_payload_decode_v3 (body, g_strcmp0 (type, "application/octet-stream") == 0, NULL);
}

void
engineio_polling_transport_end_post (EngineioPollingTransport *self,
                                     SoupServerMessage *message,
                                     GBytes *body)
{
  g_autoptr (EngineioPollingTransport) alive G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (GArray) packets = NULL;

  self->posting = FALSE;
  if (body == NULL)
    {
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), "transport error");
      return;
    }

  packets = decode_body (self, message, body);
  if (packets == NULL)
    {
      refuse (self, message);
      engineio_transport_lost (ENGINEIO_TRANSPORT (self), "parse error");
      return;
    }

  engineio_http_respond_static (message, SOUP_STATUS_OK, "text/html", "ok");
  for (guint i = 0; i < packets->len; i++)
    engineio_transport_packet (ENGINEIO_TRANSPORT (self),
                               &g_array_index (packets, EngineioPacket, i));
}

static void
engineio_polling_transport_finalize (GObject *object)
{
  EngineioPollingTransport *self = ENGINEIO_POLLING_TRANSPORT (object);

  if (self->poll != NULL)
    engineio_polling_transport_close (ENGINEIO_TRANSPORT (self));
  socketio_reactor_unref (self->reactor);

  G_OBJECT_CLASS (engineio_polling_transport_parent_class)->finalize (object);
}

static void
engineio_polling_transport_class_init (EngineioPollingTransportClass *klass)
{
  EngineioTransportClass *transport_class = ENGINEIO_TRANSPORT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = engineio_polling_transport_finalize;
  transport_class->name = "polling";
  transport_class->gathers = TRUE;
  transport_class->send = engineio_polling_transport_send;
  transport_class->get_pending = engineio_polling_transport_get_pending;
  transport_class->notify_empty = engineio_polling_transport_notify_empty;
  transport_class->can_close = engineio_polling_transport_can_close;
  transport_class->close = engineio_polling_transport_close;
  transport_class->abort = engineio_polling_transport_close;
}

static void
engineio_polling_transport_init (EngineioPollingTransport *self)
{
  self->poll_fd = -1;
}

EngineioTransport *
engineio_polling_transport_new (SocketioReactor *reactor,
                                guint protocol,
                                gboolean takes_binary,
                                gsize compression)
{
  EngineioPollingTransport *self = g_object_new (ENGINEIO_TYPE_POLLING_TRANSPORT, NULL);

  self->reactor = socketio_reactor_ref (reactor);
  self->protocol = protocol;
  self->takes_binary = takes_binary;
  self->compression = compression;
  return ENGINEIO_TRANSPORT (self);
}
