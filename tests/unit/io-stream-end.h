/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "io-fixture.h"
#include "socketio-stream.h"

G_BEGIN_DECLS

/*
 * StreamFixture: a reactor in the default context, and a SocketioStream on one end of a pair of
 * sockets, whose other end is an IoClient.
 */
typedef struct
{
  SocketioReactor *reactor;
  SocketioStream *stream; /* a test may drop it */
  int fd;                 /* the stream's */
  IoClient *client;
  GString *log;
} StreamFixture;

/* What a StreamFixture is made of. */
typedef enum
{
  STREAM_UNIX,
  STREAM_TCP,
} StreamKind;

void stream_fixture_set_up (StreamFixture *self, gconstpointer kind);
void stream_fixture_tear_down (StreamFixture *self, gconstpointer kind);
/* Makes the kernel hold as little as it can on the way to the client. */
void stream_fixture_narrow (StreamFixture *self);

/* A test that runs on both kinds of stream. */
typedef struct
{
  const char *name;
  void (*func) (StreamFixture *fixture, gconstpointer data);
  gboolean tcp_only; /* only there a RST can be had at will */
} StreamTest;

/* Adds each of them as /@prefix/unix/NAME and /@prefix/tcp/NAME. */
void stream_add_tests (const char *prefix, const StreamTest *tests, gsize n_tests);

/* Non-blocking calls. */
gssize stream_read (SocketioStream *stream, char *buffer, gsize count, GError **error);
gssize stream_write (SocketioStream *stream, const char *data, gssize count, GError **error);
/* Reads at most 64 bytes, which must be @expected. */
void stream_assert_read (SocketioStream *stream, const char *expected);
void stream_assert_would_block (SocketioStream *stream);
void stream_assert_closed (SocketioStream *stream);
/* All of it must be accepted. */
void stream_write_text (SocketioStream *stream, const char *text);

/* Bytes of which each place has a value of its own kind: an order that is not kept shows. */
GBytes *make_pattern (gsize size);

/*
 * StreamReader: reads what comes, by a GSource in the stream's shard, until the end.
 */
typedef struct
{
  SocketioStream *stream; /* owned */
  GSource *source;
  GString *received;
  GError *error;
  gboolean eof;
  guint n_calls;
} StreamReader;

StreamReader *stream_reader_new (SocketioStream *stream);
void stream_reader_free (StreamReader *self);
gboolean stream_reader_is_done (StreamReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StreamReader, stream_reader_free)

/*
 * StreamWriter: writes all of @data as room allows, by a GSource in the stream's shard.
 */
typedef struct
{
  SocketioStream *stream; /* owned */
  GSource *source;
  GBytes *data;
  gsize written;
  GError *error;
  gsize most_queued;
  guint n_refusals;
} StreamWriter;

StreamWriter *stream_writer_new (SocketioStream *stream, GBytes *data);
void stream_writer_free (StreamWriter *self);
gboolean stream_writer_is_done (StreamWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StreamWriter, stream_writer_free)

/* Attaches @source (transfer full) to the stream's shard, as libsoup does. Returns it (transfer
 * none). */
GSource *stream_attach (SocketioStream *stream, GSource *source);

G_END_DECLS
