/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confab-raw-server.h"

struct _RawServer
{
  RawHandler handler;
  gpointer user_data;

  int listener;
  guint16 port;
  /* NULL while the server is closed */
  GThread *acceptor;

  /* Guards all below; cond tells of every change. */
  GMutex mutex;
  GCond cond;
  GPtrArray *threads;
  GArray *fds;
  gboolean stopping;
  guint n_connections;
  guint n_requests;
  char *last_request;
  /* When a peer closed a connection that was held; monotonic, in µs. */
  gint64 closed_at;
};

typedef struct
{
  RawServer *server;
  int fd;
} Connection;

gboolean
raw_write (int fd, const char *text, gssize length)
{
  gsize left = length < 0 ? strlen (text) : (gsize) length;

  while (left > 0)
    {
      gssize n = send (fd, text, left, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      text += n;
      left -= (gsize) n;
    }

  return TRUE;
}

/* Sends @step bytes at a time, with a pause, so that the peer reads them one by one. */
gboolean
raw_write_by (int fd, const char *text, gsize step)
{
  for (gsize left = strlen (text); left > 0;)
    {
      gsize n = MIN (step, left);

      if (!raw_write (fd, text, (gssize) n))
        return FALSE;
      g_usleep (200);
      text += n;
      left -= n;
    }

  return TRUE;
}

void
raw_append_chunk (GString *out, const char *text, gssize length)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;

  g_string_append_printf (out, "%zx\r\n", size);
  g_string_append_len (out, text, (gssize) size);
  g_string_append (out, "\r\n");
}

gboolean
raw_reply (int fd, const char *status, const char *headers, const char *body)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                                           headers != NULL ? headers : "", strlen (body), body);

  return raw_write (fd, text, -1);
}

/* Returns: (nullable): head and body of the next request; NULL when the peer has closed */
static char *
read_request (int fd)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (;;)
    {
      char buffer[4096];
      const char *end = strstr (text->str, "\r\n\r\n");
      gssize n;

      if (end != NULL)
        {
          const char *field = strstr (text->str, "Content-Length: ");
          gsize body = field != NULL && field < end ? strtoul (field + 16, NULL, 10) : 0;

          if (text->len >= (gsize) (end - text->str) + 4 + body)
            return g_string_free (g_steal_pointer (&text), FALSE);
        }

      n = recv (fd, buffer, sizeof buffer, 0);
      if (n <= 0)
        return NULL;
      g_string_append_len (text, buffer, n);
    }
}

static void
hold (RawServer *self, int fd)
{
  char byte;

  while (recv (fd, &byte, 1, 0) > 0)
    ;

  g_mutex_lock (&self->mutex);
  if (!self->stopping)
    self->closed_at = g_get_monotonic_time ();
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

static void
note_request (RawServer *self, const char *request)
{
  g_mutex_lock (&self->mutex);
  self->n_requests++;
  g_free (self->last_request);
  self->last_request = g_strdup (request);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

static void
close_connection (RawServer *self, int fd, gboolean reset)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->fds->len; i++)
    {
      if (g_array_index (self->fds, int, i) == fd)
        {
          g_array_remove_index_fast (self->fds, i);
          break;
        }
    }
  g_mutex_unlock (&self->mutex);

  if (reset)
    setsockopt (fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close (fd);
}

static gpointer
serve (gpointer data)
{
  g_autofree Connection *connection = data;
  RawServer *self = connection->server;
  int fd = connection->fd;
  RawEnd end = RAW_NEXT;

  while (end == RAW_NEXT)
    {
      g_autofree char *request = read_request (fd);

      if (request == NULL)
        break;
      note_request (self, request);
      end = self->handler (self, fd, request, self->user_data);
    }

  if (end == RAW_HOLD)
    hold (self, fd);
  close_connection (self, fd, end == RAW_RESET);

  return NULL;
}

static gpointer
accept_all (gpointer data)
{
  RawServer *self = data;

  for (;;)
    {
      int fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC);
      int on = 1;
      Connection *connection;

      if (fd < 0)
        return NULL;

      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connection = g_new0 (Connection, 1);
      connection->server = self;
      connection->fd = fd;

      g_mutex_lock (&self->mutex);
      self->n_connections++;
      g_array_append_val (self->fds, fd);
      g_ptr_array_add (self->threads, g_thread_new ("raw connection", serve, connection));
      g_mutex_unlock (&self->mutex);
    }
}

/* A server that has its port, and refuses all who come before raw_server_open(). */
RawServer *
raw_server_new_closed (RawHandler handler, gpointer user_data)
{
  RawServer *self = g_new0 (RawServer, 1);
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;

  self->handler = handler;
  self->user_data = user_data;
  self->threads = g_ptr_array_new ();
  self->fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  self->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (self->listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (getsockname (self->listener, (struct sockaddr *) &address, &length), ==, 0);
  self->port = ntohs (address.sin_port);

  return self;
}

void
raw_server_open (RawServer *self)
{
  g_assert_cmpint (listen (self->listener, 128), ==, 0);
  self->acceptor = g_thread_new ("raw acceptor", accept_all, self);
}

RawServer *
raw_server_new (RawHandler handler, gpointer user_data)
{
  RawServer *self = raw_server_new_closed (handler, user_data);

  raw_server_open (self);
  return self;
}

void
raw_server_free (RawServer *self)
{
  shutdown (self->listener, SHUT_RDWR);
  g_clear_pointer (&self->acceptor, g_thread_join);
  close (self->listener);

  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  for (guint i = 0; i < self->fds->len; i++)
    shutdown (g_array_index (self->fds, int, i), SHUT_RDWR);
  g_mutex_unlock (&self->mutex);

  for (guint i = 0; i < self->threads->len; i++)
    g_thread_join (g_ptr_array_index (self->threads, i));

  g_ptr_array_unref (self->threads);
  g_array_unref (self->fds);
  g_free (self->last_request);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self);
}

gboolean
raw_server_give_to (RawServer *self, uid_t uid)
{
  return fchown (self->listener, uid, (gid_t) -1) == 0;
}

guint16
raw_server_get_port (RawServer *self)
{
  return self->port;
}

char *
raw_server_dup_origin (RawServer *self)
{
  return g_strdup_printf ("http://127.0.0.1:%u", self->port);
}

guint
raw_server_get_n_connections (RawServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->n_connections;
}

guint
raw_server_get_n_requests (RawServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->n_requests;
}

char *
raw_server_dup_last_request (RawServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return g_strdup (self->last_request);
}

/* Iterates the main context until @n requests have come. Returns: whether they have */
gboolean
raw_server_wait_for_requests (RawServer *self, guint n, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * 1000;

  while (raw_server_get_n_requests (self) < n)
    {
      if (g_get_monotonic_time () > end)
        return FALSE;
      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }

  return TRUE;
}

/* Iterates the main context until a peer has closed a held connection. Returns: when, or 0 */
gint64
raw_server_wait_for_close (RawServer *self, guint timeout_ms)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * 1000;

  for (;;)
    {
      gint64 closed_at;

      g_mutex_lock (&self->mutex);
      closed_at = self->closed_at;
      g_mutex_unlock (&self->mutex);
      if (closed_at != 0 || g_get_monotonic_time () > end)
        return closed_at;

      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }
}
